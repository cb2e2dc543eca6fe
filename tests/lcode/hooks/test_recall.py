"""What was reported to another process is taken up, and decisions are as if it had been reported here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lcode.decisions import Verdict
from lcode.decisions.ending import Ending
from lcode.errors import UsageError
from lcode.forecasters.last_value import LastValueForecaster
from lcode.hooks import Monitor

HORIZON = 8


def values(seg: float) -> dict[str, float]:
    return {"seg/miou": seg, "depth/abs_err": 1.5 - seg}


def monitor(**options: Any) -> Monitor:
    return Monitor(LastValueForecaster(), **{"keep": 0, **options})


def sweep(watch: Monitor) -> list[Verdict]:
    """Three runs to the end, two live ones."""
    verdicts = []
    for run, seg in (("a", 0.6), ("b", 0.7), ("c", 0.8)):
        watch.start(run, horizon=HORIZON, config={"lr": seg})
        verdicts += [watch.report(run, epoch, values(seg)) for epoch in range(1, HORIZON + 1)]
    for run, seg in (("d", 0.9), ("e", 0.75)):
        watch.start(run, horizon=HORIZON, config={"lr": seg})
        verdicts += [watch.report(run, epoch, values(seg)) for epoch in range(1, 5)]
    return verdicts


def test_a_monitor_that_recalls_decides_as_the_one_that_was_told() -> None:
    told, recalls = monitor(keep=1), monitor(keep=1)
    last = {verdict.run: verdict for verdict in sweep(told)}
    for run, seg, epochs in (("a", 0.6, 8), ("b", 0.7, 8), ("c", 0.8, 8), ("d", 0.9, 4), ("e", 0.75, 4)):
        recalls.start(run, horizon=HORIZON, config={"lr": seg})
        recalls.recall(run, [(epoch, values(seg)) for epoch in range(1, epochs + 1)], verdict=last[run])
        if epochs == HORIZON:
            recalls.finish(run)

    def known(watch: Monitor) -> dict[str, Any]:
        state = watch.state_dict(log=False)
        return {**state, "runs": [{**run, "status": None} for run in state["runs"]]}

    assert known(recalls) == known(told)
    for run, epoch, seg in (("d", 5, 0.7), ("e", 5, 0.95), ("f", 3, 0.5)):
        assert recalls.report(run, epoch, values(seg)) == told.report(run, epoch, values(seg))
    assert len(recalls.log) == 3


def test_what_is_recalled_is_checked_as_a_report_is() -> None:
    with pytest.raises(UsageError, match="seg/miou is 'high'"):
        watch = monitor()
        watch.start("a", horizon=HORIZON)
        watch.recall("a", [(1, {"seg/miou": "high"})])  # type: ignore[dict-item]


def test_a_diverged_run_that_is_recalled_is_nobodys_rival() -> None:
    watch = monitor(baseline={"seg/miou": 0.5, "depth/abs_err": 1.0})
    watch.announce([*values(0.9)])
    ending = Ending.certain(np.array([*values(0.9).values()]), watch.metrics)
    for verdict in (Verdict("a", 1, "stop", "diverged"), Verdict("b", 1, "continue", "", score=60.0, ending=ending)):
        watch.start(verdict.run, horizon=HORIZON)
        watch.recall(verdict.run, [(1, values(0.9))], verdict=verdict)
    assert "P(beats b (expected at 60))" in watch.report("c", 3, values(0.5)).reason


def test_metrics_that_are_announced_come_in_the_order_of_the_announcement() -> None:
    watch = monitor()
    watch.announce(["depth/abs_err", "seg/miou"])
    watch.start("a", horizon=HORIZON)
    watch.report("a", 1, values(np.float64(0.3)))
    assert [metric.key for metric in watch.metrics] == ["depth/abs_err", "seg/miou"]
