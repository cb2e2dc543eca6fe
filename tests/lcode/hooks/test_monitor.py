from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.curves.arrays import curve_arrays
from lcode.decisions import DeltaM, Verdict
from lcode.errors import UsageError
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster
from lcode.graphs import ArchGraph
from lcode.hooks import Monitor
from lcode.table import Metric, RunTable

METRICS = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))
BASELINE = {"seg/miou": 0.5, "depth/abs_err": 1.0}
HORIZON = 10


class BandForecaster(Forecaster):
    """The last value, give or take `width`; remembers the tables it was asked about."""

    name: ClassVar[str] = "band"

    def __init__(self, width: float = 0.02) -> None:
        self.width = width
        self.asked: list[RunTable] = []

    def fit(self, table: RunTable) -> Self:
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        self.asked.append(table)
        arrays, epochs = curve_arrays(table), query_epochs(table, at)
        band = self.width * (2 * LEVELS - 1)
        return assemble(
            table, arrays, epochs, arrays.last_values[..., None, None] + np.broadcast_to(band, (1, 1, 1, 21))
        )


def history(finals: list[float], *, horizon: int = HORIZON, running: dict[str, list[float]] | None = None) -> RunTable:
    """Finished runs h0, h1, … whose seg/miou stays at `finals` (and depth/abs_err at 1.5 less that)."""
    curves = {f"h{i}": [final] * horizon for i, final in enumerate(finals)} | (running or {})
    rows = [
        (run, epoch, metric.key, value)
        for run, curve in curves.items()
        for epoch, seg in enumerate(curve, start=1)
        for metric, value in zip(METRICS, (seg, 1.5 - seg), strict=True)
    ]
    return RunTable.from_points(
        pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]),
        METRICS,
        runs=pd.DataFrame({"horizon": horizon}, index=list(curves)),
        configs=pd.DataFrame({"lr": np.linspace(0.1, 1, len(curves))}, index=list(curves)),
    )


def values(seg: float) -> dict[str, float]:
    return {"seg/miou": seg, "depth/abs_err": 1.5 - seg}


def monitor(finals: list[float] | None = None, **options: Any) -> Monitor:
    options = {"baseline": BASELINE, "keep": 0, **options}
    return Monitor(BandForecaster(), history([0.6, 0.7, 0.8, 0.75] if finals is None else finals), **options)


def test_a_hopeless_run_is_stopped_with_the_numbers_and_a_good_one_goes_on() -> None:
    watch = monitor(min_epochs=3)
    early = [watch.report("bad", epoch, values(0.5)) for epoch in (1, 2)]
    assert [verdict.action for verdict in early] == ["continue"] * 2
    assert early[0].reason == "no forecast before epoch 3"
    verdict = watch.report("bad", 3, values(0.5))
    assert verdict.stop and verdict.epoch == 3 and verdict.probability == 0
    assert "P(beats h2 (ended at 45)) = 0.000 < 0.2" in verdict.reason
    assert verdict.forecast["seg/miou"] == pytest.approx({"median": 0.5, "q05": 0.482, "q95": 0.518})
    good = [watch.report("good", epoch, values(0.85)) for epoch in (1, 2, 3)][-1]
    assert not good.stop and good.probability == 1
    assert watch.log == [*early, verdict, *watch.log[3:]] and len(watch.log) == 6


def test_every_limits_the_forecasts() -> None:
    watch = monitor(min_epochs=3, every=4)
    for epoch in range(1, 10):
        watch.report("a", epoch, values(0.9))
    assert isinstance(watch.model, BandForecaster)
    assert [int(table.last_epochs.iloc[0]) for table in watch.model.asked] == [4, 8]
    assert all(table.run_ids == ("a",) for table in watch.model.asked)


