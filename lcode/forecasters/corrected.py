"""A point forecast by formula, and how far it was off on the finished runs: its correction and its spread."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.continuation import (
    at_epochs,
    change_quantiles,
    continuation_grid,
    continuations,
    run_cutoffs,
    share_epochs,
)
from lcode.errors import NotEnoughDataError
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.table import RunTable


class CorrectedForecaster(Forecaster):
    """Adds to a point forecast the quantiles of its errors on the finished runs, cut at the same epoch.

    The band is as wide for every run of a cutoff. Without finished runs it is the point forecast.

    Args:
        seed: not used; every forecaster is made with one.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._finished: RunTable | None = None

    @abstractmethod
    def point(self, prefix: CurveArrays, epochs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Forecast of each curve by itself.

        Args:
            prefix: what is known of R runs.
            epochs: epochs of each run, shape [R, Q].

        Returns:
            Values in natural units, shape [R, K, Q]; NaN for a curve without a point.
        """

    def fit(self, table: RunTable) -> Self:
        """Keep the finished runs; the errors on them are measured when the cutoff is known."""
        self._finished = finished_runs(table, at_least=0)
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast each curve; NaN for a curve without a point."""
        if self._finished is None:
            raise NotEnoughDataError("call fit before predict")
        epochs, arrays = query_epochs(table, at), curve_arrays(table)
        horizons = table.runs["horizon"].to_numpy(np.int64)
        finished = curve_arrays(self._finished, metrics=arrays.metrics)
        finished_horizons = self._finished.runs["horizon"].to_numpy(np.int64)
        quantiles = np.repeat(self.point(arrays, epochs)[..., None], len(LEVELS), axis=-1)
        cutoffs = run_cutoffs(arrays)
        for cutoff in np.unique(cutoffs).tolist():
            rows = np.flatnonzero(cutoffs == cutoff)
            longer = finished_horizons > cutoff
            known, known_horizons = finished.rows(longer), finished_horizons[longer]
            grid = continuation_grid(known_horizons, cutoff)
            prefix = known.before(np.full(len(known_horizons), cutoff))
            forecast = self.point(prefix, share_epochs(known_horizons, cutoff, grid))
            error = change_quantiles(continuations(known, known_horizons, cutoff, grid) - forecast)
            path = np.broadcast_to(error, (len(rows), *error.shape))
            start = np.zeros((len(rows), len(arrays.metrics)))
            quantiles[rows] += at_epochs(path, grid, start, cutoff, horizons[rows], epochs[rows])
        return assemble(table, arrays, epochs, quantiles)
