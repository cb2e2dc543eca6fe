"""Sheets of Excel."""

from __future__ import annotations

from pathlib import Path

import pytest

from lcode.errors import InputError
from lcode.readers import read_logs


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
