"""Lines of a text file that are no rows of its table: comments, headers that come again, other tables."""

from __future__ import annotations

import csv
from codecs import BOM_UTF8
from collections.abc import Sequence
from pathlib import Path

from lcode.readers.raw import as_number

_SEEN = 50
"""Lines from which it is told whether rows have more cells than the header has names."""

SEPARATORS = ",;\t|"
"""What stands between cells: the one that gives the header the most of them, the first of these if several do."""


def without_comments(data: bytes) -> bytes:
    """The text with its first lines empty as long as they begin with `#`: lines keep their numbers.

    The last of them stays, without its mark, where it is the header: as many names as the line below it has cells.
    """
    end, last = 0, b""
    while data[end : end + 1] in (b"#", b"\n", b"\r"):
        stop = data.find(b"\n", end)
        if stop < 0:
            break
        last, end = data[end:stop].strip() or last, stop + 1
    names, row = (
        last.lstrip(b"#").strip().decode("utf-8", "replace"),
        data[end:].partition(b"\n")[0].decode("utf-8", "replace"),
    )
    cells = [[cell.strip() for cell in line.split(separator_of(row))] for line in (names, row)]
    is_header = (
        len(cells[0]) == len(cells[1]) > 1
        and all(name and as_number(name) is None for name in cells[0])
        and any(as_number(cell) is not None for cell in cells[1])
    )
    if not is_header:
        return b"\n" * data.count(b"\n", 0, end) + data[end:]
    return b"\n" * (data.count(b"\n", 0, end) - 1) + names.encode() + b"\n" + data[end:]


def separator_of(text: str) -> str:
    """What stands between the cells of the header."""
    header = text.lstrip().partition("\n")[0]

    def cells(mark: str) -> int:
        try:
            return len(next(csv.reader([header], delimiter=mark), []))
        except csv.Error:  # a cell that is too long; it is told where the table is read
            return 0

    return max(SEPARATORS, key=lambda mark: (cells(mark), mark == ","))


def with_whole_header(data: bytes, separator: str) -> bytes:
    """The text with a column more in its header, where each row has one cell more than that has names.

    It has no name: at the end where a mark stands behind each row, else in front, where the number of the row stands.
    """
    begin = len(BOM_UTF8) if data.startswith(BOM_UTF8) else 0
    lines = [line for line in data[begin:].split(b"\n", _SEEN + 1)[: _SEEN + 1] if line.strip()]
    texts = [line.decode("utf-8", "replace").rstrip("\r") for line in lines]
    try:
        cells = [next(csv.reader([text], delimiter=separator), []) for text in texts]
    except csv.Error:  # which is told where the table is read
        return data
    header, rows = cells[0], cells[1:-1] if len(cells) > 2 else cells[1:]  # the last one may be cut
    if not rows or len(header) < 2 or any(len(row) != len(header) + 1 for row in rows):
        return data
    at = data.index(lines[0], begin)
    end = at + len(lines[0].rstrip(b"\r"))
    if all(not row[-1].strip() for row in rows):
        return data[:end] + separator.encode() + data[end:]
    if not all(row[0].strip().isdigit() for row in rows):
        return data
    return data[:at] + separator.encode() + data[at:]


def without_other_headers(
    path: Path, data: bytes, text: str, separator: str, header: Sequence[str]
) -> tuple[bytes, bool, list[str]]:
    """The text with the lines emptied that are no rows of its table, whether its header comes again, and remarks.

    A training that is resumed writes the header again, and some programs log two tables into one file. Lines keep their
    numbers.
    """
    lines = data.split(b"\n")
    first = next(line.strip() for line in lines if line.strip())
    if data.count(first) > 1:
        at = [number for number, line in enumerate(lines) if line.strip() == first][1:]
        for number in at:
            lines[number] = b""
        if at:
            told = ", ".join(str(number + 1) for number in at)
            note = f"{path.name}: the header comes again on line {told}, so the later rows are read as of a resume."
            return b"\n".join(lines), True, [note]
    if b'"' in data:
        return data, False, []  # cells may hold line breaks
    marks = separator.encode()
    other = [number for number, line in enumerate(lines) if line.strip() and line.count(marks) != len(header) - 1]
    if len(other) < 2 or 2 * len(other) > len(lines):
        return data, False, []
    names = lines[other[0]].decode().strip().split(separator)
    of_one_table = {lines[number].count(marks) for number in other} == {len(names) - 1} and len(names) > 1
    if not of_one_table or any(as_number(name) is not None or not name.strip() for name in names):
        return data, False, []
    for number in other:
        lines[number] = b""
    note = (
        f"{path.name}: a second table in the file ({', '.join(names[:3])}{' …' if len(names) > 3 else ''}, from line "
        f"{other[0] + 1}) was left out; move its lines to a file of their own to read it."
    )
    return b"\n".join(lines), False, [note]
