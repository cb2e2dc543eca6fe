"""Epochs that a log has twice: after a resume, which writes them again, or since it has several rows per epoch.

Loggers append. A run that is killed at epoch 12 and resumed from its checkpoint of epoch 8 logs epoch 9 for a second
time; what the first attempt logged from there on belongs to a training that no longer exists, whether or not the second
attempt has come that far yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lcode.readers.raw import RawTable

OnRepeat = Literal["error", "last"]
"""What to do where a run has two values for one epoch: refuse them, or let the later rows count."""

_STEPS = ("step", "steps", "num_steps", "global_step", "batch", "batch_idx", "update", "updates")
_ITERATIONS = ("it", "iter", "iters", "iteration", "iterations")
COUNTERS = frozenset(_STEPS + _ITERATIONS)
"""Names of columns that count what is smaller than an epoch."""

_NAMED = 10
"""So many runs are named in a message; of the others their number is told."""


@dataclass(frozen=True)
class Conflicts:
    """Points that a log has twice with different values: N pairs of an earlier and a later one.

    Attributes:
        first: index of each earlier point, shape [N].
        second: index of each later point, shape [N].
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)


def find_conflicts(
    place: NDArray[np.int64], value: NDArray[np.float64], clock: NDArray[np.float64] | None
) -> Conflicts:
    """The points that disagree with an earlier one of the same place; NaN equals NaN.

    Args:
        place: code of each point's run, metric and epoch, in the order of the log, shape [N].
        value: the measured values, shape [N].
        clock: counter of steps within an epoch, shape [N]: a value that was measured later in the epoch replaces an
            earlier one, and is no conflict.
    """
    order = np.argsort(place, kind="stable")
    before, after = order[:-1], order[1:]
    wrong = (place[before] == place[after]) & (value[before] != value[after])
    wrong &= ~(np.isnan(value[before]) & np.isnan(value[after]))
    if clock is not None:
        wrong &= ~(clock[after] > clock[before])
    by_place = np.argsort(after[wrong], kind="stable")
    return Conflicts(before[wrong][by_place], after[wrong][by_place])


def latest_attempts(
    group: NDArray[np.int64], epoch: NDArray[np.int64], clock: NDArray[np.float64] | None = None
) -> NDArray[np.bool_]:
    """Which rows belong to the training as it stands, where runs were resumed from an earlier epoch.

    A resume is where the rows of a group go back to an epoch that was there before; all earlier rows from that epoch on
    are given up. A group that also goes back to epochs that were not there is no sequence of attempts but unsorted, and
    keeps all its rows.

    Args:
        group: code of the run (or curve, where each row is one value) of each row, in the order of the log, shape [N].
        epoch: epoch of each row, shape [N].
        clock: counter of steps within the epoch, shape [N].
    """
    kept = np.ones(len(group), dtype=bool)
    # Epochs, and steps within them, as one number each.
    _, at = np.unique(np.stack([epoch, np.zeros(len(epoch)) if clock is None else clock]), axis=1, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    for rows in np.split(order, starts[1:]):
        mine, epochs = at.reshape(-1)[rows], epoch[rows]
        back = np.flatnonzero(np.diff(mine) < 0) + 1
        seen: list[bool] = [bool(np.isin(epochs[b], epochs[:b])) for b in back]
        if all(seen):
            for b in back:
                kept[rows[:b][mine[:b] >= mine[b]]] = False
    return kept


def within_epoch_counter(raw: RawTable, run: NDArray[np.int64], epoch: NDArray[np.int64]) -> str | None:
    """Name of the column that counts the steps of an epoch, in a table with several rows per run and epoch."""
    names = [name for name in raw.columns if name.lower().rpartition("/")[2] in COUNTERS]
    if not names or len(np.unique(run * (int(epoch.max()) + 1) + epoch)) == len(run):
        return None
    for name in names:
        values, given = raw.numbers(name, remedy="a counter of steps is a whole number")
        if given.all() and np.all(values == np.floor(values)):
            return name
    return None


def repeats_text(problem: str, runs: Sequence[str], epochs: Sequence[str], lines: Sequence[int]) -> str:
    """The one message on all repeats of a log, and what to do about them.

    Args:
        problem: what is wrong with the first of them.
        runs: run of each repeat, in the order of the log.
        epochs: its epoch, as text.
        lines: its line.
    """
    by_run: dict[str, tuple[dict[str, None], list[int]]] = {}
    for run, epoch, line in zip(runs, epochs, lines, strict=True):
        told = by_run.setdefault(run, ({}, []))
        told[0][epoch] = None
        told[1].append(line)
    named = []
    for run, (epochs_of_run, where) in list(by_run.items())[:_NAMED]:
        at = list(epochs_of_run)
        if len(at) == 1:
            named.append(f"'{run}' at epoch {at[0]} (line {where[0]})")
        else:
            named.append(f"'{run}' at {len(at)} epochs ({at[0]} to {at[-1]}, lines {min(where)} to {max(where)})")
    more = f" and {len(by_run) - _NAMED} more runs" if len(by_run) > _NAMED else ""
    return (
        f"{problem}. Such repeats in all: {', '.join(named)}{more}. If a run was resumed, or has several rows per "
        "epoch, --on-repeat last (in Python on_repeat='last') lets the later rows count; else remove one of each two "
        "rows, or give the runs different names"
    )
