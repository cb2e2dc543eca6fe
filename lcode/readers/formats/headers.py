"""Names of columns: from a header of two lines to one, and names that come twice, as data frames write both."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import count, takewhile

from lcode.readers.raw import as_number

_UNNAMED = re.compile(r"Unnamed: \d+(_level_\d+)?")
"""What pandas calls a place of a header in which nothing stands."""

_BEGINNING = 1 << 16
"""Bytes in which a header is looked for."""

_HEAD, _MOST_TITLES = 9, 4
"""Lines in which a table begins, and lines of titles above it, at most."""

_LINES = 3
"""Lines that a header takes at most: two of names, and one with the name of the index."""


def joined_names(rows: Sequence[Sequence[str]]) -> tuple[list[str], int] | None:
    """The names of columns whose header takes several lines, and how many it takes; None where it takes one.

    Above `loss,acc,loss,acc` stands `train,train,val,val`, or each word once above the first of its columns: the names
    are `train/loss` and so on. pandas puts a line with the name of the index, and nothing else, below.

    Args:
        rows: the cells of the first lines in which something stands.
    """
    if len(rows) < _LINES or len({len(row) for row in rows[:_LINES]}) != 1:
        return None
    above, below = ([_name(cell) for cell in row] for row in rows[:2])
    if any(as_number(cell) is not None for cell in (*above, *below) if cell):
        return None
    words = [word for word in above if word]
    repeated = len(set(words)) < len(words)
    merged = [place for place, word in enumerate(above) if place and not word and below[place]]
    if len(words) < 2 or sum(map(bool, below)) < 2 or not (repeated or merged):
        return None
    of_index = bool(rows[2][0].strip()) and as_number(rows[2][0]) is None and not any(map(str.strip, rows[2][1:]))
    first = rows[_LINES] if of_index and len(rows) > _LINES else rows[2]
    if not any(as_number(cell) is not None for cell in first):
        return None
    for place in merged:  # the first word of a header may stand for its column alone
        above[place] = above[place - 1] if below[place - 1] else ""
    names = ["/".join(word for word in pair if word) for pair in zip(above, below, strict=True)]
    if of_index:
        names[0] = rows[2][0].strip()
    return names, _LINES if of_index else 2


def without_title(data: bytes, separator: str) -> bytes:
    """The text with titles above its header emptied: lines of one cell, above names and then numbers."""
    lines = data[:_BEGINNING].split(b"\n", _HEAD)[:_HEAD]
    try:
        texts = [line.decode("utf-8-sig").rstrip("\r") for line in lines]
        rows = [next(csv.reader([text], delimiter=separator), []) for text in texts]
    except (UnicodeDecodeError, csv.Error):  # which is told where the table is read
        return data
    filled = {at: cells for at, row in enumerate(rows) if (cells := [cell for cell in row if cell.strip()])}
    titles = [*takewhile(lambda at: len(filled[at]) == 1, filled)][:_MOST_TITLES]
    below = [at for at in filled if at not in titles]
    if not titles or len(below) < 2:
        return data
    numbers = {at: any(as_number(cell) is not None for cell in cells) for at, cells in filled.items()}
    names = [*takewhile(lambda at: not numbers[at], below)]
    if any(numbers[at] for at in titles) or not 1 <= len(names) <= 2 or len(names) == len(below):
        return data
    if any(len(filled[at]) < 2 for at in names):
        return data
    start = sum(len(line) + 1 for line in lines[: names[0]])
    return b"\n" * names[0] + data[start:]  # lines keep their numbers


def with_one_header(data: bytes, separator: str) -> bytes:
    """The text with a header that takes several lines as one line, and the others emptied: lines keep their numbers."""
    lines = data.split(b"\n")
    filled = [at for at, line in enumerate(lines[:_HEAD]) if line.strip()][: _LINES + 1]
    try:
        text = [lines[at].decode("utf-8-sig").rstrip("\r") for at in filled]
        rows = [next(csv.reader([line], delimiter=separator), []) for line in text]
    except (UnicodeDecodeError, csv.Error):  # which is told where the table is read
        return data
    found = joined_names(rows)
    if found is None:
        return data
    names, used = found
    header = io.StringIO()
    csv.writer(header, delimiter=separator, lineterminator="").writerow(names)
    for at in filled[:used]:
        lines[at] = b""
    lines[filled[0]] = header.getvalue().encode()
    return b"\n".join(lines)


def distinct_names(names: Sequence[str]) -> list[str]:
    """The names, those that came before with a number behind them, as pandas has it: `loss`, `loss.1`."""
    taken = set(names)
    distinct: dict[str, None] = {}
    numbers: dict[str, Iterator[int]] = {}
    for name in names:
        own = name
        while own in distinct or (own != name and own in taken):
            own = f"{name}.{next(numbers.setdefault(name, count(1)))}"
        distinct[own] = None
    return [*distinct]


def _name(cell: str) -> str:
    return "" if _UNNAMED.fullmatch(cell.strip()) else cell.strip()
