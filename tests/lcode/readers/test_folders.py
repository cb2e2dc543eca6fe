"""Tables as they lie in folders, and in the dialects that people write."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs

WIDE = "epoch,seg/acc,depth/rmse\n1,0.5,1.5\n2,0.6,1.4\n3,0.7,1.3\n"


def write(folder: Path, *names: str, text: str = WIDE) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("names", "runs"),
    [
        (("a.csv", "b.csv"), ("a", "b")),
        (("a/metrics.csv", "b/metrics.csv"), ("a", "b")),
        (("x/a/version_0/metrics.csv", "x/b/version_0/metrics.csv"), ("a", "b")),
        (("a/0/m.csv", "a/1/m.csv", "b/0/m.csv"), ("a/0", "a/1", "b/0")),
        (("a/m.csv",), ("a",)),
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
