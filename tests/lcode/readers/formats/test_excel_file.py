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
