"""Data frames as they are written to JSON: by column and number of the row, by row, or cells apart from the names.

`{"loss": {"0": 0.9, "1": 0.7}}` is pandas' own way; `{"epoch_1": {"loss": 0.9}, …}` is how people keep a history.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lcode.readers.understanding.column_words import EPOCHS, STEPS

_NUMBER = re.compile(r"(?P<counter>epoch|step|iter|iteration|round)?[ _-]*(?P<at>\d+)", re.IGNORECASE)
"""The number of a row, with what it counts."""


_OF_PAIR = (2, 3)
"""Places of a step and its value, and of the time before them."""


def with_rows(found: Any) -> Any:
    """What a file holds, with data frames as lists of values or of rows; anything else as it is."""
    if not isinstance(found, dict) or not found:
        return found
    names, cells = found.get("columns"), found.get("data")
    if isinstance(names, list) and isinstance(cells, list) and all(_is_row(row, len(names)) for row in cells):
        rows = [dict(zip(map(str, names), row, strict=True)) for row in cells]
        return _numbered(rows, found.get("index"))
    by_number = _rows_by_number(found)
    if by_number is not None:
        return by_number
    inside = {name: _rows_by_number(inner) or inner for name, inner in found.items()}
    histories = [inner for inner in inside.values() if _is_history(inner)]
    if len(histories) == 1 and not any(isinstance(inner, list) and inner != histories[0] for inner in inside.values()):
        return histories[0]  # beside settings and results
    if any(isinstance(inner, list) for inner in found.values()):
        inside = found  # curves, beside which numbered rows are what some checkpoints came to
    lists = dict(_lists_in(inside))
    pairs = {name: inner for name, inner in lists.items() if _is_pairs(inner)}
    if pairs and len(pairs) == len(lists):
        at_step: dict[Any, dict[str, Any]] = {}
        for name, inner in pairs.items():
            for *_, step, value in inner:
                at_step.setdefault(step, {"step": step})[name] = value
        return [at_step[step] for step in sorted(at_step)]
    return {name: _listed(inner) for name, inner in inside.items()}


def _lists_in(inner: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, list[Any]]]:
    """The lists in an object that hold anything, and in those within, by the names on the way."""
    for name, value in inner.items():
        if isinstance(value, dict):
            yield from _lists_in(value, f"{before}{name}/")
        elif isinstance(value, list) and value:
            yield before + name, value


def _rows_by_number(found: Any) -> list[dict[str, Any]] | None:
    """The rows of an object that holds them by their numbers, each with its number; None where it holds others."""
    if not isinstance(found, dict) or not found or not all(isinstance(inner, dict) for inner in found.values()):
        return None
    rows = [dict(inner) for inner in found.values()]
    if not _counts(found) or not all(_is_flat(row) for row in rows):
        return None
    if _are_counted(rows):
        return rows
    counter = next((m["counter"] for m in map(_NUMBER.fullmatch, found) if m is not None and m["counter"]), "")
    return [{counter.lower() or "epoch": _at(name), **row} for name, row in zip(found, rows, strict=True)]


def _is_pairs(inner: Any) -> bool:
    """Whether a list holds a step and a value in each of its places, perhaps behind the time."""
    if not isinstance(inner, list) or len(inner) < 2 or not isinstance(inner[0], list):
        return False
    size = len(inner[0])
    if size not in _OF_PAIR or not all(_is_row(row, size) for row in inner):
        return False
    if not all(isinstance(cell, (int, float)) for row in inner for cell in row):
        return False
    steps = [row[-2] for row in inner]
    return len(set(steps)) > 1 and steps == sorted(steps) and all(float(step).is_integer() for step in steps)


def _is_history(inner: Any) -> bool:
    """Whether a list holds an object per epoch or step, each of which says which one it is."""
    if not isinstance(inner, list) or len(inner) < 2 or not all(isinstance(row, dict) for row in inner):
        return False
    return _are_counted(inner)


def _are_counted(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether rows say which epoch or step each is of; the same number in all is how many steps each took."""
    counters = [name for name in rows[0] if name.lower() in (*EPOCHS, *STEPS)]
    return any(all(name in row for row in rows) and len({str(row[name]) for row in rows}) > 1 for name in counters)


def _listed(inner: Any) -> Any:
    """The values by the numbers of their rows as a list; those within likewise."""
    if not isinstance(inner, dict) or not inner:
        return inner
    if _counts(inner) and not any(isinstance(value, (dict, list)) for value in inner.values()):
        return [inner[name] for name in sorted(inner, key=_at)]
    return {name: _listed(value) for name, value in inner.items()}


def _numbered(rows: list[dict[str, Any]], index: Any) -> list[dict[str, Any]]:
    """The rows with their numbers, where no column counts them."""
    if not isinstance(index, list) or any(name.lower() in (*EPOCHS, *STEPS) for row in rows[:1] for name in row):
        return rows
    return [{"epoch": at, **row} for at, row in zip(index, rows, strict=False)]


def _counts(rows: Mapping[str, Any]) -> bool:
    return len(rows) > 1 and all(_NUMBER.fullmatch(name) for name in rows)


def _at(name: str) -> int:
    found = _NUMBER.fullmatch(name)
    return 0 if found is None else int(found["at"])


def _is_row(row: Any, size: int) -> bool:
    return isinstance(row, list) and len(row) == size


def _is_flat(row: Mapping[str, Any]) -> bool:
    """Whether a row holds numbers, perhaps a level further in, and no curves."""
    plain = [value for one in row.values() for value in (one.values() if isinstance(one, dict) else (one,))]
    return any(isinstance(value, (int, float)) for value in plain) and not any(
        isinstance(value, (dict, list)) for value in plain
    )