def test_the_best_runs_of_the_sweep_are_kept_however_good_the_history() -> None:
    watch = monitor(keep=1)
    first = watch.report("a", 5, values(0.5))
    assert not first.stop and "one of the sweep's best 1" in first.reason
    assert watch.report("b", 5, values(0.4)).stop
    assert not watch.report("c", 5, values(0.6)).stop
    assert watch.report("a", 6, values(0.5)).stop


def test_an_unknown_metric_lists_the_right_ones() -> None:
    with pytest.raises(UsageError, match="no metric 'seg/iou'; there are: seg/miou, depth/abs_err"):
        monitor().report("a", 1, {"seg/iou": 0.4})


def test_a_missing_task_is_no_reason_to_stop() -> None:
    watch = monitor(min_epochs=1)
    verdicts = [watch.report("a", epoch, {"seg/miou": 0.4}) for epoch in range(1, HORIZON + 1)]
    assert not any(verdict.stop for verdict in verdicts)
    assert "no forecast of every task" in verdicts[0].reason
    assert "a task still missing" in verdicts[-1].reason


def test_a_dry_run_only_says_what_it_would_do() -> None:
    watch = monitor(dry_run=True)
    verdict = watch.report("a", 5, values(0.5))
    assert verdict.action == "stop" and verdict.dry_run and not verdict.stop


def test_a_run_at_its_horizon_is_finished_and_becomes_the_incumbent() -> None:
    watch = monitor()
    verdict = watch.report("a", HORIZON, values(0.9))
    assert not verdict.stop and "finished" in verdict.reason
    assert "P(beats a (ended at 60))" in watch.report("b", 5, values(0.82)).reason


def test_finish_enters_the_final_score_and_a_failed_run_counts_no_more() -> None:
    watch = monitor()
    watch.report("a", 5, values(0.9))
    watch.finish("a")
    assert "a (ended at 60)" in watch.report("b", 5, values(0.5)).reason
    watch.finish("a", "failed")
    assert "h2 (ended at 45)" in watch.report("b", 5, values(0.5)).reason
    with pytest.raises(UsageError, match="'c' never reported; there are: a, b"):
        watch.finish("c")


def test_without_finished_runs_the_live_ones_are_compared() -> None:
    watch = monitor([])
    with pytest.raises(UsageError, match="horizon=30"):
        watch.report("a", 1, values(0.9))
    for run, seg in (("a", 0.9), ("b", 0.4)):
        watch.start(run, horizon=HORIZON)
        verdict = watch.report(run, 5, values(seg))
    assert verdict.stop and "a (expected at 60)" in verdict.reason
    # A stopped run is nobody's rival; one that goes on all the same is taken up again.
    assert watch.report("b", 6, values(0.95)).stop is False
    assert "b (expected at 67.5)" in watch.report("a", 6, values(0.9)).reason


def test_without_references_runs_are_measured_by_forecasts_until_three_have_finished() -> None:
    watch = monitor([0.6], baseline=None, dry_run=True)
    first = watch.report("a", 5, values(0.1))
    assert first.action == "stop" and "P(beats h0" in first.reason
    assert first.reason.endswith("measured by forecasts until 3 runs have finished")
    assert watch.objective is not None and "median final value of 2 runs" in watch.objective.notes[0]
    for run, seg in (("b", 0.5), ("c", 0.7)):
        watch.report(run, HORIZON, values(seg))
    verdict = watch.report("a", 6, values(0.1))
    assert verdict.action == "stop" and "P(beats c" in verdict.reason and "forecasts" not in verdict.reason
    assert watch.objective is not None and "median final value of 3 runs" in watch.objective.notes[0]


def test_a_reference_waits_for_the_first_report_of_its_metric() -> None:
    watch = Monitor(BandForecaster(), baseline={"seg/miou": 0.5, "depth/abs_err": 1.0}, min_epochs=1, keep=0)
    for run in ("a", "b"):
        watch.start(run, horizon=HORIZON)
    watch.report("a", HORIZON, {"seg/miou": 0.6})
    alone = watch.report("b", 5, {"seg/miou": 0.55})
    assert alone.score == pytest.approx(10, abs=0.5)
    assert alone.reason.endswith("the baseline names depth/abs_err, which no run has reported so far")
    both = watch.report("b", 6, {"seg/miou": 0.55, "depth/abs_err": 0.7})
    assert both.score == pytest.approx((10 + 30) / 2, abs=0.5) and "so far" not in both.reason


