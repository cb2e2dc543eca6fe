"""What every forecaster is: something that learns from finished runs and forecasts the others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from lcode.errors import NotEnoughDataError
from lcode.forecast import Forecast
from lcode.table import RunTable, pooled
from lcode.table.given import check_table

At = Literal["horizon", "full"] | dict[str, NDArray[np.int64]]
"""Which epochs to forecast; see `lcode.forecast.query_epochs`."""


class Forecaster(ABC):
    """Learns from finished runs, forecasts running ones. The same seed on the same machine gives the same numbers."""

    name: ClassVar[str]
    min_finished: ClassVar[int] = 0
    """How many finished runs `fit` needs."""

    @abstractmethod
    def fit(self, table: RunTable) -> Self:
        """Learn from the finished runs of the table; others are ignored.

        Raises:
            NotEnoughDataError: fewer than `min_finished` finished runs with at least two epochs.
        """

    def fit_related(self, table: RunTable, related: Sequence[RunTable]) -> Self:
        """Learn from a table's finished runs and from runs of other problems with the same metrics.

        By default from all of them alike; a forecaster that can tell them apart overrides this.

        Args:
            table: runs of the problem to forecast; there may be none.
            related: tables of the other problems; names of runs may repeat.

        Raises:
            NotEnoughDataError: fewer than `min_finished` finished runs in all of them together.
            UsageError: the tables disagree on the direction of a metric.
        """
        return self.fit(pooled([table, *related]))

    @property
    def learns_in_context(self) -> bool:
        """Whether `in_context` teaches it anything."""
        return type(self).in_context is not Forecaster.in_context

    @property
    def learned_from(self) -> int:
        """How many finished runs it has learned from, where `in_context` adds to them; else 0."""
        return 0

    def in_context(self, runs: RunTable) -> Forecaster:
        """The forecaster that knows the finished ones of these runs, as far as it can take them up without a fit.

        By default itself: what `fit` has learned is all that it knows.
        """
        return self

    @abstractmethod
    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast each run of the table from the points that the table holds, and nothing else.

        Every run and metric of the table gets its place in the forecast, in the table's order: a run that reached
        its horizon with its observed value, a diverged one with NaN.

        Raises:
            UsageError: no table, or no epochs to forecast.
        """


def finished_runs(table: RunTable, *, at_least: int) -> RunTable:
    """The finished runs of a table that have at least two epochs.

    Raises:
        NotEnoughDataError: there are fewer than `at_least`.
        UsageError: what was given is no table.
    """
    check_table("table", table)
    settled = int((table.runs["status"] == "finished").sum())
    if settled < at_least:  # a live sweep asks at every epoch, mostly while there are none: that must cost nothing
        raise _too_few(settled, at_least, table)
    done = _planned_alike(table.with_status("finished"), table)
    epochs = done.points.groupby("run", observed=True)["epoch"].nunique()
    done = done.select([run for run in done.run_ids if epochs.get(run, 0) >= 2])
    if len(done) < at_least:
        raise _too_few(len(done), at_least, table)
    return done


def _too_few(found: int, at_least: int, table: RunTable) -> NotEnoughDataError:
    return NotEnoughDataError(
        f"{found} finished runs with at least two epochs, {at_least} are needed to learn from "
        f"({len(table)} runs in the logs; a run is finished when it reached its horizon or says so in `status`)"
    )


def _planned_alike(done: RunTable, table: RunTable) -> RunTable:
    """The finished runs, without their schedules where no run in progress has one up to its horizon.

    Loggers write the rate of each epoch, so that of a finished run all are known and of one in progress those up to
    now. What a model learns of plans would mislead it where it has none.
    """
    running = table.runs["status"] == "running"
    plans = {run: plan for run, plan in table.schedules.items() if running[run]}
    if not running.any() or any(plan.last >= table.runs["horizon"][run] for run, plan in plans.items()):
        return done
    return replace(done, schedules={})
