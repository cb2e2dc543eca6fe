from __future__ import annotations

import numpy as np
import pytest

from lcode.curves.arrays import curve_arrays
from lcode.pretraining.prior import synthetic_runs
from lcode.table import RunTable


@pytest.fixture(scope="module")
def problems() -> list[RunTable]:
    return [synthetic_runs(40, tasks=2, horizon=60, seed=seed) for seed in range(40)]


def curves_of(problems: list[RunTable], name: str) -> list[np.ndarray]:
    """The curves of each task with a metric of this name, [R, T] each."""
    return [
        curve_arrays(table).values[:, k]
        for table in problems
        for k, metric in enumerate(table.metrics)
        if metric.name == name
    ]


def test_the_same_seed_draws_the_same_runs() -> None:
    one, same, other = (curve_arrays(synthetic_runs(4, tasks=2, horizon=9, seed=seed)).values for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(("tasks", "horizon"), [(1, 5), (4, 200)])
def test_curves_are_whole_and_two_of_three_plans_are_known(tasks: int, horizon: int) -> None:
    table = synthetic_runs(30, tasks=tasks, horizon=horizon, seed=0)
    curves = curve_arrays(table)
    assert curves.values.shape == (30, tasks, horizon) and np.isfinite(curves.values).all()
    assert all(plan.last == horizon for plan in table.schedules.values()) and len(table.schedules) == 20


def test_losses_are_positive_shares_lie_between_0_and_1_and_returns_take_either_sign(problems: list[RunTable]) -> None:
    assert all((curves > 0).all() for curves in curves_of(problems, "loss"))
    assert all(((curves >= 0) & (curves <= 1)).all() for curves in curves_of(problems, "accuracy"))
    returns = curves_of(problems, "reward")
    assert any((curves < 0).any() for curves in returns) and any((curves > 0).any() for curves in returns)


def test_losses_fall_over_decades_or_to_high_floors(problems: list[RunTable]) -> None:
    falls = np.array(
        [np.quantile(curves[:, 0] / curves[:, -10:].mean(1), 0.8) for curves in curves_of(problems, "loss")]
    )
    assert falls.max() > 100 and (falls < 1.2).mean() > 0.1


def test_some_scores_are_exactly_0_until_late_and_some_losses_turn_up(problems: list[RunTable]) -> None:
    waiting = [((c[:, :5] == 0).all(1) & (c[:, -1] > 0.1)).any() for c in curves_of(problems, "accuracy")]
    assert any(waiting)
    turned = [(c[:, -1] > 1.2 * c.min(1)).mean() for c in curves_of(problems, "loss")]
    assert max(turned) > 0.5


def test_a_step_of_the_rate_brings_a_gain_on_the_whole() -> None:
    """Runs of one problem whose rate drops tenfold and stays there, beside those of a constant rate."""
    changes: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(80):
        table = synthetic_runs(40, tasks=1, horizon=60, seed=seed)
        values = curve_arrays(table).values[:, 0]
        for row, run in enumerate(table.run_ids):
            if run not in table.schedules or table.metrics[0].name != "loss":
                continue
            rates = table.schedules[run].at(np.arange(1, 61))
            drop = np.flatnonzero((rates[1:] < 0.15 * rates[:-1]) & (rates[:-1] == 1))
            constant = (rates == 1).all()
            at = 30 if constant else int(drop[0]) + 1 if len(drop) else 0
            if 10 <= at <= 50 and (constant or np.ptp(rates[at : at + 6]) == 0):
                changes[constant].append(np.log(values[row, at : at + 6].mean() / values[row, at - 6 : at].mean()))
    assert len(changes[False]) > 30
    assert np.mean(changes[False]) < np.mean(changes[True]) - 0.05
