"""Runs that go on in another file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.errors import InputError
from lcode.readers import read_logs
from lcode.table import Metric, RunTable
from lcode.table.runlog import RunHeader, RunLogWriter

FORMATS = ("csv", "parquet", "jsonl", "run-log")


def write(
    folder: Path,
    name: str,
    epochs: range,
    format_: str = "csv",
    *,
    offset: float = 0.0,
    run: object = "a",
    more: Mapping[str, Any] | None = None,
) -> None:
    """A file with these epochs of a run, of the values offset + epoch / 100."""
    values = [offset + epoch / 100 for epoch in epochs]
    if format_ == "run-log":
        with RunLogWriter(
            folder / "one", RunHeader(str(run), 20, (Metric("main", "err", "min"),), config={"x": 1})
        ) as log:
            for epoch, value in zip(epochs, values, strict=True):
                log.epoch(epoch, {"err": value}, lr=0.1)
        folder.mkdir(exist_ok=True)
        log.path.rename(folder / f"{name}.jsonl")
        (folder / "one").rmdir()
        return
    frame = pd.DataFrame({"run": run, "epoch": epochs, "err": values, "lr": 0.1, "horizon": 20, "config.x": 1})
    frame = frame.assign(**(more or {}))
    folder.mkdir(exist_ok=True)
    if format_ == "csv":
        frame.to_csv(folder / f"{name}.csv", index=False)
    elif format_ == "parquet":
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    else:
        lines = [json.dumps(row) + "\n" for row in frame.to_dict(orient="records")]
        (folder / f"{name}.jsonl").write_text("".join(lines))


def values(table: RunTable, run: str = "a") -> dict[int, float]:
    curve = table.curve(run, "err")
    return dict(zip(curve.epochs.tolist(), curve.values.round(9).tolist(), strict=True))


def expected(*attempts: tuple[range, float]) -> dict[int, float]:
    return {epoch: round(offset + epoch / 100, 9) for epochs, offset in attempts for epoch in epochs}


@pytest.mark.parametrize("format_", FORMATS)
def test_a_run_that_goes_on_in_another_file_is_one_run(format_: str, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    write(logs, "z-first", range(1, 8), format_)
    write(logs, "a-second", range(8, 13), format_)
    write(logs, "other", range(1, 4), format_, run="b")
    table = read_logs(logs)
    assert sorted(table.run_ids) == ["a", "b"] and values(table) == expected((range(1, 13), 0.0))
    assert table.schedules["a"].last == 12 and table.runs["horizon"].tolist() == [20, 20]
    (note,) = (note for note in table.notes if "run 'a' is in several files" in note)
    assert note.index("z-first") < note.index("a-second")


@pytest.mark.parametrize("format_", FORMATS)
def test_epochs_that_both_files_have_are_repeats(format_: str, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    write(logs, "z-first", range(1, 10), format_)
    write(logs, "a-second", range(5, 8), format_, offset=1)
    with pytest.raises(InputError) as caught:
        read_logs(logs)
    for text in ("a-second", "z-first", "1.05", "0.05", "at 3 epochs (5 to 7", "--on-repeat last"):
        assert text in str(caught.value)
    table = read_logs(logs, on_repeat="last")
    assert values(table) == expected((range(1, 5), 0.0), (range(5, 8), 1.0))


@pytest.mark.parametrize("format_", FORMATS)
def test_equal_repeats_are_merged(format_: str, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    write(logs, "one", range(1, 7), format_)
    write(logs, "two", range(5, 10), format_)
    assert values(read_logs(logs)) == expected((range(1, 10), 0.0))


def test_what_the_last_file_says_of_the_status_and_the_horizon_counts(tmp_path: Path) -> None:
    write(tmp_path, "one", range(1, 7), more={"status": "stopped", "horizon": 6})
    write(tmp_path, "two", range(7, 10), more={"status": "finished", "horizon": 9})
    write(tmp_path, "three", range(1, 4), run="c", more={"status": "failed", "horizon": 9})
    table = read_logs(tmp_path)
    assert table.runs["status"].to_dict() == {"a": "finished", "c": "failed"}
    assert table.runs["horizon"].to_dict() == {"a": 9, "c": 9}


def test_a_resumed_run_log_may_be_prolonged(tmp_path: Path) -> None:
    for name, horizon, epochs in (("one", 3, range(1, 4)), ("two", 5, range(4, 6))):
        plan = [0.5 - 0.1 * epoch for epoch in range(horizon)]
        header = RunHeader("a", horizon, (Metric("main", "err", "min"),), schedule=plan)
        with RunLogWriter(tmp_path / name, header) as log:
            for epoch in epochs:
                log.epoch(epoch, {"err": 1 / epoch})
            log.end("stopped" if name == "one" else "finished")
        (tmp_path / "logs").mkdir(exist_ok=True)
        log.path.rename(tmp_path / "logs" / f"{name}.jsonl")
    table = read_logs(tmp_path / "logs")
    assert table.runs["horizon"].tolist() == [5] and table.runs["status"].tolist() == ["finished"]
    assert table.schedules["a"].last == 5 and len(table.points) == 5


@pytest.mark.parametrize("format_", FORMATS)
def test_three_files_and_a_torn_one(format_: str, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    for name, epochs in (("c", range(1, 4)), ("a", range(4, 7)), ("b", range(7, 9))):
        write(logs, name, epochs, format_)
    if format_ in ("csv", "jsonl", "run-log"):
        path = next(logs.glob("b.*"))
        path.write_text(path.read_text() + ("a,9" if format_ == "csv" else '{"run": "a", "ep'))
    assert values(read_logs(logs)) == expected((range(1, 9), 0.0))


def test_text_in_one_file_and_numbers_in_another_are_one_column(tmp_path: Path) -> None:
    write(tmp_path, "one", range(1, 4), "jsonl", run="7", more={"config.opt": 1, "seed": 3})
    write(tmp_path, "two", range(4, 6), "jsonl", run=7, more={"config.opt": "1", "seed": "3"})
    table = read_logs(tmp_path)
    assert values(table, "7") == expected((range(1, 6), 0.0)) and table.runs["seed"].tolist() == [3]


def test_a_real_conflict_names_both_files(tmp_path: Path) -> None:
    write(tmp_path, "one", range(1, 4))
    write(tmp_path, "two", range(4, 6), more={"config.x": 2})
    with pytest.raises(InputError, match=r"two\.csv, line 2, column 'config\.x': run 'a' has '2'.* of .*one\.csv"):
        read_logs(tmp_path)
    write(tmp_path, "two", range(4, 6), more={"acc": 1.0})
    with pytest.raises(InputError, match=r"two\.csv: shares runs such as 'a' with .*one\.csv.*acc only in .*two\.csv"):
        read_logs(tmp_path)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_however_a_run_is_cut_into_files_it_is_the_same(lengths: list[int]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        first = 1
        for i, length in enumerate(lengths):
            write(Path(name), f"part{(7 * i) % 5}", range(first, first + length))
            first += length
        assert values(read_logs(name)) == expected((range(1, first), 0.0))
