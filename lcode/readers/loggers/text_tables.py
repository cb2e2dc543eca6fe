"""Tables in text files of any name: a header, perhaps behind a `#`, and rows of numbers between marks or blanks."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from lcode.readers.loggers.lines import Cells, torn_notes
from lcode.readers.raw import as_number

MARKS = (",", ";", "\t", "|", " ")
"""What may stand between cells; the last one stands for any blanks."""


def table_of(path: Path, text: str) -> Cells | None:
    """The cells of a table, or None where the text does not begin with one.

    The header may be marked otherwise than the rows are. Rows with more or fewer cells are left out with a remark.
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if len(lines) < 2:
        return None
    shape = _marks(lines[0][1], lines[1][1])
    if shape is None:
        return None
    of_header, of_rows = shape
    header = _distinct(_cells(lines[0][1], of_header))
    rows, at, torn = [], [], []
    for number, line in lines[1:]:
        cells = _cells(line, of_rows)
        if len(cells) == len(header):
            if cells != header:  # it comes again where a resumed training appends
                rows.append(cells)
                at.append(number)
        elif not line.lstrip().startswith("#"):
            torn.append(number)
    if not rows or len(torn) > len(rows):
        return None
    return Cells(header, rows, at, tuple(torn_notes(path, torn, text.count("\n") + 1)))


def _marks(header: str, row: str) -> tuple[str, str] | None:
    """What the cells of the header and those of the rows stand between."""
    found = []
    for of_header in MARKS:
        names = _cells(header, of_header)
        if len(names) < 2 or any(as_number(name) is not None or not name for name in names):
            continue
        for of_rows in MARKS:
            cells = _cells(row, of_rows)
            numbers = sum(as_number(cell) is not None for cell in cells)
            if len(cells) == len(names) and 2 * numbers >= len(cells):
                found.append((len(names), of_header == of_rows, of_header, of_rows))
    return max(found, key=lambda one: one[:2])[2:] if found else None


def _cells(line: str, mark: str) -> list[str]:
    line = line.strip().removeprefix("#").strip() if mark == " " else line.lstrip().removeprefix("#").rstrip("\r\n")
    if mark == " ":
        return line.split()
    try:
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=mark), [])]
    except csv.Error:
        return []
    return cells[:-1] if cells and not cells[-1] else cells  # a mark at the end of every line


def _distinct(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name}.{seen[name] - 1}")
    return [re.sub(r"\s+", " ", name) for name in distinct]
