"""The learning rate as a clock: how much training lies behind an epoch, and which falls of the rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lcode.table import Schedule

Array = NDArray[np.float64]

PIECES = 24
"""A schedule's falls are read as so many equal ones: a single drop is as exact as a cosine, which is 4 % a piece."""


@dataclass(frozen=True, eq=False)
class RateClock:
    """Schedules of R runs, each relative to its highest rate; a run without a plan to its horizon has a constant rate.

    Attributes:
        schedules: of each run, None where there is no plan, length R.
        falls: by how much the rate falls in each of M pieces (rises are negative), ascending in time, [R, M].
        after: the rate after each piece, [R, M].
        when: epochs at the highest rate that lie behind the middle of each piece, see `passed`, [R, M].
    """

    schedules: tuple[Schedule | None, ...]
    falls: Array
    after: Array
    when: Array

    @classmethod
    def of(cls, schedules: Mapping[str, Schedule], runs: Sequence[str], horizons: NDArray[np.int64]) -> RateClock:
        """The clock of these runs."""
        plans = [schedules.get(run) for run in runs]
        known = tuple(
            plan if plan is not None and plan.usable and plan.last >= horizon else None
            for plan, horizon in zip(plans, horizons.tolist(), strict=True)
        )
        pieces = np.array([np.zeros((3, PIECES)) if plan is None else _pieces(plan) for plan in known])
        falls, after, when = np.moveaxis(pieces.reshape(-1, 3, PIECES), 1, 0)
        return cls(known, falls, after, when)

    def passed(self, epochs: Array | NDArray[np.int64]) -> Array:
        """Sum of the relative rates up to these epochs: so many epochs at the highest rate, [R, T] to [R, T]."""
        rows = zip(self.schedules, np.asarray(epochs, dtype=np.float64), strict=True)
        return np.array([row if plan is None else plan.passed(row) for plan, row in rows]).reshape(np.shape(epochs))

    def rows(self, chosen: slice | NDArray[np.int64]) -> RateClock:
        """The clock of these runs only."""
        index = np.arange(len(self.schedules))[chosen]
        return RateClock(
            tuple(self.schedules[i] for i in index), self.falls[chosen], self.after[chosen], self.when[chosen]
        )


def _pieces(plan: Schedule) -> Array:
    """Falls, rates after them, and when they happen, of `PIECES` pieces of equal variation, [3, M]."""
    rates = plan.rates / plan.rates.max()
    varied = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(rates)))])
    if varied[-1] == 0:
        return np.zeros((3, PIECES))
    edges = np.interp(np.linspace(0, varied[-1], 2 * PIECES + 1), varied, plan.epochs.astype(np.float64))
    at = np.interp(edges, plan.epochs, rates)[::2]
    return np.stack([at[:-1] - at[1:], at[1:], plan.passed(edges[1::2])])
