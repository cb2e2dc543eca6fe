from __future__ import annotations

import pandas as pd
import pytest

from lcode.decisions import Verdict
from lcode.errors import UsageError
from lcode.forecasters.last_value import LastValueForecaster
from lcode.hooks import Monitor
from lcode.table import Metric, RunTable

METRICS = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))
BASELINE = {"seg/miou": 0.5, "depth/abs_err": 1.0}
ENDS = {"h0": (0.6, 0.9), "h1": (0.7, 0.9), "h2": (0.9, 1.3)}


def history() -> RunTable:
    """Three finished runs; the best of them has an error above 1."""
    rows = [
        (run, epoch, metric.key, value)
        for run, ends in ENDS.items()
        for epoch in range(1, 11)
        for metric, value in zip(METRICS, ends, strict=True)
    ]
    return RunTable.from_points(pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), METRICS)


def verdict(seg: float, error: float, *constraints: str) -> Verdict:
    """On a new run that stays where it is, as far as its forecast says."""
    monitor = Monitor(
        LastValueForecaster().fit(history()),
        history=history(),
        objective="weights:seg=1",
        constraints=constraints,
        keep=0,
        min_epochs=1,
    )
    return monitor.report("new", 1, {"seg/miou": seg, "depth/abs_err": error})


def test_an_infeasible_run_is_no_incumbent() -> None:
    assert verdict(0.8, 0.9).stop
    bounded = verdict(0.8, 0.9, "depth/abs_err<=1")
    assert not bounded.stop and "beats h1" in bounded.reason and "P(depth/abs_err ≤ 1) = 1.00" in bounded.reason


def test_a_run_that_will_not_be_feasible_is_stopped_however_good() -> None:
    assert not verdict(0.95, 1.2).stop
    bounded = verdict(0.95, 1.2, "depth/abs_err<=1")
    assert bounded.stop and bounded.probability == 0 and "P(depth/abs_err ≤ 1) = 0.00" in bounded.reason


def test_a_bound_waits_for_its_metric_where_metrics_are_learned() -> None:
    monitor = Monitor(LastValueForecaster().fit(history()), baseline=BASELINE, constraints=["extra/loss<=1"], horizon=5)
    monitor.start("a", horizon=5)
    told = monitor.report("a", 4, {"seg/miou": 0.6, "depth/abs_err": 0.9})
    assert not told.stop and "a bound names extra/loss, which no run has reported so far" in told.reason


def test_what_cannot_be_kept_is_refused_at_once() -> None:
    model = LastValueForecaster().fit(history())
    with pytest.raises(UsageError, match="stop by delta, or choose delta_m"):
        Monitor(model, objective="pareto", regret="0.03 spread")
    with pytest.raises(UsageError, match="chooses the epoch by a score of the run on its own"):
        Monitor(model, objective="mean_rank", final="best-epoch")
    with pytest.raises(UsageError, match="which is not measured; there are: seg/miou, depth/abs_err"):
        Monitor(model, history=history(), constraints=["seg/iou>=1"])
    with pytest.raises(UsageError, match="write METRIC<=NUMBER"):
        Monitor(model, constraints=["seg/iou"])


def test_a_drop_is_judged_by_the_gain() -> None:
    monitor = Monitor(
        LastValueForecaster().fit(history()), history=history(), objective="delta_m:drop", baseline=BASELINE, keep=0
    )
    assert not monitor.report("good", 3, {"seg/miou": 0.99, "depth/abs_err": 0.5}).stop
    assert monitor.report("bad", 3, {"seg/miou": 0.1, "depth/abs_err": 2.0}).stop
    assert "minus the Δm drop %" in monitor.log[-1].reason
