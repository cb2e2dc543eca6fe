"""What a cell that is no number may be, and what to do about it: a decimal comma among points, a title."""

from __future__ import annotations

import re
from collections.abc import Iterable

_COMMA = re.compile(r"[+-]?\d+,\d+")

_POINT = re.compile(r"[+-]?\d*\.\d+")


def remedy_for(cell: str, column: Iterable[str], beside: Iterable[str], *, header_again: bool) -> str:
    """What to do about a cell by what stands around it; empty where that does not say what it is.

    Args:
        cell: as it was written.
        column: other cells of its column.
        beside: the other cells of its row, `None` where nothing stands.
        header_again: whether the names of the columns come again further down.
    """
    empty = [other in ("", "None") for other in map(str.strip, beside)]
    if header_again and any(empty) and empty.count(False) <= 1:  # a run's name at most
        return (
            "it is the title of another table, whose names of columns come again below it: save each table in a file "
            "of its own, or leave out such lines and add a column 'run'"
        )
    point = next((text for text in column if _POINT.fullmatch(text.strip())), None)
    if point is not None and _COMMA.fullmatch(cell.strip()):
        return f"decimals are written with a comma here and with a point in '{point}': write all of them alike"
    return ""
