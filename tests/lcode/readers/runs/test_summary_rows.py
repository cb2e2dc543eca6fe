"""A mean or a total below the runs of a sheet is none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers.read import read_logs

RUNS = "Run,Epoch,Seg mIoU\n" + "".join(f"{run},{at},{0.1 * at:.1f}\n" for run in ("a", "b") for at in range(1, 6))


@pytest.mark.parametrize(
    ("below", "named"),
    [
        ("Average,,0.31\n", "Average"),
        (",,\nMean:,,0.3\nStd,,0.1\n", "Mean:, Std"),
        ("Total,10,\n", "Total"),
        ("Mean (all runs),3,0.3\nmin,1,0.1\nmax,5,0.5\n", "Mean (all runs), min, max"),
    ],
)
def test_rows_that_sum_up_are_left_out(tmp_path: Path, below: str, named: str) -> None:
    (tmp_path / "log.csv").write_text(RUNS + below)
    table = read_logs(tmp_path / "log.csv")
    assert list(table.runs.index) == ["a", "b"]
    assert table.points["epoch"].max() == 5
    assert any(f"below the runs: {named}." in note for note in table.notes)


@pytest.mark.parametrize("begun", ["mean,1,0.2\n", "mean,1,0.2\nmean,2,0.3\n", "mean,4,0.2\nmean,5,0.3\n"])
def test_a_run_may_be_called_mean(tmp_path: Path, begun: str) -> None:
    (tmp_path / "log.csv").write_text(RUNS + begun)
    assert list(read_logs(tmp_path / "log.csv").runs.index) == ["a", "b", "mean"]


def test_a_candidate_may_be_called_sum(tmp_path: Path) -> None:
    rows = "".join(f"{run},{at},0.{at},0.1\n" for run in ("a", "b") for at in range(1, 6))
    (tmp_path / "log.csv").write_text(f"run,epoch,seg/miou,config.lr\n{rows}sum,,,0.2\n")
    assert list(read_logs(tmp_path / "log.csv", horizon=10).runs.index) == ["a", "b", "sum"]


def test_a_row_without_an_epoch_is_what_is_told(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(RUNS + "c,,0.3\n")
    with pytest.raises(InputError, match=r"'Epoch' would count them, but holds no number in 1 of 11 rows, .* line 12"):
        read_logs(tmp_path / "log.csv")


def test_a_sheet_likewise(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["Run", "Epoch", "mIoU"], *([run, at, at / 10] for run in "ab" for at in (1, 2, 3))):
        book.active.append(row)
    book.active.append(["Mean", None, "=AVERAGE(C2:C7)"])
    book.save(tmp_path / "log.xlsx")
    assert list(read_logs(tmp_path / "log.xlsx").runs.index) == ["a", "b"]
