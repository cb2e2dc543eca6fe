"""A forecaster that learns while a sweep goes on: a run counts in forecasts of the others once it has finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
        if not isinstance(self.model, Forecaster):  # anything that predicts will do
            return self.model
        again = set(finished)
        past = [run for run in self._history.run_ids if run not in again]
        count = max(taken_up(len(past) + len(finished), self.model.min_finished) - len(past), 0)
        chosen = finished[:count]
        now = tuple(past), tuple(chosen), tuple(metrics)
        if now != self._known:
            known = self._history.select(past)
            if chosen:
                known = known.concat(table_of(chosen)) if past else table_of(chosen)
            # Few finished runs teach nothing; those in progress are compared with each other.
            enough = len(known) >= self.model.min_finished
            self._current, self._known = self.model.in_context(known) if enough else self.model, now
        return self._current
