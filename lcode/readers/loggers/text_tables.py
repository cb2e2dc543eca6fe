"""Tables in text files of any name: a header, perhaps behind a `#`, and rows of numbers between marks or blanks."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from lcode.readers.loggers.lines import Cells, torn_notes
from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import EPOCHS, STEPS

_COUNTED = frozenset((*EPOCHS, *STEPS))

MARKS = (",", ";", "\t", "|", "  ", " ")
"""What may stand between cells; the last two stand for two blanks or more, and for any."""

_RULE = re.compile(r"[-=+| ]{5,}$")
"""A line under a header: `---  ------`."""

_UNMEASURED = frozenset(("no log", "-", "--", "n/a"))
"""What is printed where nothing was measured; the first is that of Transformers' tables."""

_SPACY = {"E": "epoch", "#": "step"}
"""spaCy's names for what it counts, with which its header begins; then come losses of the training, and scores."""

_PREAMBLE = 200
"""Lines before a table that are looked through for its header."""

_COUNTER = re.compile(r"\b(?:epoch|step|iter|iteration|round)s?\b|^E +#", re.IGNORECASE)
"""What the header of a table that begins later names, spaCy's `E  #` among it."""


def table_of(path: Path, text: str) -> Cells | None:
    """The cells of a table, or None where the text holds none.

    The header may be marked otherwise than the rows are, and a rule may stand under it. A table that begins later
    counts: its header names a counter. Rows with more or fewer cells are left out with a remark.
    """
    lines = text.split("\n")
    filled = list(islice((at for at, line in enumerate(lines) if line.strip()), _PREAMBLE))
    for place, at in enumerate(filled[:-1]):
        if place and _COUNTER.search(lines[at]) is None:
            continue
        under = filled[place + 1 :]
        if _RULE.match(lines[under[0]].strip()):
            under = under[1:]
        shape = _marks(lines[at], lines[under[0]]) if under else None
        table = None if shape is None else _table_at(path, lines, at, under[0], shape)
        if table is not None and (place == 0 or any(name.lower() in _COUNTED for name in table.header)):
            return table
    return None


def _table_at(path: Path, lines: Sequence[str], header_at: int, first: int, marks: tuple[str, str]) -> Cells | None:
    """The table with its header in this line and its first row in another one."""
    of_header, of_rows = marks
    header = _cells(lines[header_at], of_header)
    if header[:2] == list(_SPACY):
        header = [_SPACY.get(name) or f"{'train' if name.startswith('LOSS') else 'val'}/{name}" for name in header]
    header = _distinct(header)
    rows, at, torn = [], [], []
    for number, line in enumerate(lines[first:], start=first + 1):
        if not line.strip():
            continue
        cells = _cells(line, of_rows)
        if len(cells) == len(header):
            if cells != header:  # it comes again where a resumed training appends
                rows.append(["" if cell.lower() in _UNMEASURED else cell for cell in cells])
                at.append(number)
        elif not line.lstrip().startswith("#"):
            torn.append(number)
    if not rows or len(torn) > len(rows):
        return None
    return Cells(header, rows, at, tuple(torn_notes(path, torn, len(lines))))


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
    if mark.isspace() and mark != "\t":
        line = line.strip().removeprefix("#").strip()
        return line.split() if mark == " " else re.split(" {2,}", line)
    line = line.lstrip().removeprefix("#").rstrip("\r\n")
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