def test_with_a_history_a_reference_of_no_metric_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="names 'seg/iou', which is not measured"):
        Monitor(BandForecaster(), history([0.6]), baseline={**BASELINE, "seg/iou": 0.5})


def test_a_metric_whose_median_was_0_counts_as_soon_as_it_can() -> None:
    """The first runs of a sweep, at low learning rates, end with an F1 of 0; the task must not be lost by that."""

    def ended(watch: Monitor, *runs: tuple[str, float, float]) -> None:
        for run, seg, depth in runs:
            watch.start(run, horizon=HORIZON)
            watch.report(run, HORIZON, {"seg/miou": seg, "depth/abs_err": depth})

    watch, resumed = (Monitor(BandForecaster(), keep=0) for _ in range(2))
    ended(watch, ("a", 0.0, 1.0), ("b", 0.0, 0.9), ("c", 0.5, 0.8))
    first = watch.report("d", 5, {"seg/miou": 0.6, "depth/abs_err": 0.95})
    assert first.stop and first.reason.endswith("seg/miou left out: the median of 3 runs is 0")
    resumed.load_state_dict(json.loads(json.dumps(watch.state_dict())))
    for one in (watch, resumed):
        ended(one, ("e", 0.4, 0.95))
        second = one.report("g", 5, {"seg/miou": 0.6, "depth/abs_err": 0.95})
        assert not second.stop and "left out" not in second.reason
        # The medians are 0.2 and 0.925: c ended at 50 (0.3/0.2 + 0.125/0.925) = 81.8, and g is better by its seg/miou.
        assert second.score == pytest.approx(50 * (0.4 / 0.2 - 0.025 / 0.925), abs=1)


def test_what_is_known_of_a_run_reaches_the_forecaster() -> None:
    watch = monitor(min_epochs=1)
    graph = ArchGraph.build(["linear", "relu"], [(0, 1)])
    watch.start("a", config={"lr": np.float64(0.5), "kind": "x"}, horizon=20, graph=graph, schedule=[0.1] * 20)
    watch.report("a", 2, values(0.9), signals={"seg/train_loss": 2.0})
    watch.report("a", 1, {"depth/abs_err": 0.7})
    assert isinstance(watch.model, BandForecaster)
    table = watch.model.asked[-1]
    assert table.configs.to_dict("index") == {"a": {"lr": 0.5, "kind": "x"}}
    assert table.runs[["horizon", "status", "arch"]].to_numpy().tolist() == [[20, "running", "a"]]
    assert table.graphs["a"] is graph
    assert table.schedules["a"].rates.tolist() == [0.1] * 20
    assert table.signals["value"].tolist() == [2.0]
    assert table.curve("a", "depth/abs_err").values.tolist() == pytest.approx([0.7, 0.6])


def test_a_run_of_the_history_is_taken_up_where_it_was() -> None:
    past = history([0.6, 0.7, 0.8], running={"a": [0.5] * 4})
    watch = Monitor(BandForecaster(), past, baseline=BASELINE, keep=0)
    verdict = watch.report("a", 5, {"seg/miou": 0.5})
    assert verdict.stop and verdict.epoch == 5
    assert isinstance(watch.model, BandForecaster)
    table = watch.model.asked[-1]
    assert table.curve("a", "seg/miou").epochs.tolist() == [1, 2, 3, 4, 5]
    assert table.configs.loc["a", "lr"] == 1.0


def test_a_finished_run_of_the_history_that_trains_again_is_not_its_own_rival() -> None:
    watch = monitor([0.5, 0.5, 0.9])
    assert not watch.report("h2", 3, values(0.6)).stop


