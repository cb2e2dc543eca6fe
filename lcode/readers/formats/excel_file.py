"""Tables in Excel files: the first sheet, with a header line. Needs `openpyxl` (extra `excel`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lcode.errors import InputError, MissingExtraError
from lcode.readers.formats.rows import rows_to_table
from lcode.readers.raw import RawTable


class ExcelFormat:
    """Reads wide and long tables from `.xlsx` files."""

    def sniff(self, path: Path) -> bool:
        """Whether the file is of this format."""
        return path.suffix.lower() == ".xlsx" and not path.name.startswith("~$")

    def load(self, path: Path) -> RawTable:
        """The cells of the first sheet.

        Raises:
            InputError: the file is no Excel file, or its sheet is empty.
            MissingExtraError: openpyxl is not installed.
        """
        try:
            from openpyxl import load_workbook
        except ImportError as error:
            raise MissingExtraError(
                f"{path}: Excel files are read with openpyxl; pip install 'lcode[excel]', or save the sheet as CSV"
            ) from error
        try:
            book = load_workbook(path, read_only=True, data_only=True)
            rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
            book.close()
        except Exception as error:  # openpyxl raises whatever the damaged archive or XML makes it
            raise InputError("is no Excel file, or a damaged one; save it again, or as CSV", path=path) from error
        filled = [(line, row) for line, row in enumerate(rows, start=1) if any(cell is not None for cell in row)]
        if len(filled) < 2:
            raise InputError("holds no table in its first sheet; expected a header line and rows", path=path)
        header = [f"Unnamed: {i}" if name is None else str(name).strip() for i, name in enumerate(filled[0][1])]
        cells = [dict(zip(header, map(_plain, row), strict=False)) for _, row in filled[1:]]
        return rows_to_table(path, cells, [line for line, _ in filled[1:]])


def _plain(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, (bool, int, float, str)) else str(cell)
