"""What a model expects of recorded runs, as it would have known at the time: forecast when asked for, and kept."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import architectures, forecast_rows, score_samples
from lcode.decisions.rule import SAMPLES
from lcode.forecasters.base import Forecaster
from lcode.forecasters.in_sweep import InSweep, Known
from lcode.table import RunTable

if TYPE_CHECKING:
    from lcode.evaluation.replay.sweep import RecordedSweep

KEPT = 24
"""Models that learned in a sweep are kept for the next rule, which meets the same finished runs for a while; a sweep of
100 runs makes a dozen."""


class Expected(NamedTuple):
    """Samples of a run's final score, [n], and whether its forecaster says that it has diverged."""

    samples: NDArray[np.float64]
    diverged: bool


@dataclass(eq=False)
class _Made:
    """A forecaster in one state of knowledge, and what it has said so far: epoch -> run -> what it expects."""

    model: Forecaster
    alone: bool
    by_epoch: dict[int, dict[int, Expected]] = field(default_factory=dict)


class SweepForecasts:
    """Forecasts of recorded runs by one model, which may learn from those that have finished.

    Each is what a live monitor would have been told. Runs that will be asked for at the same epoch are forecast with
    the one that is, in batches that grow: a batch of one costs nearly as much as one of thirty. Where the same runs
    had finished, in whatever order, under whatever rule, the forecasts are the same and made once.

    Args:
        sweep: the recorded runs.
        model: a forecaster that has not seen them.
    """

    def __init__(self, sweep: RecordedSweep, model: Forecaster) -> None:
        self._sweep, self.model = sweep, model
        past = sweep.table.select([]) if sweep.history is None else sweep.history
        self._in_sweep = InSweep(model, past)
        self._archs = architectures(sweep.table)
        self._reports = [frozenset(epochs) for epochs in sweep.curves.epochs]
        # Before it has learned, the shipped model compares the runs of a batch with each other. Live there is none.
        self._untaught = _Made(model, alone=self.learns)
        self._taught: OrderedDict[tuple[tuple[str, ...], frozenset[str]], _Made] = OrderedDict()
        self._in_company: dict[tuple[int, frozenset[int]], dict[int, Expected]] = {}

    @property
    def learns(self) -> bool:
        """Whether the model takes up runs that have finished, so that what it expects depends on their order."""
        return isinstance(self.model, Forecaster) and self.model.learns_in_context

    def expected(self, run: int, epoch: int, done: Sequence[int], next_ones: Sequence[int]) -> Expected:
        """What is expected of a run that has reached this epoch.

        Args:
            run: its index.
            epoch: in ticks.
            done: runs that have finished, in this order.
            next_ones: runs that may be asked for next at this epoch, the likeliest first.
        """
        made = self._knowing(done)
        known = made.by_epoch.setdefault(epoch, {})
        if run not in known:
            beside = [i for i in next_ones if i not in known and i != run and epoch in self._reports[i]]
            batch = [run] if made.alone else [run, *beside[: 2 * len(known)]]
            known.update(zip(batch, self._forecast(made.model, batch, epoch), strict=True))
        return known[run]

    def among(self, run: int, epoch: int, done: Sequence[int], company: Sequence[int]) -> Expected:
        """The same where all runs are forecast at once, so that those in progress are compared with each other.

        Args:
            run: see `expected`.
            epoch: see `expected`.
            done: see `expected`.
            company: runs in progress that have come as far, this one among them.
        """
        if not self.learns or self._knowing(done) is not self._untaught:
            return self.expected(run, epoch, done, company)
        key = epoch, frozenset(company)
        if key not in self._in_company:
            batch = sorted(company)
            self._in_company[key] = dict(zip(batch, self._forecast(self.model, batch, epoch), strict=True))
        return self._in_company[key][run]

    def known(self, done: Sequence[int]) -> Known:
        """The finished runs that the model would have taken up by then: forecasts differ where these do."""
        return self._in_sweep.known([self._sweep.table.run_ids[i] for i in done])

    def _knowing(self, done: Sequence[int]) -> _Made:
        """The model that knows those of the finished runs that it would have taken up by then."""
        if not self.learns:
            return self._untaught
        known = self.known(done)
        key = known.past, frozenset(known.sweep)
        if key not in self._taught:
            model = self._in_sweep.taught(known, self._sweep.table.select)
            if model is self.model:
                return self._untaught
            self._taught[key] = _Made(model, alone=False)
            if len(self._taught) > KEPT:
                self._taught.popitem(last=False)
        self._taught.move_to_end(key)
        return self._taught[key]

    def _forecast(self, model: Forecaster, batch: Sequence[int], epoch: int) -> list[Expected]:
        table = self._sweep.table
        seen = _finite(table.rows(batch).prefix(epoch))
        forecast = model.predict(seen).final()
        diverged = (forecast.status == "diverged").any(1).tolist()
        found = []
        for place, (i, lost) in enumerate(zip(batch, diverged, strict=True)):
            # Each run is sampled alone, as the live monitor does it.
            row = forecast_rows(forecast, np.array([place]))
            samples = score_samples(row, self._sweep.objective, n=SAMPLES, seed=0, archs=[self._archs[i]])
            found.append(Expected(samples[:, 0], lost))
        return found


def _finite(table: RunTable) -> RunTable:
    """The table without the points that are not finite, of which it is not known yet whether they will last."""
    points = table.points[np.isfinite(table.points["value"])]
    return dataclasses.replace(table, points=points.reset_index(drop=True))
