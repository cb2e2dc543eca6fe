"""What a monitor compares runs by: the objectives and final values of `lcode.rank`, with its numbers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import lcode
from lcode.errors import UsageError
from lcode.forecasters.base import Forecaster
from lcode.hooks import Monitor
from lcode.table import Metric, RunTable

METRICS = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))
HORIZON = 12

FINISHED = {"h0": (0.6, 0.5), "h1": (0.7, 0.45), "h2": (0.65, 0.3), "h3": (0.5, 0.55)}
"""Best values of both metrics; the first falls off after epoch 8."""


LIVE = {"live": (0.68, 0.4), "top": (0.9, 0.2)}


def value(run: str, epoch: int, metric: Metric) -> float:
    seg, depth = {**FINISHED, **LIVE}.get(run, (0.6, 0.4))
    if metric.task == "seg":
        return seg * (1 - 0.8**epoch) - 0.02 * max(epoch - 8, 0)
    return depth + (1 - depth) * 0.8**epoch


def table(**live: int) -> RunTable:
    """The finished runs, and live ones that have come so far."""
    ends = dict.fromkeys(FINISHED, HORIZON) | live
    rows = [
        (run, epoch, metric.key, value(run, epoch, metric))
        for run, end in ends.items()
        for epoch in range(1, end + 1)
        for metric in METRICS
    ]
    runs = pd.DataFrame(
        {"horizon": HORIZON, "status": ["finished" if end == HORIZON else "running" for end in ends.values()]},
        index=list(ends),
    )
    return RunTable.from_points(pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), METRICS, runs=runs)


def told(monitor: Monitor, run: str = "live", until: int = 7) -> lcode.Verdict:
    for epoch in range(1, until + 1):
        verdict = monitor.report(run, epoch, {metric.key: value(run, epoch, metric) for metric in METRICS})
    return verdict


@pytest.mark.parametrize("objective", ["delta_m", "mean", "worst"])
def test_the_best_epoch_of_all_metrics_is_that_of_a_ranking(objective: str, trend: Forecaster) -> None:
    monitor = Monitor(trend, table(), objective=objective, final="best-epoch")
    seen = table(live=7)
    ranking = lcode.rank(trend.predict(seen, "full"), objective, table=seen, final="best-epoch")
    scores = dict(zip(ranking.runs, ranking.score.tolist(), strict=True))
    verdict = told(monitor)
    assert verdict.score == pytest.approx(scores["live"])
    best = max(FINISHED, key=lambda run: scores[run])
    assert f"P(beats {best} (ended at {scores[best]:.3g})" in verdict.reason


def test_a_live_run_ends_with_its_best_epoch(trend: Forecaster) -> None:
    baseline = {"seg/miou": 0.5, "depth/abs_err": 0.5}
    monitor = Monitor(trend, table(), baseline=baseline, final="best-epoch", dry_run=True)
    told(monitor, "top", HORIZON)
    whole = table(top=HORIZON)
    ranking = lcode.rank(trend.predict(whole, "full"), table=whole, baseline=baseline, final="best-epoch")
    assert ranking.runs[0] == "top"
    assert f"P(beats top (ended at {ranking.score[0]:.3g})" in told(monitor).reason


@pytest.mark.parametrize("objective", ["mean_rank", "pareto", "hypervolume"])
def test_runs_are_scored_among_each_other_as_in_a_ranking(objective: str, trend: Forecaster) -> None:
    seen = table(live=7)
    ranking = lcode.rank(trend.predict(seen), objective, table=seen)
    sign = 1 if ranking.objective.direction == "max" else -1
    verdict = told(Monitor(trend, table(), objective=objective))
    assert verdict.score == pytest.approx(sign * dict(zip(ranking.runs, ranking.score.tolist(), strict=True))["live"])


def test_a_run_that_cannot_come_to_the_front_is_stopped(trend: Forecaster) -> None:
    monitor = Monitor(trend, table(), objective="pareto", keep=0)
    assert not told(monitor, "top").stop and "P(beats the front of the others) = 1.000" in monitor.log[-1].reason
    for epoch in range(1, 5):
        verdict = monitor.report("poor", epoch, {"seg/miou": 0.1, "depth/abs_err": 0.9})
    assert verdict.stop and verdict.probability == 0


def test_scores_among_runs_survive_a_resume(trend: Forecaster) -> None:
    whole, first, second = (Monitor(trend, table(), objective="mean_rank", keep=0) for _ in range(3))
    for monitor in (whole, first):
        told(monitor, "a", 5)
        told(monitor, "b", 3)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    values = {"seg/miou": 0.3, "depth/abs_err": 0.6}
    assert second.report("b", 4, values) == whole.report("b", 4, values)


def total(values: NDArray[np.float64], metrics: Any) -> Any:
    return values.sum()


def by_run(values: NDArray[np.float64], metrics: Any) -> Any:
    return values[:, 0]


def text(values: NDArray[np.float64], metrics: Any) -> Any:
    return "good"


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (total, r"returned shape \[\] for values of shape"),
        (by_run, "must reduce the last axis"),
        (text, "returned str; it must return an array of scores"),
    ],
)
def test_a_function_of_the_wrong_shape_is_noticed_before_a_run_is_trained(
    function: Any, says: str, trend: Forecaster
) -> None:
    with pytest.raises(UsageError, match=says):
        Monitor(trend, table(), objective=function)
    unknown = Monitor(trend, objective=function, horizon=HORIZON)
    with pytest.raises(UsageError, match=says):
        unknown.report("a", 1, {"seg/miou": 0.5})
