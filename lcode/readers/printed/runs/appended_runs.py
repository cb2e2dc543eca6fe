"""Trainings that a counter alone does not part: one that goes on where another ended, and two that print by turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lcode.readers.understanding.column_words import words_of
from lcode.table.metric_names import known_metric

_LAST = 5
"""Values before a possible start that a loss is compared with."""

_JUMP = 3.0
"""Times the largest of these, above which a loss is that of another training: a resumed one goes on as it was."""

_FEWEST_TURNS = 3
"""Times that a counter must go on where another sequence stopped for two programs to have written by turns."""


def other_starts(
    counts: Sequence[float | None], totals: Sequence[float | None], columns: Mapping[str, pa.Array]
) -> list[int]:
    """The rows at which another training begins, though the counter does not go back to where the last one began.

    So it is where the planned end has changed and the counter skips ahead, or lies before what was reached, or where
    the counter does not count on and all losses jump up.

    Args:
        counts: epoch or step of each row, in the order of logging; None: the row does not say it.
        totals: the planned end as it is said in each row; empty: it is said nowhere.
        columns: the curves.
    """
    starts: list[int] = []
    last = planned = step = None
    values = losses_of(columns)
    for row, count in enumerate(counts):
        total = totals[row] if totals else None
        if count is None:
            continue
        if last is not None:
            changed = total is not None and planned is not None and total != planned
            skipped = step is not None and count > last + 2 * step
            back = count < last or (count == last and changed)
            ended = count < last and total is not None and total < last
            if ended or (changed and skipped) or (back and _jump(values, starts[-1] if starts else 0, row)):
                starts.append(row)
            elif count > last:
                step = count - last if step is None else min(step, count - last)
        last, planned = count, planned if total is None else total
    return starts


def losses_of(columns: Mapping[str, pa.Array]) -> list[NDArray[np.float64]]:
    """The losses, NaN where a row has none."""
    return [
        cells.to_numpy(zero_copy_only=False).astype(np.float64)
        for name, cells in columns.items()
        if "loss" in words_of(name)
        and known_metric(name) is not None
        and (pa.types.is_floating(cells.type) or pa.types.is_integer(cells.type))
    ]


def measured_again(counts: Sequence[float | None], columns: Mapping[str, pa.Array]) -> int | None:
    """The row from which on saved models are measured again; None where none are.

    No loss is told there, though one is in most rows before, and the counter goes back, but not to where it began.

    Args:
        counts: epoch or step of each row, in the order of logging; None: the row does not say it.
        columns: the curves.
    """
    losses = losses_of(columns)
    told = np.flatnonzero(np.any([np.isfinite(values) for values in losses], axis=0)) if losses else np.zeros(0, int)
    behind = int(told[-1]) + 1 if len(told) else len(counts)
    after = [count for count in counts[behind:] if count is not None]
    before = [count for count in counts[:behind] if count is not None]
    if len(set(after)) < 2 or not before or 2 * len(told) <= behind:
        return None
    return behind if min(before) < min(after) and after[0] < before[-1] else None


def _jump(losses: Sequence[NDArray[np.float64]], start: int, row: int) -> bool:
    """Whether every loss that has values near a row is far above what it was before."""
    jumped = []
    for values in losses:
        before, after = values[max(start, row - 4 * _LAST) : row], values[row : row + _LAST]
        before, after = before[np.isfinite(before)][-_LAST:], after[np.isfinite(after)][:1]
        if len(before) == _LAST and len(after) and before.min() > 0:
            jumped.append(bool(after[0] > _JUMP * before.max()))
    return bool(jumped) and all(jumped)


def by_writer(counts: Sequence[float | None], columns: Mapping[str, pa.Array]) -> list[int] | None:
    """The rows in an order in which each training's stand together, where several have printed by turns; else None.

    A training that begins anew while another goes on: 6, 7, 0, 8, 1, 9, 2. Each counts on by one.

    Args:
        counts: epoch or step of each row, in the order of logging; None: the row belongs to the one before it.
        columns: what is told, by each training the same.
    """
    rows: list[list[int]] = []
    last: list[float] = []
    now, turns = -1, 0
    for row, count in enumerate(counts):
        if count is not None and (now < 0 or count != last[now]):
            going_on = [at for at, reached in enumerate(last) if count == reached + 1]
            if now in going_on:
                pass
            elif going_on:
                now = going_on[-1]
                turns += 1
            elif now < 0 or count <= 1:
                rows.append([])
                last.append(count)
                now = len(rows) - 1
            else:
                return None
            last[now] = count
        if now < 0:
            return None
        rows[now].append(row)
    if turns < _FEWEST_TURNS:
        return None
    told = {tuple(len(cells.take(pa.array(own)).drop_null()) > 0 for cells in columns.values()) for own in rows}
    return [row for own in rows for row in own] if len(told) == 1 else None
