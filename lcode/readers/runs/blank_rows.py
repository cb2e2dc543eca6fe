"""What the rows after a run's last value mean: its plan, its divergence, or only that it is not measured each epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class BlankRows:
    """The rows of a table, one per run and epoch, and what the blank ones at the end of a run say.

    A run that is measured every fifth epoch has blank rows between its values; as many of them at its end say
    nothing. More of them do: with a learning rate they are the plan of epochs to come; without one, the run wrote
    rows but no numbers (a NaN written by pandas is an empty cell), so it diverged. A finished run has none to come.

    Attributes:
        run: code of each row's run, sorted, shape [N].
        epoch: epoch of each row, sorted within a run, shape [N].
        lr: learning rate of each row, NaN where not given, shape [N].
        planned: rows that are a plan, shape [N].
        diverged: rows that stand for values that were no numbers, shape [N].
    """

    run: NDArray[np.int64]
    epoch: NDArray[np.int64]
    lr: NDArray[np.float64]
    planned: NDArray[np.bool_]
    diverged: NDArray[np.bool_]


def explain_blank_rows(
    run: NDArray[np.int64],
    epoch: NDArray[np.int64],
    measured: NDArray[np.bool_],
    lr: NDArray[np.float64],
    finished: NDArray[np.bool_],
) -> BlankRows:
    """Tell plans from divergence in the blank rows at the end of the runs.

    Args:
        run: code of each row's run, shape [N].
        epoch: epoch of each row, shape [N]; a long table has several rows of one run and epoch.
        measured: whether a row holds a value, shape [N].
        lr: learning rate of each row, NaN where not given, shape [N].
        finished: whether each run is known to have finished, shape [R].
    """
    place, first, inverse = np.unique(run * (int(epoch.max()) + 1) + epoch, return_index=True, return_inverse=True)
    run, epoch = run[first], epoch[first]
    has_value = np.bincount(inverse, weights=measured, minlength=len(place)) > 0
    rate = np.full(len(place), np.nan)
    given = np.flatnonzero(~np.isnan(lr))[::-1]
    rate[inverse[given]] = lr[given]

    at = np.flatnonzero(has_value)
    last = np.full(len(finished), -1)
    last[run[at]] = epoch[at]
    tail = epoch > last[run]
    # A blank tail means something only if it is longer than any gap between two values of the run.
    gap = np.zeros(len(finished), dtype=np.int64)
    same_run = run[at[1:]] == run[at[:-1]]
    np.maximum.at(gap, run[at[1:]][same_run], np.diff(at)[same_run] - 1)
    telling = np.bincount(run[tail], minlength=len(finished)) > gap
    plan = np.bincount(run[tail & ~np.isnan(rate)], minlength=len(finished)) > 0
    plan &= ~finished
    return BlankRows(run, epoch, rate, tail & (telling & plan)[run], tail & (telling & ~plan)[run])
