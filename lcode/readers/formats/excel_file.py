"""Tables in Excel files: a sheet, or one for each run, with a header line. Needs `openpyxl` (extra `excel`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lcode.errors import InputError, MissingExtraError
from lcode.readers.formats.footers import without_footers
from lcode.readers.formats.headers import distinct_names, joined_names
from lcode.readers.formats.rows import rows_to_table
from lcode.readers.formats.several_runs import counted_table, one_table_of_runs
from lcode.readers.raw import RawTable
from lcode.readers.runs.curve_files import runs_by_column
from lcode.readers.runs.summary_rows import without_summary_rows
from lcode.readers.runs.table_of_runs import with_settings_of_runs


class ExcelFormat:
    """Reads wide and long tables from `.xlsx` files."""

    def sniff(self, path: Path) -> bool:
        """Whether the file is of this format."""
        return path.suffix.lower() == ".xlsx" and not path.name.startswith("~$")

    def load(self, path: Path) -> RawTable:
        """The cells of the sheets that hold curves, a run each where there are several; else of the first one.

        Raises:
            InputError: the file is no Excel file, or its first sheet is empty and no other holds curves.
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
            sheets = {
                sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets
            }
            book.close()
        except Exception as error:  # openpyxl raises whatever the damaged archive or XML makes it
            raise InputError("is no Excel file, or a damaged one; save it again, or as CSV", path=path) from error
        raws = {name: raw for name, rows in sheets.items() if (raw := _table(path, rows)) is not None}
        of_file = [] if len(raws) > 1 else [path.name.partition(".")[0]]  # of which each sheet may be a run
        tables = {name: runs_by_column(raw, [name, *of_file]) for name, raw in raws.items()}
        logs = {
            name: log
            for name, raw in tables.items()
            if (log := counted_table(without_footers(raw), curves="history" in path.stem.lower())) is not None
        }
        if len(logs) > 1:
            others = [raw for name, raw in tables.items() if name not in logs]
            (table,), _ = with_settings_of_runs([one_table_of_runs(logs)], others)
            return table
        if logs or tables:
            return next(iter((logs or tables).values()))
        raise InputError("holds no table in its first sheet; expected a header line and rows", path=path)


def _table(path: Path, rows: list[list[Any]]) -> RawTable | None:
    """The cells of a sheet, None where it holds no header and rows below; columns in which nothing stands are left out.

    Raises:
        InputError: names that no table may have.
    """
    filled = [(line, row) for line, row in enumerate(rows, start=1) if any(cell is not None for cell in row)]
    while len(filled) > 2 and _filled(filled[0][1]) == 1 < _filled(filled[1][1]):
        del filled[0]  # a title
    if len(filled) < 2:
        return None
    header = [f"Unnamed: {i}" if name is None else str(name).strip() for i, name in enumerate(filled[0][1])]
    joined = joined_names([["" if cell is None else str(cell) for cell in row] for _, row in filled[:4]])
    if joined is not None:
        header, filled = joined[0], [filled[0], *filled[joined[1] :]]
    if not any(isinstance(cell, str) for cell in filled[0][1]):  # the file says what its numbers are, or nothing does
        filled = [(0, [str(at) for at in range(len(header))]), *filled]
        header = [str(cell) for cell in filled[0][1]]
    header = distinct_names(header)
    used = {at for _, row in filled[1:] for at, cell in enumerate(row) if cell is not None}
    cells = [
        {name: _plain(cell) for at, (name, cell) in enumerate(zip(header, row, strict=False)) if at in used}
        for _, row in filled[1:]
    ]
    return without_summary_rows(rows_to_table(path, cells, [line for line, _ in filled[1:]]))


def _filled(row: list[Any]) -> int:
    return sum(cell is not None for cell in row)


def _plain(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, (bool, int, float, str)) else str(cell)
