"""Several monitors on one folder decide as one monitor would that heard everything."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest

from lcode.curves.arrays import curve_arrays
from lcode.errors import UsageError
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster
from lcode.hooks import Monitor
from lcode.hooks.shared import SharedMonitor, monitor
from lcode.readers import read_logs
from lcode.table import Metric, RunTable
from lcode.table.runlog import RunHeader, RunLogWriter

HORIZON = 10
NAN = float("nan")


class BandForecaster(Forecaster):
    """The last value, give or take 0.02."""

    name: ClassVar[str] = "band"

    def fit(self, table: RunTable) -> Self:
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        arrays, epochs = curve_arrays(table), query_epochs(table, at)
        band = 0.02 * (2 * LEVELS - 1)
        return assemble(
            table, arrays, epochs, arrays.last_values[..., None, None] + np.broadcast_to(band, (1, 1, 1, 21))
        )


def values(seg: float) -> dict[str, float]:
    return {"seg/miou": seg, "depth/abs_err": 1.5 - seg}


@pytest.fixture
def shared(tmp_path: Path) -> Callable[..., SharedMonitor]:
    """Makes a monitor of the folder, as each process has its own; their lines are a second apart."""
    time = itertools.count()

    def make(**options: Any) -> SharedMonitor:
        options = {"horizon": HORIZON, "keep": 0, "clock": lambda: float(next(time)), **options}
        return SharedMonitor(tmp_path / "runs", BandForecaster(), **options)

    return make


Reports = list[tuple[str, int, float]]

SWEEP: Reports = [
    *((run, epoch, seg) for run, seg in (("a", 0.5), ("b", 0.6), ("c", 0.7)) for epoch in range(1, HORIZON + 1)),
    *((run, epoch, seg) for epoch in range(1, 7) for run, seg in (("d", 0.55), ("e", 0.8), ("f", 0.9))),
]


def told(verdict: Any) -> tuple[Any, ...]:
    return verdict.action, verdict.probability, verdict.reason


def test_two_processes_decide_as_one(shared: Callable[..., SharedMonitor]) -> None:
    alone = Monitor(BandForecaster(), horizon=HORIZON, keep=0)
    both = [shared(), shared()]
    stopped = set()
    for run, epoch, seg in SWEEP:
        heard = [
            alone.report(run, epoch, values(seg)),
            both[ord(run) % 2].report(run, epoch, values(seg)),
        ]
        assert told(heard[0]) == told(heard[1])
        stopped |= {run} if heard[0].stop else set()
    assert stopped == {"d"}


@pytest.mark.parametrize("killed_after", [3, 12, 31, 40, 47])
@pytest.mark.parametrize("options", [{"keep": 1}, {"regret": 20.0}], ids=str)
def test_a_process_that_was_killed_goes_on_as_if_it_had_not_been(
    options: dict[str, Any], killed_after: int, shared: Callable[..., SharedMonitor]
) -> None:
    alone, watch = Monitor(BandForecaster(), horizon=HORIZON, **options), shared(**{"keep": None, **options})
    for number, (run, epoch, seg) in enumerate(SWEEP):
        if number == killed_after:
            watch = shared(**{"keep": None, **options})
        assert told(watch.report(run, epoch, values(seg))) == told(alone.report(run, epoch, values(seg)))


def test_the_folder_is_one_of_run_logs(shared: Callable[..., SharedMonitor], tmp_path: Path) -> None:
    watch = shared()
    watch.start("a", config={"lr": 0.1}, schedule=[0.1] * HORIZON)
    for run, epoch, seg in SWEEP:
        watch.report(run, epoch, values(seg), signals={"seg/train_loss": 1 - seg})
    watch.finish("e", "failed")
    table = read_logs(tmp_path / "runs")
    assert table.runs["status"].to_dict() == {
        **dict.fromkeys("abc", "finished"),
        "d": "stopped",
        "e": "failed",
        "f": "running",
    }
    assert table.configs.loc["a", "lr"] == 0.1 and table.schedules["a"].last == HORIZON
    assert table.curve("d", "seg/miou").values.tolist() == [0.55] * 6  # d was trained on all the same
    assert set(table.signals["metric"]) == {"seg/train_loss"}
    assert {metric.direction for metric in table.metrics} == {"min", "max"}


CASES: dict[str, list[tuple[int, dict[str, float]]]] = {
    "started again": [(1, values(0.3)), (2, values(0.4)), (3, values(0.5)), (1, values(0.35)), (2, values(0.45))],
    "started again where it was": [(1, values(0.3)), (2, values(0.4)), (3, values(0.5)), (3, values(0.6))],
    "reported twice": [(1, values(0.3)), (2, values(0.4)), (2, values(0.4)), (1, values(0.3))],
    "a task at a time": [(1, {"seg/miou": 0.3}), (1, {"depth/abs_err": 1.2}), (2, {"seg/miou": 0.4})],
    "late": [(1, {"seg/miou": 0.3}), (2, values(0.4)), (1, {"depth/abs_err": 1.2})],
    "a metric that comes later": [(1, {"seg/miou": 0.3}), (2, {"seg/miou": 0.4}), (3, values(0.5))],
    "undefined for a while": [(1, values(0.3)), (2, {"seg/miou": NAN, "depth/abs_err": 1.1}), (3, values(0.5))],
    "from zero": [(0, values(0.3)), (1, values(0.4)), (0, values(0.35))],
    "after its end": [(9, values(0.5)), (HORIZON, values(0.6)), (4, values(0.2)), (HORIZON, values(0.7))],
}


def test_a_name_that_no_file_can_have_is_refused_before_anything_is_trained(
    shared: Callable[..., SharedMonitor],
) -> None:
    with pytest.raises(UsageError, match="run name 'a/b' cannot be a file name"):
        shared().start("a/b")


@pytest.mark.parametrize("reports", CASES.values(), ids=CASES)
def test_whatever_is_reported_others_see_it_and_the_log_can_be_read(
    reports: list[tuple[int, dict[str, float]]], shared: Callable[..., SharedMonitor], tmp_path: Path
) -> None:
    alone, one, other = Monitor(BandForecaster(), horizon=HORIZON), shared(), shared()
    for epoch, measured in reports:
        alone.report("a", epoch, measured)
        one.report("a", epoch, measured)
    other.start("b")  # looks into the folder
    seen = [watch._sweep.runs["a"].to_json() for watch in (alone, one, other, shared())]
    assert len({json.dumps(run, sort_keys=True) for run in seen}) == 1
    table = read_logs(tmp_path / "runs")
    assert table.run_ids == ("a",)
    known = alone._sweep.runs["a"].values
    finite = [(e, v["seg/miou"]) for e, v in known.items() if np.isfinite(v.get("seg/miou", NAN))]
    if "undefined" not in str(reports):
        curve = table.curve("a", "seg/miou")
        points = list(zip(curve.epochs.tolist(), curve.values.tolist(), strict=True))
        assert [point for point in points if np.isfinite(point[1])] == finite


def test_a_report_that_could_not_be_written_may_be_made_again(
    shared: Callable[..., SharedMonitor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = shared()
    watch.report("a", 1, values(0.3))

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("lcode.table.line_file.os.write", full)
        with pytest.raises(UsageError, match="No space left"):
            watch.report("a", 2, values(0.4))
    watch.report("a", 2, values(0.4))
    assert read_logs(tmp_path / "runs").curve("a", "seg/miou").epochs.tolist() == [1, 2]


def test_logs_of_other_writers_count_and_what_is_none_does_not(
    shared: Callable[..., SharedMonitor], tmp_path: Path
) -> None:
    folder = tmp_path / "runs"
    metrics = (Metric("seg", "miou", "max"), Metric("depth", "abs_err", "min"))
    for run, seg in (("x", 0.7), ("y", 0.8), ("z", 0.9)):
        with RunLogWriter(folder, RunHeader(run, HORIZON, metrics)) as log:
            for epoch in range(1, HORIZON + 1):
                log.epoch(epoch, values(seg))
            log.end("finished")
    (folder / "rows.jsonl").write_text('{"run": "a", "epoch": 1}\n')
    (folder / "torn.jsonl").write_text('{"type": "header", "vers')
    watch = shared()
    verdicts = [watch.report("a", epoch, values(0.5)) for epoch in (1, 2, 3)]
    assert verdicts[-1].stop and "P(beats z (ended at" in verdicts[-1].reason


def test_a_damaged_log_is_left_out_with_a_word(shared: Callable[..., SharedMonitor], tmp_path: Path) -> None:
    first = shared()
    first.report("a", 1, values(0.5))
    with (tmp_path / "runs" / "a.jsonl").open("a") as file:
        file.write("no line\n")
    with pytest.warns(UserWarning, match=r"a\.jsonl, line 3: is not a line of a run log.*left out of the comparison"):
        second = shared()
    assert not second.report("b", 1, values(0.5)).stop
    (tmp_path / "runs" / "c.jsonl").write_text(
        '{"type":"header","version":1,"run":"c","horizon":9,"metrics":[{"task":"seg","name":"miou","direction":"min"}]}\n'
    )
    with pytest.warns(UserWarning, match="seg/miou is said to be best at its min, and here at its max"):
        second.report("b", 2, values(0.5))


def test_what_a_folder_cannot_hold_is_refused(shared: Callable[..., SharedMonitor], tmp_path: Path) -> None:
    watch = shared()
    with pytest.raises(UsageError, match=r"epoch 2.5: in a folder of runs epochs are whole numbers; count steps"):
        watch.report("a", 2.5, values(0.5))
    with pytest.raises(UsageError, match="run name 'a/b' cannot be a file name"):
        watch.report("a/b", 1, values(0.5))
    watch.start("a", config={"lr": 0.1})
    watch.report("a", 1, values(0.5))
    other = shared()
    other.start("a", config={"lr": 0.2})
    with pytest.raises(UsageError, match=r"log of a run with another 'config'.*give this run another name"):
        other.report("a", 2, values(0.5))
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file; name the folder"):
        monitor(tmp_path / "file", BandForecaster())


def test_two_writers_of_one_run_are_told_apart(shared: Callable[..., SharedMonitor]) -> None:
    one = shared()
    one.report("a", 1, values(0.5))
    other = shared()
    other.report("a", 2, values(0.5))
    with pytest.raises(UsageError, match="changed by somebody else"):
        one.report("a", 3, values(0.5))


def test_a_folder_that_is_named_like_a_log_is_none(tmp_path: Path) -> None:
    (tmp_path / "old.jsonl").mkdir()
    with monitor(tmp_path, BandForecaster(), horizon=HORIZON) as watch:
        watch.report("a", 1, {"acc": 0.5})
    with monitor(tmp_path, BandForecaster()) as other:
        assert other.status("a") == "running"


def test_what_is_no_folder_is_refused() -> None:
    with pytest.raises(UsageError, match="folder is 3 \\(int\\); give the folder that the runs share"):
        monitor(3)  # type: ignore[arg-type]


def test_references_that_lie_in_the_folder_are_taken_up(shared: Callable[..., SharedMonitor], tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    baseline = tmp_path / "runs" / "baseline.csv"
    baseline.write_text("task,metric,value\nseg,miou,0.5\ndepth,abs_err,1.0\n")
    told = shared().report("a", 3, values(0.6))
    assert told.score == pytest.approx(100 * (0.2 + 0.1) / 2, abs=0.5)
    named = shared(baseline={"seg/miou": 0.6, "depth/abs_err": 0.9}).report("b", 3, values(0.6))
    assert named.score == pytest.approx(0, abs=0.5)
    assert shared(objective="mean").objective is None  # which takes none


def test_references_that_do_not_fit_are_said_to_be_left_alone(
    shared: Callable[..., SharedMonitor], tmp_path: Path
) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "baseline.csv").write_text("task,metric,value\nseg,miou,0.5\n")
    watch = shared()
    with pytest.warns(UserWarning, match="not taken up: .*no row for the metric 'depth/abs_err'"):
        watch.report("a", 3, values(0.6))
    assert watch.objective is None
