"""LKGP, an exact Gaussian process over configuration × epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.errors import NotEnoughDataError
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble, curve_status, last_values_as_quantiles
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.forecasters.unit_configs import UnitConfigs
from lcode.isolation import isolated
from lcode.regressors.kronecker_gp import KroneckerGP
from lcode.table import RunTable

Array = NDArray[np.float64]

GRID = 50
"""Longer curves are read at so many epochs at most, evenly spread in their logarithm."""


class LKGPForecaster(Forecaster):
    """Gaussian process with latent Kronecker structure (Lin et al. 2024, arXiv 2410.09239; 2025, 2506.06895).

    One process a metric: a kernel over the configuration in the unit cube with a length scale for each hyper-parameter,
    times one over log epochs; values enter with their largest subtracted and divided by their deviation, those of which
    less is better with the sign turned. The hyper-parameters maximise the marginal likelihood under log-normal priors.
    A forecast is the exact posterior given the finished runs and the run's own points, noise included.

    What differs: each run is forecast from the finished ones and itself, not from the other unfinished ones, so that
    the missing end is one curve's and is solved directly instead of by conjugate gradients. The finished runs are those
    of the largest rectangle of runs × log epochs, the others are left out; curves of more than 50 epochs are thinned to
    50. Both kernels are Matérn-5/2: with a squared-exponential one over configurations CRPS is 5 to 13 % larger, with
    Matérn-1/2 over log epochs 1 to 60 % (three tables of LCBench's design half, 5 of 51 epochs, 30 finished runs).
    Without a configuration runs are independent draws. It knows nothing of loss weights, plans, signals and graphs.
    Nothing of it is random.

    Args:
        seed: not used; every forecaster is made with one.
    """

    name: ClassVar[str] = "lkgp"
    min_finished: ClassVar[int] = 3

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._configs: UnitConfigs | None = None
        self._processes: dict[str, _Process] = {}

    def fit(self, table: RunTable) -> Self:
        """Choose the hyper-parameters of every metric."""
        done = finished_runs(table, at_least=self.min_finished)
        done = done.select(sorted(done.run_ids))  # the order of the logs must not matter
        self._configs, arrays = UnitConfigs.fit(done.configs), curve_arrays(done)
        places = self._configs.encode(done.configs)
        self._processes = {}
        with isolated():
            for k, metric in enumerate(arrays.metrics):
                if (arrays.last_epochs[:, k] >= 2).sum() >= self.min_finished:
                    self._processes[metric.key] = _Process.fit(arrays, k, places)
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast each curve; one of a metric that too few finished runs have gets its last value."""
        if self._configs is None:
            raise NotEnoughDataError("call fit before predict")
        epochs, arrays = query_epochs(table, at), curve_arrays(table)
        places = self._configs.encode(table.configs)
        quantiles = last_values_as_quantiles(arrays, epochs)
        with isolated():
            for r, k in np.argwhere(np.isin(curve_status(table, arrays), ("ok", "too_short"))).tolist():
                process = self._processes.get(arrays.metrics[k].key)
                if process is not None:
                    count = int(arrays.lengths[r, k])
                    seen, values = arrays.epochs[r, k, :count], arrays.values[r, k, :count]
                    quantiles[r, k] = process.quantiles(places[r], seen, values, epochs[r])
        return assemble(table, arrays, epochs, quantiles)


@dataclass(frozen=True, eq=False)
class _Process:
    """The process of one metric, on its scales.

    Attributes:
        gp: on scaled values.
        first, last: epochs that become times 0 and 1.
        sign: see `Metric.sign`.
        best, spread: what is subtracted from values with that sign, and what they are divided by.
    """

    gp: KroneckerGP
    first: int
    last: int
    sign: int
    best: float
    spread: float

    @classmethod
    def fit(cls, arrays: CurveArrays, metric: int, places: Array) -> _Process:
        """Learn from a metric of finished runs, at places [R, P]; three of them at least have it beyond epoch 1."""
        sign, lasts = arrays.metrics[metric].sign, arrays.last_epochs[:, metric]
        first = max(1, int(arrays.epochs[lasts >= 2, metric, 0].min()))
        ends = np.unique(lasts[lasts > first])
        last = int(ends[np.argmax([(lasts >= end).sum() * np.log(end / first) for end in ends])])
        rows = np.flatnonzero(lasts >= last)
        grid = _thinned(np.arange(first, last + 1))
        values = sign * arrays.rows(rows).interpolate(np.tile(grid, (len(rows), 1)))[:, metric]
        best, spread = float(values.max()), float(values.std()) or 1.0
        times = _times(grid, first, last)
        return cls(KroneckerGP(places[rows], times, (values - best) / spread), first, last, sign, best, spread)

    def quantiles(self, place: Array, seen: NDArray[np.int64], values: Array, at: NDArray[np.int64]) -> Array:
        """Quantiles in natural units of a run at a place [P], seen at epochs [S], asked for at [Q]: [Q, 21]."""
        kept = np.isin(seen, _thinned(seen[seen >= 1]))
        scaled = (self.sign * values[kept] - self.best) / self.spread
        mean, variance = self.gp.predict(place, self._times(seen[kept]), scaled, self._times(at))
        path = mean[:, None] + np.sqrt(variance)[:, None] * ndtri(LEVELS)
        return self.sign * (self.best + self.spread * path)

    def _times(self, epochs: NDArray[np.int64]) -> Array:
        return _times(epochs, self.first, self.last)


def _times(epochs: NDArray[np.int64], first: int, last: int) -> Array:
    return np.log(np.maximum(epochs, 1) / first) / np.log(last / first)


def _thinned(epochs: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most `GRID` of the ascending epochs, all ≥ 1, evenly spread in their logarithm; both ends are among them."""
    if len(epochs) <= GRID:
        return epochs
    wanted = np.geomspace(epochs[0], epochs[-1], GRID)
    after = np.clip(np.searchsorted(epochs, wanted), 1, len(epochs) - 1)
    nearer = np.where(wanted - epochs[after - 1] < epochs[after] - wanted, after - 1, after)
    return np.unique(epochs[nearer])
