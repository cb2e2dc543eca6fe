"""A live monitor and a replay of the same reports decide alike, from the first run on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lcode.decisions import RegretBudget, RegretRule, StopRule, Verdict
from lcode.evaluation.replay import ForecastPolicy, RecordedSweep
from lcode.evaluation.replay.in_turn import in_turn
from lcode.forecasters.base import Forecaster
from lcode.hooks import Monitor
from lcode.table import Metric, RunTable

RUNS, EPOCHS = 12, 10
METRICS = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))
BASELINE = {"seg/miou": 0.5, "depth/abs_err": 0.5}


def curves(metrics: Sequence[Metric]) -> RunTable:
    """Noisy runs of different speeds, finished."""
    rng, rows = np.random.default_rng(3), []
    for i in range(RUNS):
        speed, level = rng.uniform(0.1, 0.6), rng.uniform(0.6, 0.9)
        for epoch in range(1, EPOCHS + 1):
            share = level * (1 - np.exp(-speed * epoch))
            for metric in metrics:
                value = share if metric.direction == "max" else 1 - share
                rows.append((f"r{i}", epoch, metric.key, value + 0.01 * rng.standard_normal()))
    return RunTable.from_points(pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), metrics)


class Live:
    """A live monitor that is told of the runs of a recorded sweep, as a training would."""

    def __init__(self, sweep: RecordedSweep, monitor: Monitor) -> None:
        self._sweep, self.monitor = sweep, monitor
        points = sweep.table.points.astype({"run": str, "metric": str})
        self._values = {
            key: dict(zip(of["metric"], of["value"], strict=True)) for key, of in points.groupby(["run", "epoch"])
        }

    def decide(self, run: int, position: int, waiting: Sequence[int], training: Collection[int]) -> Verdict | None:
        verdict = self._report(run, position)
        return verdict if verdict.score is not None else None

    def ended(self, run: int, verdict: Verdict | None) -> None:
        if verdict is None:
            self._report(run, EPOCHS - 1)

    def _report(self, run: int, position: int) -> Verdict:
        name = self._sweep.table.run_ids[run]
        return self.monitor.report(name, position + 1, self._values[name, position + 1])


@pytest.mark.parametrize("workers", [1, 3, 12])
@pytest.mark.parametrize("options", [{}, {"regret": "0.05 spread"}, {"regret": 5.0, "keep": 1}], ids=str)
def test_the_same_reports_lead_to_the_same_decisions(options: dict[str, Any], workers: int, trend: Forecaster) -> None:
    sweep = RecordedSweep(curves(METRICS), baseline=BASELINE)
    order = np.random.default_rng(0).permutation(RUNS).tolist()
    live = Monitor(trend, baseline=BASELINE, horizon=EPOCHS, **options)
    told = in_turn(sweep, order, workers, Live(sweep, live))
    replayed = ForecastPolicy(trend, live.rule).play(sweep, order, workers)
    assert told.reports.tolist() == replayed.reports.tolist() and min(told.reports) < EPOCHS
    for one, other in zip(told.verdicts, replayed.verdicts, strict=True):
        assert (one.run, one.epoch, one.action, one.probability, one.price) == (
            other.run, other.epoch, other.action, other.probability, other.price,
        )  # fmt: skip


@pytest.mark.parametrize("workers", [1, 3, 12])
@pytest.mark.parametrize("rule", [StopRule(), RegretRule(regret=RegretBudget(0.05, "spread"))], ids=["delta", "regret"])
def test_without_references_a_sweep_of_one_metric_is_stopped_as_by_those_of_hindsight(
    rule: StopRule, workers: int, trend: Forecaster
) -> None:
    """The unit of a gain is not known yet, and makes no difference: no run is wasted to find it out."""
    sweep = RecordedSweep(curves(METRICS[:1]))
    order = np.random.default_rng(0).permutation(RUNS).tolist()
    live = Monitor(trend, horizon=EPOCHS, regret=None if type(rule) is StopRule else "0.05 spread")
    told = in_turn(sweep, order, workers, Live(sweep, live))
    assert told.reports.tolist() == ForecastPolicy(trend, rule).play(sweep, order, workers).reports.tolist()
    assert min(told.reports) < EPOCHS
