"""Numbers as people and spreadsheets write them into cells: with units, decimal commas and marks between thousands."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from lcode.readers.understanding.column_words import is_counter

_DECIMAL_COMMA = r"^\s*[-+]?(\d+(,\d*)?|,\d+)([eE][-+]?\d+)?\s*$"

_NO_THOUSANDS = r"^\s*[-+]?(?:0*,\d+|\d+,(?:\d{1,2}|\d{4,}))\s*$"

_GROUPED = {
    mark: (
        rf"^\s*[-+]?(\d{{1,3}}({re.escape(mark)}\d{{3}})+|\d+)({re.escape(point)}\d*)?\s*$",
        rf"{re.escape(mark)}\d{{3}}{re.escape(point)}\d",
    )
    for mark, point in ((",", "."), (".", ","))
}
"""By what stands between thousands: what all cells then are, and what tells it in one of them: `2,187.40`."""

_PERCENT = re.compile(r"\s*([-+]?[0-9.,]+(?:[eE][-+]?[0-9]+)?)\s*%\s*")
_COUNT = re.compile(
    r"(?:(?:epoch|step|iter|iteration|round|episode)[ :_-]*)?([0-9]+)(?:\s*(?:/|of)\s*[0-9]+)?", re.IGNORECASE
)
"""A number with its unit; a count, with its name or the last one."""

_BETWEEN = r"[,'’ \x{A0}\x{2009}\x{202F}]"
_THOUSANDS = rf"^(?:\d{{1,3}}|[1-9]\d{{0,2}}(?:{_BETWEEN}\d{{3}})+)$"
"""What stands between the thousands of a count, and counts with it or too small for it."""

_NONE = r"^\s*(?:[-–—]+|n/?a|#n/?a|none|null|nan|inf|-inf)?\s*$"
"""What stands in the place of a number."""

_FIRST = 100
"""Cells among which the first filled one is looked for."""


def plain_numbers(name: str, column: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """The column with its numbers as a program would write them.

    Args:
        name: its name, which may say that it counts.
        column: cells as text.
        separator: what stands between the cells of a row.
    """
    return _with_points(_plain(name, column, separator), separator)


def _plain(name: str, column: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """The column without what stands in or beside its numbers: `87.5%`, and `3/50`, `Epoch 3` or `1,000` of a count."""
    cells = column.drop_null()
    if is_counter(name) and _are_thousands(cells, separator):
        return pc.replace_substring_regex(column, _BETWEEN, "")
    form = _COUNT if is_counter(name) else _PERCENT
    first = next((cell for cell in column[:_FIRST].to_pylist() if cell is not None), "")
    if form.fullmatch(first) is None or first.strip().isdigit():
        return column
    if form is _PERCENT:
        cells = cells.filter(pc.invert(pc.match_substring_regex(cells, _NONE, ignore_case=True)))
    if not pc.all(pc.match_substring_regex(cells, f"^(?:{form.pattern})$", ignore_case=True)).as_py():
        return column
    return pc.replace_substring_regex(column, f"(?i)^(?:{form.pattern})$", r"\1")


def _are_thousands(cells: pa.ChunkedArray, separator: str) -> bool:
    """Whether all cells are whole numbers, some with a mark between their thousands.

    A comma in each may stand before decimals, where it separates no cells.
    """
    marked = pc.match_substring_regex(cells, _BETWEEN)
    if not pc.any(marked).as_py() or (separator != "," and pc.all(marked).as_py()):
        return False
    return bool(pc.all(pc.match_substring_regex(cells, _THOUSANDS)).as_py())


def _with_points(column: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """The column with decimal points and no other marks, where its cells are numbers with decimal commas or grouped.

    A lone comma may stand between thousands or before decimals: where it separates cells, it is left as it is, unless
    another number of digits than three stands behind one, or a nought before it.
    """
    cells = column.drop_null()
    if not pc.any(pc.match_substring(cells, ",")).as_py():
        return column
    for mark, (grouped, telling) in _GROUPED.items():
        told = pc.any(pc.match_substring_regex(cells, telling)).as_py()
        if told and pc.all(pc.match_substring_regex(cells, grouped)).as_py():
            return pc.replace_substring(pc.replace_substring(column, mark, ""), ",", ".")
    decimal = pc.match_substring_regex(column, _DECIMAL_COMMA)
    # One that is none, such as nan or a slip, is told where it is read, and not the first that has a comma.
    told = pc.any(pc.match_substring_regex(cells, _NO_THOUSANDS)).as_py()
    if (separator != "," or told) and 2 * pc.sum(decimal).as_py() > len(cells):
        return pc.if_else(decimal, pc.replace_substring(column, ",", "."), column)
    return column
