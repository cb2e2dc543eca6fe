"""Rows that hold the settings of the rows below them: `{"event": "start", "config": {"lr": 0.1}}`, then the epochs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lcode.readers.formats.settings_beside import SETTINGS, told_settings
from lcode.readers.understanding.column_words import EPOCHS, RUN_NAMES, is_counter
from lcode.readers.understanding.layout import CONFIG
from lcode.readers.understanding.planned import is_planned, whole
from lcode.table.reading import listed

_OF_ROWS = frozenset(
    (
        *("event", "type", "kind", "level", "msg", "message", "version", "stage", "phase"),
        *("host", "hostname", "device", "commit", "git"),
    )
)
"""Keys of what a row is, or of who wrote it, which set nothing."""

_Rows = Sequence[dict[str, Any]]


def with_settings_of_rows(
    path: Path, rows: _Rows, lines: Sequence[int], places: str
) -> tuple[_Rows, Sequence[int], tuple[str, ...]]:
    """The rows without those of settings, each with the settings that are its own, their lines, and a remark.

    Settings are of the rows below, up to the next ones, or of those of the run that they name.

    Args:
        path: their file.
        rows: all of them.
        lines: line of each row.
        places: what the lines are called, see `counting_rows`.
    """
    counted = _counted(rows)
    first = next(iter(counted), 0)
    others = [at for at in range(len(rows)) if at not in counted]
    heads = [at for at in others if _is_head(rows[at])]
    heads = heads or [at for at in others if at < first and _is_flat(rows[at])][:1]
    if heads and first < heads[0] and all(_run(rows[at]) is None for at in heads):
        return rows, lines, ()  # behind the epochs they are of what came before, or of nothing that can be told
    heads = [at for at in heads if at == heads[0] or _run(rows[at]) is not None or _begins_anew(rows, at, counted)]
    members = _members(rows, heads, counted)
    of_row: dict[int, dict[str, Any]] = {}
    for head, below in members.items():
        of_row |= dict.fromkeys(below, _cells(rows[head], [rows[at] for at in below]))
    if not of_row:
        return rows, lines, ()
    kept = [at for at in range(len(rows)) if at not in members]
    note = f"{path.name}: the settings of a run are those in {places} {listed([str(lines[head]) for head in members])}."
    return [{**of_row.get(at, {}), **rows[at]} for at in kept], [lines[at] for at in kept], (note,)


def _counted(rows: _Rows) -> dict[int, None]:
    """The places of the rows that count, by what most of them count by; `epochs` may be planned in another row."""
    names = Counter(name for row in rows for name in row if is_counter(name))
    most = {name for name, number in names.items() if 2 * number >= len(rows)} or set(names)
    return {at: None for at, row in enumerate(rows) if not most.isdisjoint(row)}


def _begins_anew(rows: _Rows, head: int, counted: Collection[int]) -> bool:
    """Whether the rows below a head do not count on from those above it, as they do where a setting was changed."""
    above = max((at for at in counted if at < head), default=None)
    below = min((at for at in counted if at > head), default=None)
    if above is None or below is None:
        return True
    names = [name for name in rows[above] if is_counter(name) and name in rows[below]]
    counts = [(rows[above][name], rows[below][name]) for name in names]
    return not any(isinstance(a, (int, float)) and isinstance(b, (int, float)) and b > a for a, b in counts)


def _is_head(row: Mapping[str, Any]) -> bool:
    """Whether a row holds an object of settings."""
    return any(isinstance(value, dict) and name.lower() in SETTINGS for name, value in row.items())


def _is_flat(row: Mapping[str, Any]) -> bool:
    """Whether a row above the first epoch holds settings themselves."""
    return any(True for _ in _settings(row)) and not any(isinstance(value, (dict, list)) for value in row.values())


def _members(rows: _Rows, heads: Sequence[int], counted: Collection[int]) -> dict[int, list[int]]:
    """The rows of each head that has any: those that it names the run of, else those below it up to the next."""
    members: dict[int, list[int]] = {}
    places = set(heads)
    by_run = {run: head for head in heads if (run := _run(rows[head])) is not None}
    named = {run for at in counted if (run := _run(rows[at])) is not None}
    current: int | None = None
    for at, row in enumerate(rows):
        if at in places:
            current = at
        elif at in counted:
            own = by_run.get(run) if (run := _run(row)) is not None and by_run else current
            if own is not None and (_run(rows[own]) is None or not named or run is not None):
                members.setdefault(own, []).append(at)
    return members


def _run(row: Mapping[str, Any]) -> str | None:
    """The name of the run that a row is of."""
    return next((str(row[name]) for name in RUN_NAMES if row.get(name) is not None), None)


def _settings(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((name, value) for name, value in told_settings(row) if name.lower() not in _OF_ROWS)


def _cells(head: Mapping[str, Any], below: _Rows) -> dict[str, Any]:
    """What stands in each row below: the settings, the planned end where no row is beyond it, and the run's name."""
    counts = [row[name] for row in below for name in row if name.lower() in EPOCHS]
    last = max((count for count in counts if isinstance(count, (int, float))), default=None)
    cells: dict[str, Any] = {name: value for name, value in head.items() if name in RUN_NAMES and value is not None}
    for name, value in _settings(head):
        if not is_planned(name, "epoch"):
            cells[f"{CONFIG}{name}"] = value
        elif last is not None and (whole(value) or 0) >= max(last, 1):
            cells.setdefault("horizon", whole(value))
    return cells