def test_the_state_survives_a_resume() -> None:
    options: dict[str, Any] = {"baseline": None, "keep": 1}
    first, finals = monitor([0.6, 0.7], **options), [0.6, 0.7]
    graph = ArchGraph.build(["linear", "relu"], [(0, 1)])
    first.start("a", config={"lr": np.float64(0.5)}, graph=graph, schedule=[0.1] * HORIZON)
    first.report("done", HORIZON, values(0.8))
    first.report("a", 4, values(0.9), signals={"seg/train_loss": 1.0})
    first.report("lost", 1, {"seg/miou": float("nan")})
    state = json.loads(json.dumps(first.state_dict()))
    second = monitor(finals, **options)
    second.load_state_dict(state)
    assert json.dumps(second.state_dict()) == json.dumps(first.state_dict())
    for run, epoch, seg in (("b", 3, 0.5), ("a", 5, 0.4), ("c", HORIZON, 0.95), ("a", 6, 0.9)):
        assert second.report(run, epoch, values(seg)) == first.report(run, epoch, values(seg))
    with pytest.raises(UsageError, match="version None"):
        second.load_state_dict({})


@settings(max_examples=15, deadline=None)
@given(
    data=st.data(),
    curve=st.lists(st.floats(0.1, 1.0), min_size=3, max_size=HORIZON),
)
def test_reports_out_of_order_or_twice_leave_the_same_state(data: st.DataObject, curve: list[float]) -> None:
    reports = [(epoch, {key: value}) for epoch, seg in enumerate(curve, start=1) for key, value in values(seg).items()]
    again = data.draw(st.lists(st.sampled_from(reports), max_size=4))
    straight, mixed = monitor(), monitor()
    for epoch, seg in enumerate(curve, start=1):
        in_order = straight.report("a", epoch, values(seg))
    for epoch, part in data.draw(st.permutations([*reports, *again])):
        out_of_order = mixed.report("a", epoch, part)
    assert out_of_order == in_order
    assert {**mixed.state_dict(), "log": []} == {**straight.state_dict(), "log": []}


def test_torch_threads_are_capped_while_forecasting_and_restored() -> None:
    import torch

    seen: list[int] = []

    class Spy(BandForecaster):
        def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
            seen.append(torch.get_num_threads())
            return super().predict(table, at)

    before, random_state = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(2)
    try:
        watch = Monitor(Spy(), history([0.6]), baseline=BASELINE)
        watch.report("a", 5, values(0.5))
        assert seen == [1] and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert torch.equal(torch.get_rng_state(), random_state)


def test_a_call_costs_the_same_whatever_the_size_of_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = monitor(np.linspace(0.3, 0.9, 100).tolist())
    scored: list[int] = []
    plain = DeltaM.score

    def counted(self: DeltaM, values: Any, *rest: Any) -> Any:
        scored.append(values.size)
        return plain(self, values, *rest)

    monkeypatch.setattr(DeltaM, "score", counted)
    watch.report("a", 2, values(0.5))
    watch.finish("a")
    assert scored == [2] and isinstance(watch.model, BandForecaster) and not watch.model.asked


def test_importing_the_hooks_loads_no_torch() -> None:
    code = "import sys, lcode.hooks, lcode.decisions; sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_run_is_compared_by_what_final_says() -> None:
    good_past = [values(seg) for seg in (0.5, 0.9, 0.5)]
    for final, stops in (("horizon", True), ("last:1", True), ("best", False)):
        watch = monitor(final=final)
        verdict = [watch.report("a", epoch, reported) for epoch, reported in enumerate(good_past, start=1)][-1]
        assert verdict.stop is stops
    assert verdict.forecast["seg/miou"] == pytest.approx({"median": 0.9, "q05": 0.9, "q95": 0.9})
    watch.report("a", HORIZON, values(0.5))
    assert "P(beats a (ended at 60))" in watch.report("b", 5, values(0.5)).reason
    with pytest.raises(UsageError, match="no final value 'first'; there are: horizon, best"):
        monitor(final="first")


