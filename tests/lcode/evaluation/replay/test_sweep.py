from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from lcode.decisions import MedianRule, StopRule
from lcode.errors import NotEnoughDataError
from lcode.evaluation.replay import ForecastPolicy, RecordedSweep, replay
from lcode.forecast import Forecast
from lcode.forecasters.base import At
from lcode.forecasters.drift import DriftForecaster
from lcode.forecasters.last_value import LastValueForecaster
from lcode.hooks import Monitor
from lcode.table import Metric, RunTable

METRICS = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))
BASELINE = {"seg/miou": 0.5, "depth/abs_err": 1.0}


def sweep(runs: int, seed: int, *, horizon: int = 12, name: str = "r") -> RunTable:
    """Runs that rise to a random level at a random rate; every fifth one diverges."""
    generator = np.random.default_rng(seed)
    level, rate = generator.uniform(0.3, 0.9, runs), generator.uniform(0.1, 0.6, runs)
    epochs = np.arange(1, horizon + 1)
    seg = level[:, None] * (1 - np.exp(-rate[:, None] * epochs)) + generator.normal(0, 0.01, (runs, horizon))
    seg[4::5, horizon // 2 :] = np.nan
    rows = [
        (f"{name}{i}", int(epoch), metric.key, float(value))
        for i in range(runs)
        for j, epoch in enumerate(epochs)
        for metric, value in zip(METRICS, (seg[i, j], 1.5 - seg[i, j]), strict=True)
    ]
    configs = pd.DataFrame({"lr": rate}, index=[f"{name}{i}" for i in range(runs)])
    return RunTable.from_points(
        pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), METRICS, configs=configs
    )


def constant(levels: list[float], horizon: int = 10) -> RunTable:
    rows = [
        (f"r{i}", epoch, metric.key, value)
        for i, level in enumerate(levels)
        for epoch in range(1, horizon + 1)
        for metric, value in zip(METRICS, (level, 1.0), strict=True)
    ]
    return RunTable.from_points(pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), METRICS)


class LearningForecaster(DriftForecaster):
    """Takes up finished runs as the shipped model does."""

    min_finished: ClassVar[int] = 4

    def in_context(self, runs: RunTable) -> DriftForecaster:
        return DriftForecaster().fit(runs)


def test_no_policy_trains_everything() -> None:
    result = replay(sweep(10, 0), None)
    assert (result.saved, result.speedup, result.regret, result.stopped) == (0.0, 1.0, 0.0, {})
    assert result.epochs_trained == result.epochs_total == 120
    assert result.best_kept and sorted(result.order) == sorted(sweep(10, 0).run_ids)


def test_a_sure_forecast_stops_every_run_that_is_beaten() -> None:
    table = constant([0.5, 0.6, 0.7, 0.8])
    policy = ForecastPolicy(LastValueForecaster(), StopRule(min_epochs=2, keep=0))
    result = replay(table, policy, baseline=BASELINE, order_seed=3)
    best_so_far = 0.0
    expected = {}
    for run in result.order:
        level = 0.5 + 0.1 * int(run[1])
        if best_so_far and level < best_so_far:
            expected[run] = 2
        best_so_far = max(best_so_far, level)
    assert result.stopped == expected
    assert result.epochs_trained == 40 - 8 * len(expected)
    assert result.saved == pytest.approx(8 * len(expected) / 40)
    assert result.speedup == pytest.approx(40 / (40 - 8 * len(expected)))
    assert result.best_run == "r3" and result.best_kept and result.regret == 0


def test_regret_is_in_points_of_delta_m() -> None:
    class Deceived(LastValueForecaster):
        """Takes the best run for the worst."""

        def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
            forecast = super().predict(table, at)
            forecast.quantiles[forecast.quantiles == 0.8] = 0.1
            return forecast

    table = constant([0.7, 0.75, 0.8])
    policy = ForecastPolicy(Deceived(), StopRule(min_epochs=2, keep=1))
    result = replay(table, policy, baseline=BASELINE, workers=3)
    assert "r2" in result.stopped and not result.best_kept
    # (0.8 - 0.75) / 0.5 is 10 %, over two metrics 5 points.
    assert result.regret == pytest.approx(5)


