"""Tables in text files of any name: a header, perhaps behind a `#`, and rows of numbers between marks or blanks."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from lcode.readers.logged.lines import Cells, torn_notes
from lcode.readers.printed.lines.progress_bars import states_of
from lcode.readers.printed.tables.repeated_tables import take_turns
from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import EPOCHS, STEPS
from lcode.table.metric_names import known_metric
from lcode.table.other_languages import name_in_english

_COUNTED = frozenset((*EPOCHS, *STEPS))

MARKS = (",", ";", "\t", "|", "  ", " ")
"""What may stand between cells; the last two stand for two blanks or more, and for any."""

_LOGGED = re.compile(r"(?:INFO|DEBUG):\w*:")
"""What Python's logging begins a line with, where nobody has told it otherwise."""

_STAMP = re.compile(r"\d{4}[-/]\d\d[-/]\d\d|\d\d:\d\d:\d\d|\[?(?:INFO|DEBUG)\b")
"""A date, a time or a level: what a logger puts before a line is no name of a column."""

_RULE = re.compile(r"[-=+|: ]{5,}$")
"""A line under a header: `---  ------`, or Markdown's `|---|:---:|`."""

FEWEST = 3
"""Numbers below its name that make a column a curve."""

_OF_DATA = re.compile(r"^(.*?) *\((train|val|valid|validation|test)(?:ing)?(?: set)?\)$", re.IGNORECASE)
"""A name that says behind it on which data was measured: `accuracy (test set)`."""

_UNMEASURED = frozenset(("no log", "-", "--", "n/a"))
"""What is printed where nothing was measured; the first is that of Transformers' tables."""

_SPACY = {"E": "epoch", "#": "step"}
"""spaCy's names for what it counts, with which its header begins; then come losses of the training, and scores."""

_OF_F1 = {"F": "F1", "P": "precision", "R": "recall"}
"""How spaCy's names of scores end."""

_PREAMBLE = 200
"""Lines before a table that are looked through for its header."""

_COUNTER = re.compile(r"\b(?:epoch|step|iter|iteration|round)s?\b|^E +#|^,(?=.*loss)", re.IGNORECASE)
"""What the header of a table that begins later names, spaCy's `E  #` and the index of a data frame among it."""

_INDEX = "index"
"""The name of a first column that has none."""


def tables_in(path: Path, text: str) -> list[Cells]:
    """The tables of a text, one after another where another header follows; empty where it holds none.

    So it is where several are printed by turns in each epoch. A header may be marked otherwise than its rows are, and a
    rule may stand under it. A table that begins later counts: its header names a counter. Rows with more or fewer cells
    are left out with a remark.
    """
    lines = [states_of(line)[-1] for line in text.split("\n")]
    if _LOGGED.match(text):
        lines = [_LOGGED.sub("", line) for line in lines]
    column = _column(lines)
    if column is not None:
        return [column]
    filled = list(islice((at for at, line in enumerate(lines) if line.strip()), _PREAMBLE))
    for place, at in enumerate(filled[:-1]):
        if place and _COUNTER.search(lines[at]) is None:
            continue
        table, end = _table_at(path, lines, at)
        if table is not None and (place == 0 or _counts(table.header)):
            tables = [table, *_later_tables(path, lines, end)]
            return [] if take_turns(tables) else tables
    return []


def _later_tables(path: Path, lines: Sequence[str], start: int) -> Iterator[Cells]:
    """The tables from a line on, with the headers of which others have ended."""
    while start < len(lines):
        table, end = _table_at(path, lines, start)
        if table is not None and _counts(table.header):
            yield table
        start = max(end, start + 1)


def _counts(header: Sequence[str]) -> bool:
    return header[0] == _INDEX or any(name_in_english(name).strip().lower() in _COUNTED for name in header)


def _column(lines: Sequence[str]) -> Cells | None:
    """A table of one column, as Torch's logger writes it: `% mean class accuracy (test set)`, and a number per line."""
    filled = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    if len(filled) <= FEWEST or known_metric(filled[0][1]) is None:
        return None
    rows = filled[1:]
    if any(as_number(cell) is None for _, cell in rows):
        return None
    name = _OF_DATA.sub(r"\2/\1", filled[0][1].strip("%# "))
    return Cells([name], [[cell] for _, cell in rows], [number for number, _ in rows])


def _table_at(path: Path, lines: Sequence[str], at: int) -> tuple[Cells | None, int]:
    """The table with its header in this line, if that is one, and the place of the line that follows it."""
    filled = (place for place in range(at + 1, len(lines)) if lines[place].strip())
    under = list(islice((place for place in filled if not lines[place].lstrip().startswith("#")), 2))
    if under and _RULE.match(lines[under[0]].strip()):
        under = under[1:]
    marks = _marks(lines[at], lines[under[0]]) if under else None
    if marks is None:
        return None, at + 1
    of_header, of_rows = marks
    header = _cells(lines[at], of_header)
    if header[:2] == list(_SPACY):
        header = _of_spacy(header)
    header = _distinct([header[0] or _INDEX, *header[1:]])
    rows, numbers, torn = [], [], []
    end = len(lines)
    for number, line in enumerate(lines[under[0] :], start=under[0] + 1):
        if not line.strip() or (number > under[0] + 1 and _cells(line, of_header) == header):
            continue  # it comes again where a resumed training appends
        cells = _cells(line, of_rows)
        if len(cells) == len(header) and not (number > under[0] + 1 and _is_other_header(line, header, of_header)):
            rows.append(["" if cell.lower() in _UNMEASURED else cell for cell in cells])
            numbers.append(number)
        elif _is_other_header(line, header, of_header):
            end = number - 1
            break
        elif not line.lstrip().startswith("#"):
            torn.append(number)
    within = [number for number in torn if rows and number < numbers[-1]]
    if len(rows) >= FEWEST and len(torn) - len(within) > 1:  # other lines follow
        torn = within
    if not rows or len(torn) > len(rows):
        return None, at + 1
    return Cells(header, rows, numbers, tuple(torn_notes(path, torn, len(lines)))), end


def _of_spacy(header: Sequence[str]) -> list[str]:
    """The names as they are understood: `ENTS_F` beside `ENTS_P` and `ENTS_R` is an F1 score."""
    names = []
    for name in header:
        what, _, sign = name.rpartition("_")
        if what and sign in _OF_F1 and all(f"{what}_{other}" in header for other in _OF_F1):
            name = f"{what}_{_OF_F1[sign]}"
        names.append(_SPACY.get(name) or f"{'train' if name.startswith('LOSS') else 'val'}/{name}")
    return names


def _is_other_header(line: str, header: Sequence[str], mark: str) -> bool:
    """Whether a line is the header of another table of the same kind: names, some of which this table has as well."""
    if line.lstrip()[:1].isdigit():  # as nearly all rows do
        return False
    names = _cells(line, mark)
    return (
        len(names) > 1
        and names != header
        and any(name in header for name in names)
        and not any(as_number(name) is not None or not name for name in names)
    )


def _marks(header: str, row: str) -> tuple[str, str] | None:
    """What the cells of the header and those of the rows stand between."""
    found = []
    for of_header in MARKS:
        names = _cells(header, of_header)
        if names[:1] == [""] and len(names) > 2:
            names[0] = _INDEX
        if len(names) < 2 or any(as_number(name) is not None or not name or _STAMP.match(name) for name in names):
            continue
        if any(name.endswith((",", ";")) for name in names):  # marked by these, and only aligned by blanks
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
    if mark == "|":
        line = line.strip().removeprefix("|")  # Markdown begins each line with one
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
