"""The multi-power law, fitted to the curves of each configuration under several learning-rate schedules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import ndtri

from lcode.curves.arrays import CurveArrays, curve_arrays, thinned
from lcode.curves.rate_clock import RateClock
from lcode.errors import NotEnoughDataError
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble, curve_status, last_values_as_quantiles
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.table import Metric, RunTable

Array = NDArray[np.float64]

POINTS = 100
"""Evenly chosen points of a curve at most."""

ROBUST = 1e-3
"""Errors of log values beyond it count linearly (Huber's loss), as in the paper."""

STARTS = ((0.3, 10.0), (0.3, 100.0), (0.6, 1000.0))
"""Values of α and C from which a fit begins; β and γ begin at a half."""

BOUND = np.array([12.0, 2.5, 12.0, 12.0, 2.5, 2.5, 5.0])
"""Of the logarithms of A, α, B, C, β, γ and L0, about their start: what no curve determines stays a number."""


class MultiPowerLawForecaster(Forecaster):
    """The multi-power law (Luo et al. 2025, arXiv 2503.12811), a law for each configuration but for its schedule.

        L(t) = L0 + A S(t)^-α - B Σ_k f_k (1 - (1 + C r_k^-γ (S(t) - S_k))^-β)

    S is the sum of the learning rates so far; f_k is a fall of the rate, at S_k, to r_k. The seven parameters are
    fitted by Huber's loss of log values to all finished runs whose numbers in the configuration are those of the run:
    texts, such as a schedule's name, do not count. A run of another configuration has the law of all. A run in progress
    joins the runs of its law with its own points. Intervals are Gaussian with the law's error of log values.

    What differs: rates are relative to the highest and S is a share of the longest training; a schedule's falls are
    read as 24 equal ones; at most 100 points of a curve count, all curves alike; the fit is by trust regions from three
    starts instead of by Adam from a grid. Of a metric of which more is better values are turned round, and these, as
    all with values of 0 or below, are moved up until the least is as far from 0 as from the largest.

    Args:
        seed: not used; every forecaster is made with one.
    """

    name: ClassVar[str] = "mpl"
    min_finished: ClassVar[int] = 2

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._done: RunTable | None = None
        self._scales: dict[str, _Scale] = {}
        self._curves: dict[str, _Curves] = {}
        self._laws: dict[tuple[str, str], _Law] = {}
        self._length = 1.0

    def fit(self, table: RunTable) -> Self:
        """Fit a law per metric and configuration, and one of all configurations."""
        done = finished_runs(table, at_least=self.min_finished)
        self._done = done = done.select(sorted(done.run_ids))  # the order of the logs must not matter
        self._length, self._laws = float(done.runs["horizon"].max()), {}
        arrays, group = curve_arrays(done), _groups(done)
        self._scales = {
            metric.key: _Scale.fit(arrays.values[:, k], metric)
            for k, metric in enumerate(arrays.metrics)
            if arrays.lengths[:, k].any()
        }
        self._curves = self._read(done, arrays)
        for key, curves in self._curves.items():
            for name in ("", *dict.fromkeys(group)):
                own = curves if not name else curves.rows(np.array([one == name for one in group]))
                if own.known.any(axis=1).sum() >= self.min_finished:
                    self._laws[key, name] = _Law.fit(own)
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast each curve."""
        if self._done is None:
            raise NotEnoughDataError("call fit before predict")
        epochs, arrays = query_epochs(table, at), curve_arrays(table)
        quantiles = last_values_as_quantiles(arrays, epochs)
        known, status = np.array(_groups(self._done)), curve_status(table, arrays)
        seen = self._read(table, arrays)
        clock = RateClock.of(table.schedules, table.run_ids, table.runs["horizon"].to_numpy(np.int64))
        passed = clock.passed(epochs) / self._length
        for k, metric in enumerate(arrays.metrics):
            for r, name in enumerate(_groups(table)):
                name = name if (metric.key, name) in self._laws else ""
                law = self._laws.get((metric.key, name))
                if law is None or status[r, k] not in ("ok", "too_short"):
                    continue
                own = seen[metric.key].rows(np.array([r]))
                if own.known.any():
                    others = self._curves[metric.key]
                    law = law.with_curve(others.rows(known == name) if name else others, own)
                logs = law.quantiles(passed[[r]], clock.rows(np.array([r])), self._length)[0]
                quantiles[r, k] = self._scales[metric.key].values(logs)
        return assemble(table, arrays, epochs, quantiles)

    def _read(self, table: RunTable, arrays: CurveArrays) -> dict[str, _Curves]:
        """The curves of each metric that is known."""
        clock = RateClock.of(table.schedules, table.run_ids, table.runs["horizon"].to_numpy(np.int64))
        epochs, values, known = thinned(arrays, POINTS)
        when = clock.when / self._length
        return {
            metric.key: _Curves(
                clock.passed(epochs[:, k]) / self._length,
                self._scales[metric.key].logs(np.where(known[:, k], values[:, k], np.nan)),
                known[:, k],
                clock.falls,
                clock.after,
                when,
            )
            for k, metric in enumerate(arrays.metrics)
            if metric.key in self._scales
        }


class _Scale(NamedTuple):
    """From values to logarithms: whether they are turned round, and what is then added to them."""

    sign: float
    added: float

    @classmethod
    def fit(cls, values: Array, metric: Metric) -> _Scale:
        """Read off the values of finished runs, NaN where there is none."""
        sign = 1.0 if metric.direction == "min" else -1.0
        least, largest = float(np.nanmin(sign * values)), float(np.nanmax(sign * values))
        return cls(sign, 0.0 if sign > 0 and least > 0 else (largest - least or 1.0) - least)

    def logs(self, values: Array) -> Array:
        """Logarithms, 0 where there is no value; what lies far below the finished runs is bounded."""
        least = 1e-6 * (1.0 + abs(self.added))
        return np.log(np.maximum(np.where(np.isnan(values), 1.0, self.sign * values + self.added), least))

    def values(self, logs: Array) -> Array:
        """The inverse of `logs`."""
        return self.sign * (np.exp(logs) - self.added)


@dataclass(frozen=True, eq=False)
class _Curves:
    """Points of R curves: S as a share of the longest training and log values, [R, T]; falls, [R, M]."""

    passed: Array
    values: Array
    known: NDArray[np.bool_]
    falls: Array
    after: Array
    when: Array

    def rows(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> _Curves:
        """These curves only."""
        return _Curves(*(part[chosen] for part in vars(self).values()))

    def below(self, above: _Curves) -> _Curves:
        """These below others."""
        return _Curves(*map(_stacked, vars(above).values(), vars(self).values()))


@dataclass(frozen=True, eq=False)
class _Law:
    """A fitted law: logarithms of A, α, B, C, β, γ and L0, and the deviation of log values from it."""

    logs: Array
    error: float

    @classmethod
    def fit(cls, curves: _Curves) -> _Law:
        """The likeliest law from all starts."""
        values = curves.values[curves.known]
        least, size = float(np.exp(values.min())), float(np.ptp(np.exp(values))) or 1e-6
        starts = [np.log([size, power, size, speed, 0.5, 0.5, 0.95 * least]) for power, speed in STARTS]
        return min((cls.near(curves, start, size) for start in starts), key=lambda found: found[0])[1]

    @classmethod
    def near(cls, curves: _Curves, start: Array, size: float) -> tuple[float, _Law]:
        """The law that a fit from this start ends at, and what it costs."""

        def wrong(logs: Array) -> Array:
            return (_log_values(logs, curves) - curves.values)[curves.known]

        found = least_squares(
            wrong, start, bounds=(start - BOUND, start + BOUND), loss="huber", f_scale=ROBUST, x_scale=1.0, max_nfev=200
        )
        return float(found.cost), cls(found.x, float(wrong(found.x).std()) + 1e-9 * size)

    def with_curve(self, others: _Curves, own: _Curves) -> _Law:
        """The law that one more curve is fitted with."""
        return self.near(own.below(others), self.logs, 1.0)[1]

    def quantiles(self, passed: Array, clock: RateClock, length: float) -> Array:
        """Quantiles of log values at S of R runs, [R, Q] to [R, Q, 21]."""
        nothing = np.zeros(passed.shape)
        asked = _Curves(passed, nothing, nothing > 0, clock.falls, clock.after, clock.when / length)
        values = _log_values(self.logs, asked)
        return np.asarray(values[..., None] + self.error * ndtri(LEVELS))


def _log_values(logs: Array, curves: _Curves) -> Array:
    """Logarithms of the law's values, [R, T]."""
    size, power, gain, speed, decay, bend, least = np.exp(logs)
    since = np.maximum(curves.passed[:, None] - curves.when[..., None], 0.0)
    pace = speed * np.maximum(curves.after, 1e-3) ** -bend
    gained = (curves.falls[..., None] * (1.0 - (1.0 + pace[..., None] * since) ** -decay)).sum(1)
    values = least + size * np.maximum(curves.passed, 1e-6) ** -power - gain * gained
    return np.log(np.maximum(values, 1e-3 * least))


def _groups(table: RunTable) -> list[str]:
    """The numbers of each run's configuration as text."""
    numbers = [name for name in table.configs if pd.api.types.is_numeric_dtype(table.configs[name])]
    return [repr(row) for row in table.configs[numbers].itertuples(index=False, name=None)]


def _stacked(above: NDArray, below: NDArray) -> NDArray:
    """Rows below others, filled up with 0 to the same length."""
    width = max(above.shape[1], below.shape[1])
    return np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in (above, below)])
