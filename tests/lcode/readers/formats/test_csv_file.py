"""Tables of text in the dialects that people write."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs

WIDE = "epoch,seg/acc,depth/rmse\n1,0.5,1.5\n2,0.6,1.4\n3,0.7,1.3\n"


@pytest.mark.parametrize(
    ("name", "separator", "comma"),
    [("a.csv", ";", ","), ("a.csv", ";", "."), ("a.tsv", "\t", "."), ("a.csv", "\t", ","), ("a.csv", "|", ".")],
)
def test_separators_and_decimal_commas(tmp_path: Path, name: str, separator: str, comma: str) -> None:
    text = WIDE.replace(",", separator).replace(".", comma)
    (tmp_path / name).write_text(text)
    table = read_logs(tmp_path / name)
    assert table.points["value"].tolist() == [0.5, 0.6, 0.7, 1.5, 1.4, 1.3]


def test_a_comma_in_a_text_is_no_decimal_comma(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("run;epoch;acc;note\na;1;0.5;1,2 and 3\na;2;0.6;4,5\n")
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
    (tmp_path / "a.csv").write_text("# exported by x\n\n# twice\n" + WIDE)
    assert len(read_logs(tmp_path / "a.csv").points) == 6
    (tmp_path / "a.csv").write_text("# exported by x\nrun,epoch,acc\na,1,0.5\na,2,oops\na,3,0.5\n")
    with pytest.raises(InputError, match="line 4, column 'acc'"):
        read_logs(tmp_path / "a.csv")


def test_a_header_that_comes_again_begins_a_resume(tmp_path: Path) -> None:
    header = "epoch,val_loss\n"
    (tmp_path / "progress.csv").write_text(f"{header}0,4.0\n1,3.0\n2,2.0\n{header}1,2.5\n2,1.5\n")
    table = read_logs(tmp_path / "progress.csv")
    assert table.points["value"].tolist() == [4.0, 2.5, 1.5]
    assert any("the header comes again on line 5" in note for note in table.notes)


def test_a_second_table_in_a_file_is_left_out(tmp_path: Path) -> None:
    rows = "".join(f"{e},{4 - e}.5,0.{e + 1}\n[0.5 0.25],[1. 2.]\n" for e in range(3))
    (tmp_path / "progress.csv").write_text(f"epoch,val_loss,val_acc\n{rows}".replace("[0.5", "mean,min\n[0.5", 1))
    table = read_logs(tmp_path / "progress.csv")
    assert sorted(table.points["value"]) == [0.1, 0.2, 0.3, 2.5, 3.5, 4.5]
    assert any("a second table in the file (mean, min, from line 3)" in note for note in table.notes)


def test_what_is_no_table_is_refused_with_what_to_do(tmp_path: Path) -> None:
    printed = tmp_path / "log.csv"
    printed.write_text('File "a.py", line 2, in f\n  g(x)\n  h(x)\n  k(x)\n  raise ValueError\n')
    with pytest.raises(InputError, match=r"is no table: most of its lines .* rename it to \.log"):
        read_logs(printed)
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("15,0.5,0.25\n15,0.4,0.3\n")
    with pytest.raises(InputError, match="first line holds numbers"):
        read_logs(numbers)


@pytest.mark.parametrize(
    "head",
    [
        ",train,train,val,val\n,loss,acc,loss,acc\nepoch,,,,\n",  # pandas, with the name of the index
        "epoch,train,train,val,val\n,loss,acc,loss,acc\n",
        "epoch,train,,val,\n,loss,acc,loss,acc\n",  # cells that were merged
    ],
)
def test_a_header_of_several_lines(tmp_path: Path, head: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(head + "1,3,0.1,4,0.2\n2,2,0.3,3,0.4\n")
    table = read_logs(path)
    assert [metric.key for metric in table.metrics] == ["loss", "acc"]
    assert table.points["value"].tolist() == [4, 3, 0.2, 0.4]
    path.write_text(path.read_text() + "x,1,1,1,1\n")
    with pytest.raises(InputError, match=f"line {head.count(chr(10)) + 3}"):
        read_logs(path)


def test_columns_of_one_name_are_numbered_and_those_of_the_same_cells_are_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("epoch,loss,epoch,loss\n1,3,1,4\n2,2,2,3\n")
    table = read_logs(path)
    assert [metric.key for metric in table.metrics] == ["loss", "loss.1"]
    assert any("'loss' is read as 'loss.1'" in note for note in table.notes)
    path.write_text("run,epoch,loss,loss\na,1,3,4\n")
    with pytest.raises(InputError, match="two columns of this name"):
        read_logs(path)


def test_a_name_that_comes_a_thousand_times_takes_no_time(tmp_path: Path) -> None:
    cells = [["epoch", *["loss"] * 1000], *([str(epoch)] + [f"0.{at}" for at in range(1000)] for epoch in (1, 2))]
    (tmp_path / "a.csv").write_text("\n".join(map(",".join, cells)) + "\n")
    metrics = read_logs(tmp_path / "a.csv").metrics
    assert [metric.key for metric in metrics][:3] == ["loss", "loss.1", "loss.2"]


@pytest.mark.parametrize("between", [", ", " ", "\n "])
def test_a_row_for_each_training_with_its_curves_as_lists(tmp_path: Path, between: str) -> None:
    lists = [between.join(f"{start - at}.5" for at in range(3)) for start in (7, 8)]
    rows = "".join(f'"wd: {at}",0.{at + 1},"[{own}]","[{own}]",0.9\n' for at, own in enumerate(lists))
    (tmp_path / "a.csv").write_text(",width,train_loss,val_loss,test_acc\n" + rows)
    table = read_logs(tmp_path / "a.csv")
    assert table.run_ids == ("wd: 0", "wd: 1") and [metric.key for metric in table.metrics] == ["val_loss"]
    assert table.curve("wd: 1", "val_loss").epochs.tolist() == [1, 2, 3]
    assert table.curve("wd: 1", "val_loss").values.tolist() == [8.5, 7.5, 6.5]
    assert table.configs["width"].tolist() == [0.1, 0.2]


def test_a_merge_that_git_left_open_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss\n1,0.5\n<<<<<<< HEAD\n2,0.4\n=======\n2,0.3\n>>>>>>> main\n")
    with pytest.raises(InputError, match=r"log\.csv, line 3: .*git.*keep one side"):
        read_logs(path)


@pytest.mark.parametrize("title", ["Results of our sweep\n", "Results of our sweep,,\n,,\n", "\n\nResults\n\n"])
def test_a_title_above_the_header_is_passed_over(tmp_path: Path, title: str) -> None:
    (tmp_path / "a.csv").write_text(f"{title}epoch,seg/miou,depth/rmse\n1,0.1,2\n2,0.2,x\n")
    with pytest.raises(InputError, match="'x' is not a number") as caught:
        read_logs(tmp_path / "a.csv")
    assert caught.value.line == title.count("\n") + 3
    (tmp_path / "a.csv").write_text(f"{title}epoch,seg/miou,depth/rmse\n1,0.1,2\n2,0.2,1\n")
    assert [metric.key for metric in read_logs(tmp_path / "a.csv").metrics] == ["seg/miou", "depth/rmse"]
