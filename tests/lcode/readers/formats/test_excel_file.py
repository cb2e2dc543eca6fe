"""Sheets of Excel."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs


def test_a_header_of_two_lines_and_a_name_that_comes_twice(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    heads: tuple[list[list[str | None]], ...] = (
        [["epoch", "train", None, "val", None], [None, "loss", "acc", "loss", "acc"]],
        [["epoch", "val_loss", "val_acc", "val_loss", "val_acc"]],
    )
    for head, expected in zip(
        heads, (["loss", "acc"], ["val_loss", "val_acc", "val_loss.1", "val_acc.1"]), strict=True
    ):
        book = openpyxl.Workbook()
        for row in (*head, [1, 3, 0.1, 4, 0.2], [2, 2, 0.3, 3, 0.4]):
            book.active.append(row)
        book.save(tmp_path / "runs.xlsx")
        assert [metric.key for metric in read_logs(tmp_path / "runs.xlsx").metrics] == expected


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


def test_each_sheet_of_curves_is_a_run(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["notes of mine", "and others"])
    sheets = {
        "adam": [["epoch", "loss", "val_loss"], [1, 3.0, 4.0], [2, 2.0, 3.0], ["Best", 2.0, 3.0], [None, 2.5, 3.5]],
        "sgd": [[None, None], [None, "Loss", "Val_Loss"], [None, 5.0, 6.0], [None, 4.0, 5.0]],  # nothing counts
        "results": [["name", "params"], ["adam", 5], ["sgd", 6]],
    }
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "history.xlsx")
    table = read_logs(tmp_path / "history.xlsx")
    assert list(table.runs.index) == ["adam", "sgd"] and table.points["epoch"].tolist() == [1, 2, 1, 2]
    assert table.points["value"].tolist() == [4.0, 3.0, 6.0, 5.0]
    assert any("left out 2 rows of which 'epoch' says no number" in note for note in table.notes)


def test_a_title_above_the_header_is_passed_over(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["Results of our sweep"], ["epoch", "acc", "loss"], [1, 0.1, 2], [2, 0.2, 1]):
        book.active.append(row)
    book.save(tmp_path / "runs.xlsx")
    assert [metric.key for metric in read_logs(tmp_path / "runs.xlsx").metrics] == ["acc", "loss"]


@pytest.mark.parametrize(("file", "sheet"), [("val_miou.xlsx", "Tabelle1"), ("all.xlsx", "val_miou")])
def test_a_column_per_run_of_what_the_file_or_sheet_is_called_after(tmp_path: Path, file: str, sheet: str) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in (["Epoche", "klein", "groß"], [1, 0.1, 0.2], [2, 0.3, 0.4], [3, 0.5, None]):
        book.active.append(row)
    book.save(tmp_path / file)
    table = read_logs(tmp_path / file)
    assert list(table.run_ids) == ["klein", "groß"]
    assert [metric.key for metric in table.metrics] == ["val_miou"]
    assert table.points["value"].tolist() == [0.1, 0.3, 0.5, 0.2, 0.4]


def test_sheets_of_a_metric_each_with_the_same_runs(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "val_acc"
    for sheet, start in ((book.active, 0.1), (book.create_sheet("val_loss"), 0.9)):
        for row in (["epoch", "small", "big"], [1, start, start + 0.5], [2, start + 0.1, start + 0.75]):
            sheet.append(row)
    book.save(tmp_path / "all.xlsx")
    table = read_logs(tmp_path / "all.xlsx")
    assert list(table.run_ids) == ["small", "big"]
    assert {metric.key for metric in table.metrics} == {"val_acc", "val_loss"}


def test_columns_of_training_and_validation_are_no_runs(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "loss"
    for row in (["epoch", "train", "val"], [1, 0.8, 0.9], [2, 0.6, 0.7], [3, 0.4, 0.6]):
        book.active.append(row)
    book.save(tmp_path / "history.xlsx")
    assert len(read_logs(tmp_path / "history.xlsx").runs) == 1


def test_a_file_of_several_sheets_names_no_metric_of_theirs(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "runA"
    for sheet, start in ((book.active, 1.0), (book.create_sheet("runB"), 1.1)):
        for row in (["epoch", "seg", "depth"], *([e, start / e, start / e + 1] for e in (1, 2, 3, 4))):
            sheet.append(row)
    book.save(tmp_path / "loss.xlsx")
    table = read_logs(tmp_path / "loss.xlsx", directions={"seg": "min", "depth": "min"})
    assert {metric.key for metric in table.metrics} == {"seg", "depth"}
