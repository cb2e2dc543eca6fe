"""Rows of numbers without names: which of their columns count, and which are curves.

`99800 tensor(0.7045, device='cuda:0') tensor(0.7665)`, `INFO:root:(3, 'model3.ckpt', 37.03)`, `0 0 0.693`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import correlation

from lcode.readers.printed.lines.form_parts import NUMBER
from lcode.readers.raw import as_number
from lcode.table.metric_names import known_metric

MOST_COUNTERS = 2
"""Columns that count at most: epochs, and batches in them."""

_WRAPPED = re.compile(rf"\b(?:tensor|np\.\w+|array)\(({NUMBER})[^()]*\)", re.IGNORECASE)
_OTHER = re.compile(r"datetime\.datetime\([^()]*\)|'[^']*'|\"[^\"]*\"|^(?:INFO|DEBUG|WARNING):\w*:")
"""What stands beside numbers in the print of a tuple, and before it in a line of Python's logging."""

_QUOTED = re.compile(r"'([^']*)'")

_COUNTED = re.compile(r"^(\s*\d+):(?=\s)")
"""`100:  -3.2`"""

_BETWEEN = re.compile(r"[\s,;()\[\]]+")

_MANY_NAMED = 5
"""Rows of columns that nothing counts and the file's name names."""

_MOST_CURVES = 4
"""A loss and a score of two parts of the data; more columns are many things, an exploration rate among them that falls
as a loss does."""

_CLEAR, _STRAIGHT = 0.5, 0.9999
"""Correlation with time from which values go one way, and from which they are time, or a schedule, themselves."""

_MANY, _FEW = 50, 5
"""With so many rows a column of so few values, of several, is a setting and its schedule."""


@dataclass(frozen=True)
class NumberRows:
    """What rows of numbers hold.

    Attributes:
        counters: columns that count, at most two, the epochs first; none: the rows follow each other.
        values: the other columns, one at least.
    """

    counters: tuple[tuple[float, ...], ...]
    values: tuple[tuple[float, ...], ...]


def numbers_in(line: str) -> list[float] | None:
    """The numbers of a line that holds nothing else; None where it does."""
    if "(" in line or "'" in line:
        if any(known_metric(name) is not None for name in _QUOTED.findall(line)):
            return None
        line = _OTHER.sub(" ", _WRAPPED.sub(r"\1", line))
    numbers = [as_number(cell) for cell in _BETWEEN.split(_COUNTED.sub(r"\1 ", line)) if cell]
    found = [number for number in numbers if number is not None]
    return found if found and len(found) == len(numbers) else None


def as_curves(rows: Sequence[Sequence[float]], *, named: bool = False) -> NumberRows | None:
    """The columns of rows of one length; None where nothing tells that they are curves.

    Several columns are curves where another one counts them and each goes one way; those of few values are none.

    Args:
        rows: the numbers of each row.
        named: whether the file is named after the metric of all of them, such as an error of each of several outputs.
    """
    wide = len(rows[0]) if rows else 0
    if not wide or any(len(row) != wide for row in rows):
        return None
    columns = [tuple(column) for column in zip(*rows, strict=True)]
    if wide > 1 and len(rows) > 1:
        columns = [column for column in columns if len(set(column)) > 1] or columns[-1:]
    counters: list[tuple[float, ...]] = []
    while len(columns) > 1 and len(counters) < MOST_COUNTERS and counts(columns[0]):
        counters.append(columns.pop(0))
    if named and len(rows) >= _MANY_NAMED and 1 < len(columns) <= _MOST_CURVES and not counters:
        measured = all(any(not value.is_integer() for value in column) for column in columns)
        is_clock = any(all(one < other for one, other in pairwise(column)) for column in columns)
        return NumberRows((), tuple(columns)) if measured and not is_clock else None
    if len(columns) > 1 and not counters:
        return None
    if len(columns) > 1 and len(rows) >= _MANY:
        columns = [column for column in columns if len(set(column)) > _FEW and not has_a_way(column, _STRAIGHT)]
    if not columns or (counters and any(map(counts, columns))):
        return None
    if len(columns) > _MOST_CURVES or (len(columns) > 1 and not all(map(has_a_way, columns))):
        return None
    return NumberRows(tuple(counters), tuple(columns))


def has_a_way(values: Sequence[float], clear: float = _CLEAR) -> bool:
    """Whether values fall or rise on the whole, so that it tells what they are."""
    finite = [value for value in values if math.isfinite(value)]
    return len(set(finite)) > 1 and abs(correlation(range(len(finite)), finite)) >= clear


def counts(column: Sequence[float]) -> bool:
    """Whether the numbers count on in equal steps, or anew from 0 or 1; every tenth epoch may have several rows."""
    if not all(number.is_integer() and number >= 0 for number in column):
        return False
    if column[0] in (0, 1):
        return all(other in (one, column[0]) or other > one for one, other in pairwise(column))
    if len(column) > 1 and len({other - one for one, other in pairwise(column)}) == 1:
        return column[1] > column[0]
    steps = {other - one for one, other in pairwise(column) if other not in (one, column[0])}
    return steps in ({column[0]}, {column[0] + 1})


def named_by_course(values: Sequence[float]) -> str:
    """A loss where the values fall, else a score."""
    half = len(values) // 2
    return "loss" if sum(values[-half:]) <= sum(values[:half]) else "score"


def names_by_course(columns: Sequence[Sequence[float]]) -> list[str]:
    """A name for each column by the way that it went, numbered where several have the same."""
    return _numbered([named_by_course(column) for column in columns])


def names_by_most(tables: Sequence[Sequence[Sequence[float]]]) -> list[str]:
    """The same of columns that mean the same in several tables: what most of them are."""
    ways = [Counter(map(named_by_course, columns)) for columns in zip(*tables, strict=True)]
    return _numbered([way.most_common(1)[0][0] for way in ways])


def _numbered(names: Sequence[str]) -> list[str]:
    return [
        name if names.count(name) == 1 else f"{name}_{names[: at + 1].count(name)}" for at, name in enumerate(names)
    ]