def test_where_every_run_is_stopped_what_they_had_reached_is_left() -> None:
    history = constant([0.9, 0.9, 0.9])
    table = RunTable.from_points(
        constant([0.5, 0.6]).points.assign(
            run=lambda f: "new-" + f["run"].astype(str),
            value=lambda f: np.where((f["epoch"] == 10) & (f["metric"] == "seg/miou"), 0.7, f["value"]),
        ),
        METRICS,
    )
    policy = ForecastPolicy(LastValueForecaster(), StopRule(keep=0))
    result = replay(table, policy, baseline=BASELINE, history=history)
    assert len(result.stopped) == 2 and not result.best_kept
    # 0.7 at the end against 0.6 when stopped: 20 % of one metric in two.
    assert result.regret == pytest.approx(10)


def test_diverged_runs_are_stopped_when_it_has_lasted() -> None:
    result = replay(sweep(5, 1), MedianRule(n_startup=100), baseline=BASELINE)
    assert result.stopped == {"r4": 11}  # NaN from epoch 7 on
    assert [(v.epoch, v.reason) for v in result.verdicts if v.stop] == [
        (11, "diverged: depth/abs_err is nan at epoch 7 and in all reports since, 5 or more")
    ]
    assert result.epochs_trained == 4 * 12 + 11
    assert result.regret == 0


def test_the_median_rule_stops_what_lies_below_the_median_of_those_before() -> None:
    levels = [0.5, 0.61, 0.73, 0.8, 0.92]
    result = replay(constant(levels), MedianRule(n_startup=2, min_epochs=3), baseline=BASELINE, order_seed=1)
    finished: list[float] = []
    expected = {}
    for run in result.order:
        level = levels[int(run[1])]
        if len(finished) >= 2 and level < np.median(finished):
            expected[run] = 3
        else:
            finished.append(level)
    assert result.stopped == expected


def test_the_same_seed_gives_the_same_replay_and_workers_change_the_order_of_reports() -> None:
    recorded = RecordedSweep(sweep(12, 2), baseline=BASELINE)
    policy = ForecastPolicy(DriftForecaster().fit(sweep(30, 9)))
    assert recorded.replay(policy, order_seed=4) == recorded.replay(policy, order_seed=4)
    lockstep = recorded.replay(None, workers=4, order_seed=4)
    assert lockstep.epochs_trained == lockstep.epochs_total
    assert recorded.replay(policy, order_seed=4).order == lockstep.order


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("rule", [StopRule(), StopRule(delta=0.3, min_epochs=4, keep=1, every=2)])
@pytest.mark.parametrize("learns", [False, True])
def test_the_batched_replay_gives_the_verdicts_of_the_live_monitor(rule: StopRule, workers: int, learns: bool) -> None:
    history, table = sweep(6 if learns else 30, 9, name="h"), sweep(15, 5)
    model = (LearningForecaster() if learns else DriftForecaster()).fit(history)
    batched = replay(
        table, ForecastPolicy(model, rule), baseline=BASELINE, history=history, order_seed=7, workers=workers
    )

    monitor = Monitor(
        model,
        history,
        baseline=BASELINE,
        delta=rule.delta,
        min_epochs=rule.min_epochs,
        keep=rule.keep,
        every=rule.every,
    )
    points = table.points.astype({"run": str, "metric": str})
    values: dict[tuple[str, int], dict[str, float]] = {}
    for run, epoch, metric, value in points[["run", "epoch", "metric", "value"]].itertuples(index=False):
        values.setdefault((run, epoch), {})[metric] = value
    waiting, training = list(batched.order), dict[str, int]()
    while waiting or training:
        while waiting and len(training) < workers:
            training[waiting.pop(0)] = 1
        for run, epoch in list(training.items()):
            if monitor.report(run, epoch, values[run, epoch]).stop or epoch == 12:
                del training[run]
            else:
                training[run] = epoch + 1
    live = [v for v in monitor.log if v.score is not None or v.stop]
    assert [(v.run, v.epoch, v.action, v.reason) for v in batched.verdicts] == [
        (v.run, v.epoch, v.action, v.reason) for v in live
    ]
    assert len(batched.stopped) > 3


def test_without_a_finished_run_there_is_nothing_to_replay() -> None:
    with pytest.raises(NotEnoughDataError, match="none of the 4 runs finished"):
        replay(sweep(4, 0).prefix(3), None)
