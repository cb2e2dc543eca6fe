"""What a user can do wrong, and what must come of it: exit status 2, one message, nothing written."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from lcode.testing import BadInput, bad_inputs

Lcode = Callable[..., Any]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def assert_refused(done: Any, *expected: str) -> None:
    assert done.status == 2, done.err
    assert done.out == ""
    assert done.err.count("error:") == 1 and done.err.startswith("error:")
    assert "Traceback" not in done.err
    for text in expected:
        assert text in done.err


@pytest.mark.parametrize("case", bad_inputs(), ids=lambda case: case.name)
def test_bad_logs(case: BadInput, lcode_command: Lcode, model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    logs = case.write(tmp_path / "in")
    before = files(tmp_path)
    for command in (
        ["predict", "--model", model_folder, "--out", tmp_path / "out.csv"],
        ["fit", "--out", tmp_path / "m"],
    ):
        assert_refused(lcode_command(command[0], logs, *command[1:]), *case.expect)
        assert files(tmp_path) == before


@pytest.mark.parametrize("command", ["predict", "rank", "report"])
def test_outputs_that_cannot_be_written(
    command: str,
    lcode_command: Lcode,
    monkeypatch: pytest.MonkeyPatch,
    running_logs: Path,
    model_folder: Path,
    tmp_path: Path,
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("nothing may be done before the output is known to be writable")

    monkeypatch.setattr("lcode.api.load", never)
    monkeypatch.setattr("lcode.readers.read_logs", never)
    ending = "html" if command == "report" else "csv"
    (tmp_path / f"folder.{ending}").mkdir()
    for name, expected in (
        (f"nowhere/out.{ending}", "does not exist; create it first"),
        ("out.txt", f".{ending}"),
        (f"folder.{ending}", "is a folder"),
    ):
        done = lcode_command(command, running_logs, "--model", model_folder, "--out", tmp_path / name)
        assert_refused(done, expected)
    assert files(tmp_path) == {f"folder.{ending}"}


def test_a_fit_that_may_not_write_does_not_begin(
    lcode_command: Lcode, monkeypatch: pytest.MonkeyPatch, finished_logs: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr("lcode.api.fit", lambda *_, **__: pytest.fail("fitted"))
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("words")
    for name in ("thesis", "thesis/chapter.tex", "thesis/chapter.tex/model"):
        assert_refused(lcode_command("fit", finished_logs, "--out", tmp_path / name), "nothing was written")
    assert files(tmp_path) == {"thesis", "thesis/chapter.tex"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["forecast"], "No such command 'forecast'"),
        (["predict", "LOGS", "--out", "OUT", "--modle", "x"], "No such option: --modle"),
        (["predict", "LOGS", "--full"], "--out OUT.csv"),
        (["fit", "LOGS"], "Missing option '--out'"),
        (["predict", "LOGS", "--out", "OUT", "--horizon", "0"], "--horizon"),
        (["predict", "LOGS", "--out", "OUT", "--horizon", "many"], "--horizon"),
        (["fit", "LOGS", "--out", "OUT", "--from", "nothing"], "--from"),
        (["backtest", "LOGS", "--observe", "1.5"], "--observe"),
        (["backtest", "LOGS", "--seeds", "0"], "--seeds"),
        (["fit"], "Missing argument 'LOGS'"),
        (["rank", "LOGS", "--seed", "-1"], "--seed"),
        (["replay", "LOGS", "--seed", "-1"], "--seed"),
    ],
)
def test_wrong_calls(
    arguments: list[str], expected: str, lcode_command: Lcode, running_logs: Path, tmp_path: Path
) -> None:
    places = {"LOGS": running_logs, "OUT": tmp_path / "out.csv"}
    done = lcode_command(*[places.get(argument, argument) for argument in arguments])
    assert done.status == 2 and done.out == "" and "Traceback" not in done.err
    assert expected in " ".join(done.err.split())
    assert not files(tmp_path)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--objective", "sum"], "no objective 'sum'; there are: delta_m, mean, worst"),
        (["--objective", "weights:normal=1"], "no task or metric 'normal'"),
        (["--objective", "weights:seg=a"], "NAME=NUMBER"),
        (["--objective", "mean", "--baseline", "BASELINE"], "uses no baseline"),
        (["--baseline", "nowhere.csv"], "nowhere.csv"),
        (["--objective", "delta_m:drops"], "there are: per-task, drop, one-reference"),
        (["--final", "best-epoch", "--objective", "mean_rank"], "chosen by an objective that scores it on its own"),
        (["--constraint", "seg/err=0.4"], "write METRIC<=NUMBER"),
        (["--constraint", "seg/rmse<=0.4"], "not measured; there are: seg/err, depth/miou"),
        (["--device", "tpu"], "no device 'tpu'; there are: cpu, cuda"),
        (["--direction", "seg/err=up"], "write task/metric=min or task/metric=max"),
        (["--direction", "seg/loss=min"], "'seg/loss'"),
        (["--direction", "seg/err=max"], "the model was fitted with min"),
        (["--model", "nowhere"], "no model folder"),
        (["--graphs", "nowhere.json"], "nowhere.json"),
    ],
)
def test_wrong_options(
    options: list[str], expected: str, lcode_command: Lcode, running_logs: Path, model_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "baseline.csv").write_text("task,metric,value\nseg,err,0.3\ndepth,miou,0.7\n")
    options = [str(tmp_path / "baseline.csv") if option == "BASELINE" else option for option in options]
    model = [] if "--model" in options else ["--model", model_folder]
    done = lcode_command("rank", running_logs, *model, "--out", tmp_path / "rank.csv", *options)
    assert done.status == 2 and done.out == "" and "Traceback" not in done.err
    assert done.err.count("error:") == 1 and expected in done.err
    assert files(tmp_path) == {"baseline.csv"}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["backtest", "--forecasters", "lcode,oracle"], "no forecaster 'oracle'; there are: lcode"),
        (["backtest", "--target", "seg/iou"], "no metric 'seg/iou'"),
        (["fit", "--out", "OUT", "--target", "seg/iou"], "no metric 'seg/iou'"),
        (["fit", "--out", "OUT", "--device", "tpu"], "no device 'tpu'"),
    ],
)
def test_wrong_names_of_forecasters_targets_and_devices(  # type: ignore[no-untyped-def]
    command, expected: str, lcode_command: Lcode, finished_logs: Path, tmp_path: Path
) -> None:
    options = [str(tmp_path / "model") if option == "OUT" else option for option in command[1:]]
    done = lcode_command(command[0], finished_logs, *options)
    assert done.status == 2 and done.out == "" and done.err.count("error:") == 1 and expected in done.err
    assert not files(tmp_path)


def test_too_few_finished_runs(lcode_command: Lcode, running_logs: Path, tmp_path: Path) -> None:
    done = lcode_command("fit", running_logs, "--out", tmp_path / "model")
    assert done.status == 2 and "1 finished runs" in done.err and "4 are needed" in done.err
    assert not files(tmp_path)


def test_a_damaged_model(lcode_command: Lcode, running_logs: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").write_text("{")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"")
    done = lcode_command("predict", running_logs, "--model", tmp_path / "model", "--out", tmp_path / "out.csv")
    assert_refused(done, "model.json is damaged", "fit the model again")
    assert not (tmp_path / "out.csv").exists()


def test_verbose_shows_the_traceback_of_an_error(lcode_command: Lcode, model_folder: Path, tmp_path: Path) -> None:
    arguments = ["predict", tmp_path / "nowhere.csv", "--model", model_folder, "--out", tmp_path / "out.csv"]
    for place in (0, len(arguments)):
        done = lcode_command(*arguments[:place], "--verbose", *arguments[place:])
        assert done.status == 2 and "Traceback" in done.err and "no such file" in done.err


def test_a_bug_is_called_one(
    lcode_command: Lcode, monkeypatch: pytest.MonkeyPatch, running_logs: Path, model_folder: Path, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("something [red] unforeseen")

    monkeypatch.setattr("lcode.forecasters.lcgode.LCGODEForecaster.predict_in_blocks", broken)
    arguments = ["predict", running_logs, "--model", model_folder, "--out", tmp_path / "out.csv"]
    done = lcode_command(*arguments)
    assert done.status == 1 and "Traceback" not in done.err
    assert "bug: RuntimeError: something [red] unforeseen; run it again with --verbose" in done.err
    assert "Traceback" in lcode_command(*arguments, "--verbose").err
    assert not files(tmp_path)


def test_no_partial_file_when_writing_fails(
    lcode_command: Lcode, monkeypatch: pytest.MonkeyPatch, running_logs: Path, model_folder: Path, tmp_path: Path
) -> None:
    def full_disk(stream: BinaryIO, *_: object, **__: object) -> None:
        stream.write(b"run,task")
        raise OSError("no space left on device")

    (tmp_path / "out.csv").write_text("the old one")
    monkeypatch.setattr("pyarrow.csv.CSVWriter", full_disk)
    done = lcode_command("predict", running_logs, "--model", model_folder, "--out", tmp_path / "out.csv")
    assert done.status != 0 and "no space left" in done.err
    assert files(tmp_path) == {"out.csv"} and (tmp_path / "out.csv").read_text() == "the old one"


def test_ctrl_c(
    lcode_command: Lcode, monkeypatch: pytest.MonkeyPatch, running_logs: Path, model_folder: Path, tmp_path: Path
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lcode.forecasters.lcgode.LCGODEForecaster.predict_in_blocks", interrupt)
    done = lcode_command("predict", running_logs, "--model", model_folder, "--out", tmp_path / "out.csv")
    assert done.status == 130 and "Traceback" not in done.err and not files(tmp_path)


def test_help_lists_the_commands(lcode_command: Lcode) -> None:
    done = lcode_command("--help")
    assert done.status == 0
    for command in ("fit", "predict", "rank", "backtest", "report", "demo"):
        assert command in done.out
        assert lcode_command(command, "--help").status == 0


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("command", ["fit", "predict", "rank", "report"])
def test_a_full_disk_is_told_before_the_work(
    command: str,
    lcode_command: Lcode,
    monkeypatch: pytest.MonkeyPatch,
    running_logs: Path,
    model_folder: Path,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("lcode.api.fit", lambda *_, **__: pytest.fail("fitted"))
    monkeypatch.setattr("lcode.api.load", lambda *_, **__: pytest.fail("loaded"))
    monkeypatch.setattr("tempfile.TemporaryFile", full_disk)
    name = {"fit": "model", "report": "out.html"}.get(command, "out.csv")
    done = lcode_command(command, running_logs, "--out", tmp_path / name)
    assert_refused(done, "No space left on device; nothing was done; free some space")
    assert not files(tmp_path)


@pytest.mark.parametrize("command", ["predict", "rank", "report", "fit"])
def test_a_disk_that_fills_up_leaves_the_old_output(
    command: str,
    lcode_command: Lcode,
    monkeypatch: pytest.MonkeyPatch,
    quick_fits: None,
    running_logs: Path,
    finished_logs: Path,
    model_folder: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / {"fit": "model", "report": "out.html"}.get(command, "out.csv")
    if command == "fit":
        shutil.copytree(model_folder, out)
    else:
        out.write_text("the old one")
    before = {path: path.read_bytes() for path in (out, *out.glob("*")) if path.is_file()}
    monkeypatch.setattr("os.fsync", full_disk)
    logs, model = (finished_logs, []) if command == "fit" else (running_logs, ["--model", model_folder])
    done = lcode_command(command, logs, *model, "--out", out)
    assert done.status == 2 and "Traceback" not in done.err and "bug" not in done.err
    assert done.err.count("error:") == 1 and "No space left on device; nothing was written; free some" in done.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "secrets"), "secrets: Permission denied"),
        (OSError(errno.EMFILE, "Too many open files"), "ulimit"),
        (MemoryError("8 GB"), "not enough memory"),
    ],
)
def test_what_the_system_refuses_anywhere_is_no_bug(
    error: Exception,
    expected: str,
    lcode_command: Lcode,
    monkeypatch: pytest.MonkeyPatch,
    running_logs: Path,
    tmp_path: Path,
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("lcode.api.load", refused)
    assert_refused(lcode_command("predict", running_logs, "--out", tmp_path / "out.csv"), expected)
    assert not files(tmp_path)


def test_names_that_are_too_long(lcode_command: Lcode, running_logs: Path, model_folder: Path, tmp_path: Path) -> None:
    long = "x" * 300
    for arguments in (
        ["predict", running_logs, "--out", tmp_path / f"{long}.csv"],
        ["predict", tmp_path / f"{long}.csv", "--model", model_folder, "--out", tmp_path / "out.csv"],
        ["predict", running_logs, "--model", tmp_path / long, "--out", tmp_path / "out.csv"],
        ["fit", running_logs, "--out", tmp_path / long],
    ):
        assert_refused(lcode_command(*arguments), "File name too long", "choose a shorter name")
    assert not files(tmp_path)
