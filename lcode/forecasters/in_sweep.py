"""A forecaster that learns while a sweep goes on: a run counts in forecasts of the others once it has finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lcode.forecasters.base import Forecaster
from lcode.table import Metric, RunTable

GROWTH = 1.25
"""Finished runs are taken up when there are so many times more of them than before: at 4, 5, 6, 8, 10, 13, 16, 20 …

What was learned at each epoch must then be learned anew, and the hundredth run teaches less than the fifth.
"""

TableOf = Callable[[Sequence[str]], RunTable]
"""Makes the table of these finished runs of the sweep."""


def taken_up(finished: int, first: int) -> int:
    """How many of so many finished runs a forecaster takes up that needs `first` of them at least."""
    count = 0
    step = max(first, 1)
    while step <= finished:
        count, step = step, max(int(step * GROWTH + 0.5), step + 1)
    return count


class Known(NamedTuple):
    """The runs that a forecaster knows: those of the history, and those of the sweep in the order of their ends."""

    past: tuple[str, ...]
    sweep: tuple[str, ...]


class InSweep:
    """A forecaster, and what it has learned from the runs of a sweep so far.

    What it knows depends on the history and on the order in which the runs finished, not on when it is asked. So a
    sweep that was interrupted decides as one that was not.

    Args:
        model: any forecaster; only one that can take up finished runs learns anything.
        history: runs that had finished before the sweep.
    """

    def __init__(self, model: Forecaster, history: RunTable) -> None:
        self.model = model
        self._history = history.with_status("finished")
        self._known: tuple[object, ...] | None = None
        self._current = model

    def knowing(self, finished: Sequence[str], table_of: TableOf, metrics: Sequence[Metric] = ()) -> Forecaster:
        """The forecaster that knows the history and the finished runs of the sweep, but for the latest few.

        Args:
            finished: names of the sweep's finished runs, in the order in which they finished. One that is in the
                history too was trained anew, and replaces that one.
            table_of: see `TableOf`.
            metrics: what is measured by now, where that may grow: a new one must be known to be forecast.
        """
        known = self.known(finished)
        now = known, tuple(metrics)
        if now != self._known:
            self._current, self._known = self.taught(known, table_of), now
        return self._current

    def known(self, finished: Sequence[str]) -> Known:
        """The runs that count when these of the sweep have finished, in this order."""
        if not isinstance(self.model, Forecaster):  # anything that predicts will do
            return Known((), ())
        again = set(finished)
        past = tuple(run for run in self._history.run_ids if run not in again)
        before = max(len(past), self.model.learned_from)
        count = max(taken_up(before + len(finished), self.model.min_finished) - before, 0)
        return Known(past, tuple(finished[:count]))

    def taught(self, known: Known, table_of: TableOf) -> Forecaster:
        """The forecaster that knows these runs; itself where they are too few to teach anything."""
        if not isinstance(self.model, Forecaster):
            return self.model
        if max(len(known.past), self.model.learned_from) + len(known.sweep) < self.model.min_finished:
            return self.model  # runs in progress are compared with each other
        runs = self._history.select(known.past)
        if known.sweep:
            runs = runs.concat(table_of(known.sweep)) if known.past else table_of(known.sweep)
        return self.model.in_context(runs)
