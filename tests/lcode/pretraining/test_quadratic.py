"""Synthetic sweeps: settings do to curves what they do in trainings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from lcode.curves.arrays import curve_arrays
from lcode.curves.common_settings import CommonSettings
from lcode.pretraining.quadratic import heavy_ball, sweep
from lcode.table import RunTable


@pytest.fixture(scope="module")
def sweeps() -> list[RunTable]:
    return [sweep(80, tasks=1, horizon=30, seed=seed) for seed in range(60)]


def ends_of(table: RunTable) -> np.ndarray:
    """How the runs end, less is better, [R]."""
    sign = 1 if table.metrics[0].direction == "min" else -1
    return sign * curve_arrays(table).values[:, 0, -1]


@pytest.mark.parametrize(
    ("pull", "momentum", "pace"),
    [
        (0.5, 0.0, 0.5),  # |1 - 0.5|
        (1.9, 0.0, 0.9),  # overshoots, and still comes nearer
        (2.5, 0.0, 1.0),  # too large: no progress
        (0.5, 0.81, 0.9),  # oscillates at √β
        (0.09, 0.25, 0.8739388),  # the larger root of z² - 1.16 z + 0.25
        (3.5, 0.5, 1.0),
    ],
)
def test_the_pace_of_gradient_descent_with_momentum(pull: float, momentum: float, pace: float) -> None:
    assert heavy_ball(np.array(pull), np.array(momentum)) == pytest.approx(pace, abs=1e-6)


def test_the_same_seed_draws_the_same_sweep() -> None:
    one, same, other = (sweep(6, tasks=2, horizon=9, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(curve_arrays(one).values, curve_arrays(same).values)
    assert one.configs.equals(same.configs)
    assert not np.array_equal(curve_arrays(one).values, curve_arrays(other).values)


@pytest.mark.parametrize(("tasks", "horizon"), [(1, 20), (3, 60)])
def test_curves_are_whole(tasks: int, horizon: int) -> None:
    table = sweep(20, tasks=tasks, horizon=horizon, seed=4)
    curves = curve_arrays(table)
    assert curves.values.shape == (20, tasks, horizon) and np.isfinite(curves.values).all()
    assert (table.runs["status"] == "finished").all()


def test_losses_are_positive_and_accuracies_are_shares(sweeps: list[RunTable]) -> None:
    kinds = {metric.name for table in sweeps for metric in table.metrics}
    assert kinds == {"loss", "accuracy"}
    for table in sweeps:
        values = curve_arrays(table).values
        assert (values > 0).all() if table.metrics[0].name == "loss" else ((values >= 0) & (values <= 1)).all()


def test_settings_are_recognised_as_those_of_logs(sweeps: list[RunTable]) -> None:
    varying = [np.isfinite(CommonSettings.among(table.configs).spread).sum() for table in sweeps]
    assert np.mean(varying) > 2


def test_the_learning_rate_decides_much_and_not_always_in_one_direction(sweeps: list[RunTable]) -> None:
    ranks = []
    for table in sweeps:
        rates = [name for name in ("lr", "learning_rate") if name in table.configs]
        if rates and np.ptp(ends_of(table)) > 0:
            ranks.append(spearmanr(table.configs[rates[0]], ends_of(table)).statistic)
    assert np.mean(np.abs(ranks) > 0.3) > 0.3
    assert min(ranks) < -0.3 and max(ranks) > 0.3


def test_some_sweeps_overfit_and_early_values_say_something_but_not_all(sweeps: list[RunTable]) -> None:
    losses = [curve_arrays(table).values[:, 0] for table in sweeps if table.metrics[0].name == "loss"]
    turned = [float((curves[:, -1] > 1.1 * curves.min(1)).mean()) for curves in losses]
    assert max(turned) > 0.5 > np.median(turned)
    early = [spearmanr(curves[:, 2], curves[:, -1]).statistic for curves in losses]
    assert np.mean(early) > 0.5 and min(early) < 0.6
