"""Tables as they lie in folders, and in the dialects that people write."""

from __future__ import annotations

import bz2
import gzip
import json
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs

WIDE = "epoch,seg/acc,depth/rmse\n1,0.5,1.5\n2,0.6,1.4\n3,0.7,1.3\n"


def write(folder: Path, *names: str, text: str = WIDE) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace(",", "\t") if name.endswith(".tsv") else text)


@pytest.mark.parametrize(
    ("names", "runs"),
    [
        (("a.csv", "b.csv"), ("a", "b")),
        (("a/metrics.csv", "b/metrics.csv"), ("a", "b")),
        (("x/a/version_0/metrics.csv", "x/b/version_0/metrics.csv"), ("a", "b")),
        (("a/0/m.csv", "a/1/m.csv", "b/0/m.csv"), ("a/0", "a/1", "b/0")),
        (("a/m.csv",), ("a",)),
        (("a.csv", "a.tsv", "a#2.csv"), ("a#2", "a", "a#3")),
    ],
)
def test_a_run_is_called_after_what_tells_its_file_apart(tmp_path: Path, names: tuple[str, ...], runs: object) -> None:
    write(tmp_path, *names)
    assert read_logs(tmp_path).run_ids == runs


def test_a_single_file_is_called_by_its_own_name(tmp_path: Path) -> None:
    write(tmp_path, "first_try.csv")
    assert read_logs(tmp_path / "first_try.csv").run_ids == ("first_try",)


def test_tables_that_are_no_logs_are_left_out_with_a_remark(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "b.csv")
    write(tmp_path, "notes.csv", text="name,remark\nx,y\n")
    write(tmp_path, ".hidden/c.csv", "__pycache__/d.csv")
    table = read_logs(tmp_path)
    assert table.run_ids == ("a", "b") and any("not read: notes.csv" in note for note in table.notes)


@pytest.mark.parametrize(
    ("name", "separator", "comma"),
    [("a.csv", ";", ","), ("a.csv", ";", "."), ("a.tsv", "\t", "."), ("a.csv", "\t", ","), ("a.csv", "|", ".")],
)
def test_separators_and_decimal_commas(tmp_path: Path, name: str, separator: str, comma: str) -> None:
    text = WIDE.replace(",", separator).replace(".", comma)
    write(tmp_path, name, text=text)
    table = read_logs(tmp_path / name)
    assert table.points["value"].tolist() == [0.5, 0.6, 0.7, 1.5, 1.4, 1.3]


def test_a_comma_in_a_text_is_no_decimal_comma(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", text="run;epoch;acc;note\na;1;0.5;1,2 and 3\na;2;0.6;4,5\n")
    table = read_logs(tmp_path / "a.csv")
    assert table.points["value"].tolist() == [0.5, 0.6]


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compressed_tables(tmp_path: Path, ending: str, pack: object) -> None:
    path = tmp_path / f"runs.csv{ending}"
    path.write_bytes(pack(WIDE.encode()))  # type: ignore[operator]
    table = read_logs(path)
    assert len(table.points) == 6 and table.run_ids == ("runs",)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InputError, match=r"runs\.csv.*compress it again"):
        read_logs(path)


def test_comments_on_top_do_not_move_the_lines_of_errors(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", text="# exported by x\n\n# twice\n" + WIDE)
    assert len(read_logs(tmp_path / "a.csv").points) == 6
    write(tmp_path, "a.csv", text="# exported by x\nrun,epoch,acc\na,1,0.5\na,2,oops\na,3,0.5\n")
    with pytest.raises(InputError, match="line 4, column 'acc'"):
        read_logs(tmp_path / "a.csv")


@pytest.mark.parametrize("kind", ["list", "columns"])
def test_json_tables(tmp_path: Path, kind: str) -> None:
    rows = [{"epoch": e, "seg/acc": 0.1 * e, "note": "x"} for e in (1, 2, 3)]
    found = rows if kind == "list" else {name: [row[name] for row in rows] for name in rows[0]}
    (tmp_path / "first.json").write_text(json.dumps(found))
    table = read_logs(tmp_path / "first.json")
    assert table.points["epoch"].tolist() == [1, 2, 3] and table.run_ids == ("first",)
    assert table.configs["note"].tolist() == ["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"epoch": 1, "acc": 0.5}, {"epoch": 2', "is not JSON"),
        ('{"epoch": [1, 2], "acc": [0.5]}', "different lengths"),
        ('[{"epoch": 1, "acc": [1]}]', "holds a list"),
        ('[{"epoch": 1, "acc": 1}, 3]', "no list of objects"),
    ],
)
def test_json_that_is_no_table(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=expected):
        read_logs(tmp_path / "a.json")


def test_nested_json_is_keys_joined_by_slashes(tmp_path: Path) -> None:
    rows = [{"epoch": e, "val": {"seg": {"loss": 1 / e}, "depth": {"loss": 2 / e}}} for e in (1, 2)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = read_logs(tmp_path / "a.jsonl")
    assert [metric.key for metric in table.metrics] == ["seg/loss", "depth/loss"]


def test_other_json_is_no_log(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "b.csv")
    (tmp_path / "settings.json").write_text('{"lr": 0.1}')
    (tmp_path / "people.json").write_text('[{"name": "x"}]')
    table = read_logs(tmp_path)
    assert table.run_ids == ("a", "b") and any("people.json" in note for note in table.notes)


def test_excel_tables(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in ([None, "run", "epoch", "seg/acc"], [0, "a", 1, 0.5], [], [1, "a", 2, 0.75]):
        book.active.append(row)
    book.save(tmp_path / "runs.xlsx")
    table = read_logs(tmp_path / "runs.xlsx")
    assert table.points["value"].tolist() == [0.5, 0.75] and table.run_ids == ("a",)
    (tmp_path / "runs.xlsx").write_bytes((tmp_path / "runs.xlsx").read_bytes()[:200])
    with pytest.raises(InputError, match=r"runs\.xlsx: is no Excel file"):
        read_logs(tmp_path / "runs.xlsx")


def test_a_file_per_task_or_per_part_of_the_data(tmp_path: Path) -> None:
    for run in ("a", "b"):
        write(tmp_path / "tasks", f"{run}/seg.csv", text="epoch,loss,miou\n1,0.5,0.1\n2,0.4,0.2\n")
        write(tmp_path / "tasks", f"{run}/depth.csv", text="epoch,loss\n1,1.5\n2,1.4\n")
    table = read_logs(tmp_path / "tasks")
    assert table.run_ids == ("a", "b")
    assert {metric.key for metric in table.metrics} == {"seg/loss", "seg/miou", "depth/loss"}
    assert table.curve("b", "depth/loss").values.tolist() == [1.5, 1.4]
    write(tmp_path / "one", "train.csv", text="epoch,loss\n1,0.5\n2,0.4\n")
    write(tmp_path / "one", "val.csv", text="epoch,loss\n1,0.6\n2,0.5\n")
    table = read_logs(tmp_path / "one")
    assert table.run_ids == ("one",) and [metric.key for metric in table.metrics] == ["loss"]
    assert table.points["value"].tolist() == [0.6, 0.5] and set(table.signals["metric"]) == {"train/loss"}


def test_a_file_per_fold_is_a_run_each(tmp_path: Path) -> None:
    write(tmp_path, "a/fold0.csv", "a/fold1.csv", "b/fold0.csv", "b/fold1.csv")
    assert read_logs(tmp_path).run_ids == ("a/fold0", "a/fold1", "b/fold0", "b/fold1")
