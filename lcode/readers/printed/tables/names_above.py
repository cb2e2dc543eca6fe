r"""A line of names with a line of their numbers below it, as programs for depth print an evaluation.

  silog, abs_rel,  log10,     d1             abs_rel |   rmse |     a1 |
17.0997,  0.2375, 0.1069, 0.3088            &   0.309  &  7.801 &  0.263  \\
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import is_counter
from lcode.table.metric_names import known_metric

_FEWEST = 3
"""Names in such a line at least."""

_NAME = re.compile(r"[A-Za-z][\w@.-]*")

_OF_DEPTH = {f"d{at}": f"delta_{at}" for at in (1, 2, 3)}
"""Shares of depths within a factor: alone each may be an error of stereo, all three together are none."""

_MARKS = (",", "|", "&")

_LONGEST = 400
"""Characters of a line that is looked at."""


def with_names_above(lines: Sequence[str]) -> list[str]:
    """The lines, as many, the numbers below a line of names each with its name, where most names are of metrics."""
    told = list(lines)
    for at in range(len(lines) - 1):
        line = lines[at]
        if not any(mark in line for mark in _MARKS):
            continue
        names = _cells(line)
        if len(names) < _FEWEST or not all(map(_NAME.fullmatch, names)):
            continue
        numbers = _cells(lines[at + 1])
        if len(numbers) != len(names) or len(set(names)) < len(names):
            continue
        if any(as_number(cell) is None for cell in numbers) or any(map(is_counter, names)):
            continue
        names = [_OF_DEPTH.get(name, name) for name in names] if _OF_DEPTH.keys() <= set(names) else names
        if 2 * sum(known_metric(name) is not None for name in names) <= len(names):
            continue
        further = _cells(lines[at + 2]) if at + 2 < len(lines) else []
        if len(further) == len(names) and all(as_number(cell) is not None for cell in further):
            continue  # a table of several rows, of which nothing says what each is of
        told[at] = ""
        told[at + 1] = ", ".join(f"{name}: {number}" for name, number in zip(names, numbers, strict=True))
    return told


def _cells(line: str) -> list[str]:
    """What stands between commas, bars or the marks of LaTeX."""
    if len(line) > _LONGEST:
        return []
    return [cell.strip() for cell in re.split(r"[,|&]", line.strip().rstrip("\\").strip().strip("|&,"))]
