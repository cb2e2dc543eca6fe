"""Cells of types and sizes that loggers do write: all of them are read or refused with a place."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from lcode.errors import InputError
from lcode.readers import read_logs
from lcode.readers.raw import FEW_CELLS
from lcode.table import RunTable

BIG = 2**53


def read(folder: Path, **columns: object) -> RunTable:
    plain = {"run": ["a", "a"], "epoch": [1, 2], "acc": [0.5, 0.6]}
    parquet.write_table(pa.table(plain | columns), folder / "runs.parquet")
    return read_logs(folder / "runs.parquet")


def test_a_status_that_is_never_given(tmp_path: Path) -> None:
    for column in (pa.nulls(2), pa.array([None, None], pa.string())):
        assert read(tmp_path, status=column).runs["status"].tolist() == ["finished"]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([[1.0], [2.0]]), "list"),
        (pa.array([{"x": 1}, {"x": 2}]), "struct"),
        (pa.array([[("x", 1)], []], pa.map_(pa.string(), pa.int8())), "map"),
        (pa.array([b"\xff", b"\xfe"]), "binary"),
    ],
)
@pytest.mark.parametrize("name", ["acc", "run", "config.x", "status"])
def test_cells_that_are_no_values_are_refused(column: pa.Array, kind: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"column '{name}': holds cells of the kind {kind}.*remove the column"):
        read(tmp_path, **{name: column})


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    offsets = pa.array([0, 1, 2], pa.int32()).buffers()[1]
    broken = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"\xff\xfe")])
    with pytest.raises(InputError, match=r"damaged"):
        read(tmp_path, run=broken)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([2**31 - 1] * 2, pa.date32()),
        pa.array([2**52] * 2, pa.timestamp("s")),
        pa.array([-(2**62)] * 2, pa.timestamp("ns")),
        pa.array([datetime.time(23)] * 2),
        pa.array([2**62] * 2, pa.duration("us")),
    ],
)
def test_dates_at_the_edge_are_texts(column: pa.Array, tmp_path: Path) -> None:
    assert len(read(tmp_path, **{"config.when": column}).configs["when"]) == 1


def test_runs_and_settings_of_large_integers_stay_apart(tmp_path: Path) -> None:
    table = read(tmp_path, run=pa.array([BIG, BIG + 1]))
    assert table.run_ids == (str(BIG), str(BIG + 1))
    assert read(tmp_path, acc=pa.array([2**63, 2**64 - 1], pa.uint64())).points["value"].tolist() == [2.0**63, 2.0**64]
    with pytest.raises(InputError, match="must be constant within a run"):
        read(tmp_path, **{"config.x": pa.array([BIG, BIG + 1])})
    rows = [
        {"run": BIG, "epoch": 1, "acc": 1},
        {"run": BIG + 1, "epoch": 1, "acc": 1},
        {"run": 0.5, "epoch": 1, "acc": 1},
    ]
    (tmp_path / "runs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_logs(tmp_path / "runs.jsonl").run_ids == (str(BIG), str(BIG + 1), "0.5")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"run":"\\ud800","epoch":1,"acc":1}', "half a surrogate pair"),
        ('{"run":"a","epoch":1,"\\udfff":1}', "half a surrogate pair"),
        ('{"run":"a","epoch":1,"acc":' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"run":"a","epoch":1,"acc":' + "9" * 5000 + "}", "not JSON"),
        ('{"run":"a","epoch":1' + "0" * 400 + ',"acc":1}', "not an epoch"),
    ],
)
def test_json_that_no_table_can_hold(line: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "runs.jsonl").write_text(f'{{"run":"b","epoch":1,"acc":1}}\n{line}\n')
    with pytest.raises(InputError, match=rf"line 2.*{expected}"):
        read_logs(tmp_path / "runs.jsonl")


def test_a_whole_surrogate_pair_is_a_letter(tmp_path: Path) -> None:
    (tmp_path / "runs.jsonl").write_text('{"run":"\\ud83d\\ude00","epoch":1,"acc":1}\n')
    assert read_logs(tmp_path / "runs.jsonl").run_ids == ("😀",)


def test_cells_of_any_length(tmp_path: Path) -> None:
    long = "x" * 3_000_000  # longer than a block that is parsed at a time, and than the standard library takes
    (tmp_path / "runs.csv").write_text(f"run,epoch,acc,config.code\na,1,0.5,{long}\na,2,0.6,{long}\n")
    assert read_logs(tmp_path / "runs.csv").configs["code"].tolist() == [long]
    (tmp_path / "runs.csv").write_text(f"run,epoch,config.code,acc\na,1,{long},0.5\na,2,{long},high\n")
    with pytest.raises(InputError, match=r"line 3, column 'acc'"):
        read_logs(tmp_path / "runs.csv")


def test_a_new_key_in_every_line_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    lines = 20_000  # 4e8 cells
    rows = ({"run": "a", "epoch": i, f"metric{i}": 1} for i in range(lines))
    (tmp_path / "runs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert lines**2 > 10 * FEW_CELLS
    with pytest.raises(InputError, match=r"20002 different keys in 20000 lines.*or a long table"):
        read_logs(tmp_path / "runs.jsonl")


def test_cells_in_per_cent_and_counts_of_all_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,val_acc\n1/3,50%\n2/3,75.5 %\n3/3,87%\n")
    points = read_logs(path).points
    assert points["epoch"].tolist() == [1, 2, 3] and points["value"].tolist() == [50.0, 75.5, 87.0]


@pytest.mark.parametrize(
    ("separator", "cells", "expected"),
    [
        (";", ["13,8 %", "17 %", "20,25 %"], [13.8, 17, 20.25]),
        (",", ['"2,187.40"', '"1,069.5"', "987.25"], [2187.4, 1069.5, 987.25]),
        (";", ["2.187,396", "1.069,5", "987,25"], [2187.396, 1069.5, 987.25]),
        (";", ["0,512", "0,25", "1"], [0.512, 0.25, 1]),
    ],
    ids=["per cent", "thousands", "thousands and decimal commas", "decimal commas"],
)
def test_numbers_as_a_spreadsheet_shows_them(
    tmp_path: Path, separator: str, cells: list[str], expected: list[float]
) -> None:
    rows = [separator.join((str(at), cell)) for at, cell in enumerate(cells, start=1)]
    (tmp_path / "log.csv").write_text("\n".join([separator.join(("epoch", "val_loss")), *rows]) + "\n")
    assert read_logs(tmp_path / "log.csv").curve("log", "val_loss").values.tolist() == expected


def test_counts_in_thousands_and_per_cent_with_gaps(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(
        'Run,Step,mIoU\na,500,16.9%\na,"1,000",-\na,"1,500",27.8%\nb,500,17%\nb,"1,000",n/a\nb,"1,500",29%\n'
    )
    table = read_logs(log)
    assert table.points["epoch"].tolist() == [500, 1500] * 2
    assert table.points["value"].tolist() == [16.9, 27.8, 17, 29]


def test_a_comma_before_the_decimals_of_a_counter_is_none_between_thousands(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("epoch;val_loss\n1,500;0,3\n2,000;0,2\n2,500;0,1\n")
    table = read_logs(tmp_path / "log.csv")
    assert (table.points["epoch"] * table.epoch_unit).tolist() == [1.5, 2, 2.5]


def test_among_decimal_commas_the_cell_that_is_no_number_is_named(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("run;epoch;val_loss\na;1;0,5\na;2;nan\na;3;0,25\na;4;0,2\n")
    assert read_logs(log).curve("a", "val_loss").values.tolist() == [0.5, 0.25, 0.2]
    log.write_text("run;epoch;val_loss\na;1;0,5\na;2;abc\na;3;0,25\na;4;0,2\n")
    with pytest.raises(InputError, match="line 3, column 'val_loss': 'abc' is not a number"):
        read_logs(log)


def test_a_cell_that_is_too_long_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('epoch,val_acc\n1,"' + "x" * 140_000 + '"\n2,0.5\n')
    with pytest.raises(InputError, match=r"a\.csv"):
        read_logs(path)
    path.write_text('"' + "x" * 140_000 + '",val_acc\n1,0.5\n2,0.6\n')
    with pytest.raises(InputError, match=r"a\.csv"):
        read_logs(path)
