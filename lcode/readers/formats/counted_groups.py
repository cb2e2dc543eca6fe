"""Lists of one training that each count for themselves: rows of `train` at each epoch, rows of `val` at every fifth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import EPOCHS, STEPS


def rows_of_groups(lists: Mapping[str, Sequence[Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """A row for each place on the one counter that all groups have; none where they have none, or agree in it anyway.

    Of several values of a group at one place the last one counts.

    Args:
        lists: curves and counters by name; what stands before the last slash is the group's name.

    Returns:
        The rows, and the names of the lists that nothing counts, which are in no row.
    """
    groups: dict[str, dict[str, Sequence[Any]]] = {}
    for name, cells in lists.items():
        group, _, bare = name.rpartition("/")
        groups.setdefault(group, {})[bare] = cells
    counted = {group: counters for group, own in groups.items() if (counters := _counters(own))}
    counter = next((word for word in (*EPOCHS, *STEPS) if all(word in own for own in counted.values())), None)
    if counter is None or len({tuple(own[counter]) for own in counted.values()}) < 2:
        return [], []
    rows: dict[float, dict[str, Any]] = {}
    for group, counters in counted.items():
        own = {name: cells for name, cells in groups[group].items() if name.strip().lower() not in counters}
        for place, at in enumerate(counters[counter]):
            row = rows.setdefault(at, {counter: at})
            row |= {f"{group}/{name}" if group else name: cells[place] for name, cells in own.items()}
    left = [name for name in lists if name.rpartition("/")[0] not in counted]
    return [rows[at] for at in sorted(rows)], left


def _counters(group: Mapping[str, Sequence[Any]]) -> dict[str, list[float]]:
    """What counts the values of a group, by its name in lower case; empty where they are not of one length."""
    if len({len(cells) for cells in group.values()}) > 1:
        return {}
    found = {}
    for name, cells in group.items():
        numbers = [as_number(cell) for cell in cells if not isinstance(cell, bool)]
        whole = [number for number in numbers if number is not None]
        rises = len(whole) == len(cells) and all(one <= other for one, other in pairwise(whole))
        if name.strip().lower() in (*EPOCHS, *STEPS) and rises and whole:
            found[name.strip().lower()] = whole
    return found
