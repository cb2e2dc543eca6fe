"""Reports as trainings really give them: now and then, undefined, started again, from epoch 0."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.decisions import Verdict
from lcode.decisions.rule import LASTING
from lcode.errors import UsageError
from lcode.forecast import Forecast
from lcode.forecasters.base import At
from lcode.forecasters.last_value import LastValueForecaster
from lcode.hooks import Monitor
from lcode.table import Metric, RunTable

METRICS = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))
BASELINE = {"seg/miou": 0.5, "depth/abs_err": 1.0}
NAN, INF = float("nan"), float("inf")


def history(horizon: int = 40, *, first: int = 1, unit: float = 1.0) -> RunTable:
    """Three finished runs at 0.6, 0.7 and 0.8."""
    rows = [
        (f"h{i}", epoch, metric.key, value)
        for i, seg in enumerate((0.6, 0.7, 0.8))
        for epoch in range(first, horizon + 1)
        for metric, value in zip(METRICS, (seg, 1.5 - seg), strict=True)
    ]
    return RunTable.from_points(
        pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]),
        METRICS,
        runs=pd.DataFrame({"horizon": horizon}, index=["h0", "h1", "h2"]),
        epoch_unit=unit,
    )


def monitor(table: RunTable | None = None, **options: Any) -> Monitor:
    table = history() if table is None else table
    return Monitor(LastValueForecaster(), table, **{"baseline": BASELINE, "keep": 0, **options})


def values(seg: float) -> dict[str, float]:
    return {"seg/miou": seg, "depth/abs_err": 1.5 - seg}


def decided(verdict: Verdict) -> bool:
    return verdict.score is not None


@pytest.mark.parametrize(
    ("every", "reported", "expected"),
    [
        (5, [3, 8, 13, 18, 23], [8, 13, 18, 23]),
        (5, [4, 5, 6, 9, 10, 11], [5, 10]),
        (10, [7, 14, 21, 28, 35], [14, 21, 35]),
        (4, [1, 2, 3, 30, 31], [30]),
        (1, [2, 3, 5], [3, 5]),
    ],
)
def test_the_first_report_at_or_after_each_multiple_is_decided_on(
    every: int, reported: list[int], expected: list[int]
) -> None:
    watch = monitor(every=every, min_epochs=3)
    assert [epoch for epoch in reported if decided(watch.report("a", epoch, values(0.9)))] == expected


def test_an_epoch_that_comes_in_two_parts_is_decided_on_when_it_is_whole() -> None:
    watch = monitor(every=5)
    assert not decided(watch.report("a", 8, {"seg/miou": 0.9}))
    assert decided(watch.report("a", 8, {"depth/abs_err": 0.6}))


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_metric_that_is_undefined_for_a_while_stops_nothing(bad: float) -> None:
    watch = monitor()
    watch.report("a", 1, values(0.9))
    for epoch in range(2, 1 + LASTING):
        verdict = watch.report("a", epoch, {"seg/miou": bad, "depth/abs_err": 0.6})
        assert not verdict.stop
    assert decided(watch.report("a", 1 + LASTING, values(0.9)))
    assert not any(verdict.stop for verdict in watch.log)


def test_a_run_whose_metric_stays_undefined_is_stopped_whatever_the_epoch() -> None:
    watch = monitor(min_epochs=30)
    watch.report("a", 1, values(0.9))
    verdicts = [watch.report("a", epoch, {**values(0.9), "seg/miou": NAN}) for epoch in range(2, 2 + LASTING)]
    assert [verdict.stop for verdict in verdicts] == [False] * (LASTING - 1) + [True]
    assert "seg/miou is nan at epoch 2" in verdicts[0].reason
    assert verdicts[-1].reason == "diverged: seg/miou is nan at epoch 2 and in all reports since, 5 or more"
    assert verdicts[-1].epoch == 1 + LASTING
    # A finite value lifts it, though it has lasted.
    assert not watch.report("a", 2 + LASTING, values(0.9)).stop


def test_a_metric_that_is_not_reported_is_no_end_of_its_gap() -> None:
    watch = monitor(min_epochs=30)
    for epoch in range(1, LASTING):
        watch.report("a", 2 * epoch, {"seg/miou": NAN})
        watch.report("a", 2 * epoch + 1, {"depth/abs_err": 0.6})
    assert watch.report("a", 2 * LASTING, {"seg/miou": NAN}).stop


def test_a_report_that_comes_twice_counts_once() -> None:
    watch = monitor(min_epochs=30)
    verdicts = [watch.report("a", 1, {"seg/miou": NAN}) for _ in range(LASTING + 1)]
    assert not any(verdict.stop for verdict in verdicts)


def test_skipped_values_are_as_if_not_measured() -> None:
    skips, plain = monitor(nan="skip", min_epochs=1), monitor(min_epochs=1)
    for epoch in range(1, 12):
        verdict = skips.report("a", epoch, {**values(0.9), **({"seg/miou": NAN} if epoch > 2 else {})})
        other = plain.report("a", epoch, values(0.9) if epoch <= 2 else {"depth/abs_err": 0.6})
        assert verdict == other and not verdict.stop
    assert skips.state_dict() == plain.state_dict()
    with pytest.raises(UsageError, match="nan is 'ignore'; there are: stop, skip"):
        monitor(nan="ignore")


def test_a_run_that_ends_undefined_has_no_final_score() -> None:
    watch = monitor(history(10))
    watch.report("a", 9, values(0.95))
    watch.report("a", 10, {**values(0.95), "seg/miou": NAN})
    assert "h2 (ended at 45)" in watch.report("b", 5, values(0.7)).reason


def test_a_run_started_again_under_its_name_drops_the_attempt_that_was_given_up() -> None:
    again, fresh = monitor(), monitor()
    for epoch in range(1, 13):
        again.report("a", epoch, values(0.3), signals={"seg/train_loss": 1.0})
    for epoch in range(1, 7):
        verdict, expected = (watch.report("a", epoch, values(0.5 + 0.05 * epoch)) for watch in (again, fresh))
        assert verdict == expected
    assert again.state_dict(log=False)["runs"][0]["values"] == fresh.state_dict(log=False)["runs"][0]["values"]
    assert [epoch for epoch, _ in again.state_dict()["runs"][0]["signals"]] == [1]


def test_a_run_that_goes_on_from_a_checkpoint_drops_what_came_after_it() -> None:
    watch = monitor()
    for epoch in range(1, 11):
        watch.report("a", epoch, values(0.5))
    assert watch.report("a", 7, values(0.9)).epoch == 7
    kept = dict(watch.state_dict()["runs"][0]["values"])
    assert list(kept) == [1, 2, 3, 4, 5, 6, 7] and kept[6]["seg/miou"] == 0.5 and kept[7]["seg/miou"] == 0.9


def test_a_finished_run_that_starts_again_is_its_own_rival_no_more() -> None:
    watch = monitor(history(10))
    for epoch in range(1, 11):
        watch.report("a", epoch, values(0.9))
    assert "P(beats a (ended" in watch.report("b", 5, values(0.85)).reason
    for epoch in range(1, 6):
        verdict = watch.report("a", epoch, values(0.82))
    assert "P(beats h2 (ended" in verdict.reason and not verdict.stop


def test_late_and_repeated_reports_drop_nothing() -> None:
    watch = monitor()
    for epoch in (1, 2, 5, 6):
        watch.report("a", epoch, values(0.9))
    watch.report("a", 2, values(0.9))  # once more
    watch.report("a", 3, values(0.1))  # late
    watch.report("a", 2, {})
    assert watch.report("a", 6, values(0.95)).epoch == 6  # a later value of the last epoch overwrites
    assert [epoch for epoch, _ in watch.state_dict()["runs"][0]["values"]] == [1, 2, 3, 5, 6]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from([0.5, 0.9, NAN, INF])), min_size=1, max_size=14))
def test_what_is_kept_of_reports_is_what_a_resume_reads(reports: list[tuple[int, float]]) -> None:
    watch, resumed = monitor(), monitor()
    for epoch, seg in reports[:-1]:
        watch.report("a", epoch, {"seg/miou": seg, "depth/abs_err": 0.7})
    resumed.load_state_dict(json.loads(json.dumps(watch.state_dict(log=False))))
    epoch, seg = reports[-1]
    for one in (watch, resumed):
        one.report("a", epoch, {"seg/miou": seg, "depth/abs_err": 0.7})
    assert json.dumps(watch.log[-1].to_json()) == json.dumps(resumed.log[-1].to_json())  # NaN is no NaN
    assert json.dumps(watch.state_dict(log=False)) == json.dumps(resumed.state_dict(log=False))


def test_epochs_counted_from_zero_end_one_before_the_horizon() -> None:
    watch = monitor(history(20))
    watch.start("a", horizon=20)
    reasons = [watch.report("a", epoch, values(0.9)).reason for epoch in range(20)]
    assert reasons[-1] == "finished: reached its last epoch 19" and not any("finished" in r for r in reasons[:-1])
    assert "P(beats a (ended" in watch.report("b", 5, values(0.5)).reason


def test_epoch_zero_may_be_the_state_before_the_training() -> None:
    watch = monitor(history(20, first=0))
    for horizon in (20, None):
        watch.start(f"a{horizon}", horizon=horizon)
        reasons = [watch.report(f"a{horizon}", epoch, values(0.9)).reason for epoch in range(21)]
        assert reasons[-1] == "finished: reached its last epoch 20" and "finished" not in reasons[19]


def test_a_history_counted_from_zero_tells_the_last_epoch() -> None:
    watch = monitor(history(19, first=0))  # as the reader leaves epochs 0 to 19 of a horizon of 20
    for horizon in (20, None):
        watch.start(f"a{horizon}", horizon=horizon)
        reasons = [watch.report(f"a{horizon}", epoch, values(0.9)).reason for epoch in range(20)]
        assert reasons[-1] == "finished: reached its last epoch 19" and "finished" not in reasons[18]


@pytest.mark.parametrize("every", [3, 5, 7])
def test_from_zero_every_few_epochs_the_last_evaluation_is_the_end(every: int) -> None:
    watch = monitor(history(20))
    watch.start("a", horizon=20)
    verdicts = [watch.report("a", epoch, values(0.9)) for epoch in range(0, 20, every)]
    reasons = [verdict.reason for verdict in verdicts]
    assert reasons[-1] == f"finished: reached its last epoch {max(range(0, 20, every))}"
    assert not any("finished" in reason for reason in reasons[:-1])
    again = monitor(history(20))
    again.load_state_dict(watch.state_dict())
    assert again.state_dict() == watch.state_dict()


def test_a_plan_counts_from_zero_as_the_epochs_do() -> None:
    class Remembers(LastValueForecaster):
        asked: ClassVar[list[RunTable]] = []

        def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
            self.asked.append(table)
            return super().predict(table, at)

    watch = Monitor(Remembers(), history(4), baseline=BASELINE, min_epochs=1)
    for run, first in (("zero", 0), ("one", 1)):
        watch.start(run, horizon=4, schedule=[0.4, 0.3, 0.2, 0.1])
        for epoch in (first, first + 1):
            watch.report(run, epoch, values(0.9))
        table = Remembers.asked[-1]
        assert table.schedules[run].at(range(first, first + 4)).tolist() == [0.4, 0.3, 0.2, 0.1]
        assert table.runs["horizon"].tolist() == [first + 3] == [table.schedules[run].last]


def test_fractions_of_epochs_fit_a_history_that_has_them() -> None:
    watch = monitor(history(20, unit=0.5))
    verdicts = [watch.report("a", epoch, values(0.9)) for epoch in np.arange(0.5, 10.25, 0.5)]
    assert [v.epoch for v in verdicts if decided(v)] == [3, 4, 5, 6, 7, 8, 9]
    assert verdicts[-1].reason == "finished: reached its last epoch 10"
    with pytest.raises(UsageError, match=r"epoch 0.25 does not fit"):
        watch.report("a", 0.25, values(0.9))
    with pytest.raises(UsageError, match=r"whole numbers"):
        monitor().report("a", 2.5, values(0.9))


def test_the_log_is_bounded_and_may_stay_out_of_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lcode.hooks.monitor.LOG_LIMIT", 5)
    watch = monitor()
    verdicts = [watch.report("a", epoch, values(0.9)) for epoch in range(1, 10)]
    assert watch.log == verdicts[-5:]
    assert len(watch.state_dict()["log"]) == 5 and watch.state_dict(log=False)["log"] == []