def test_verdicts_are_what_the_log_holds() -> None:
    watch = monitor()
    verdict = watch.report(run="a", epoch=4, values=values(0.9))
    assert watch.log == [verdict] and isinstance(verdict, Verdict)


class LearningForecaster(BandForecaster):
    """Takes up finished runs: the runs known, and nothing but those, are what it was asked to learn from."""

    min_finished: ClassVar[int] = 4
    learned: ClassVar[list[tuple[str, ...]]] = []

    def in_context(self, runs: RunTable) -> Forecaster:
        assert (runs.runs["status"] == "finished").all()
        self.learned.append(runs.run_ids)
        return BandForecaster(0.5) if len(runs) >= self.min_finished else self


def report_whole(watch: Monitor, run: str, seg: float) -> None:
    for epoch in range(1, HORIZON + 1):
        watch.report(run, epoch, values(seg))


def test_the_model_takes_up_the_runs_that_finish_while_the_sweep_goes_on() -> None:
    LearningForecaster.learned.clear()
    watch = Monitor(LearningForecaster(), history([0.6, 0.7]), baseline=BASELINE, delta=0.0)
    assert watch.report("a", 3, values(0.6)).forecast["seg/miou"]["q05"] == pytest.approx(0.582)
    for run in ("b", "c"):
        report_whole(watch, run, 0.6)
    assert watch.report("a", 4, values(0.6)).forecast["seg/miou"]["q05"] == pytest.approx(0.15)
    assert LearningForecaster.learned[-1] == ("h0", "h1", "b", "c")
    before = len(LearningForecaster.learned)
    watch.report("a", 5, values(0.6))
    assert len(LearningForecaster.learned) == before


def test_a_run_that_is_trained_anew_is_no_longer_learned_from() -> None:
    LearningForecaster.learned.clear()
    watch = Monitor(LearningForecaster(), history([0.6, 0.7, 0.8, 0.75]), baseline=BASELINE, delta=0.0)
    report_whole(watch, "a", 0.6)
    watch.report("b", 3, values(0.6))
    assert LearningForecaster.learned[-1] == ("h0", "h1", "h2", "h3", "a")
    watch.report("a", 2, values(0.5))
    watch.report("b", 4, values(0.6))
    assert LearningForecaster.learned[-1] == ("h0", "h1", "h2", "h3")


def test_after_a_resume_the_model_knows_the_same_runs() -> None:
    def made() -> Monitor:
        return Monitor(LearningForecaster(), history([0.6, 0.7]), baseline=BASELINE, delta=0.0)

    watch = made()
    for run in ("late", "early"):
        watch.start(run)
    for run in ("early", "late", "next"):
        report_whole(watch, run, 0.6)
    resumed = made()
    resumed.load_state_dict(json.loads(json.dumps(watch.state_dict())))
    learned = []
    for one in (watch, resumed):
        LearningForecaster.learned.clear()
        one._sweep._learned._known = None  # as if it had to learn anew
        one.report("a", 3, values(0.6))
        learned.append(LearningForecaster.learned[-1])
    assert learned[0] == learned[1] == ("h0", "h1", "early", "late", "next")


def test_the_horizon_may_be_said_with_the_monitor_or_with_the_report() -> None:
    watch = Monitor(BandForecaster(), horizon=4)
    assert "last epoch 4" in watch.report("a", 4, {"acc": 0.5}).reason
    assert "last epoch 6" in watch.report("b", 6, {"acc": 0.5}, horizon=6).reason
    watch.start("c", horizon=8)
    assert "last epoch" not in watch.report("c", 6, {"acc": 0.5}).reason
    with pytest.raises(UsageError, match=r"^horizon is 0; it is above 0"):
        Monitor(BandForecaster(), horizon=0)
