"""Last value plus what finished runs still gained from there: simple, calibrated, and ahead of much that is not."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from lcode.errors import NotEnoughDataError
from lcode.experts.continuation import at_epochs, change_quantiles, continuation_grid, continuations, run_cutoffs
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.table import RunTable
from lcode.tensors.arrays import curve_arrays


class DriftForecaster(Forecaster):
    """Adds the quantiles of the finished runs' change since the same epoch to the last value.

    The band is as wide for every run. Without finished runs it is the last value.

    Args:
        seed: not used; every forecaster is made with one.
    """

    name: ClassVar[str] = "drift"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._finished: RunTable | None = None

    def fit(self, table: RunTable) -> Self:
        """Keep the finished runs; their drift is looked up when the cutoff is known."""
        self._finished = finished_runs(table, at_least=0)
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast last value + drift; NaN for a curve without a point."""
        if self._finished is None:
            raise NotEnoughDataError("call fit before predict")
        arrays, epochs = curve_arrays(table), query_epochs(table, at)
        horizons = table.runs["horizon"].to_numpy(np.int64)
        finished = curve_arrays(self._finished, metrics=arrays.metrics)
        finished_horizons = self._finished.runs["horizon"].to_numpy(np.int64)
        cutoffs = run_cutoffs(arrays)
        quantiles = np.empty((*arrays.lengths.shape, epochs.shape[1], len(LEVELS)))
        for cutoff in np.unique(cutoffs).tolist():
            rows = np.flatnonzero(cutoffs == cutoff)
            last = arrays.last_values[rows]
            longer = finished_horizons > cutoff
            known, known_horizons = finished.rows(longer), finished_horizons[longer]
            grid = continuation_grid(known_horizons, cutoff)
            then = known.before(np.full(len(known_horizons), cutoff)).last_values
            drift = continuations(known, known_horizons, cutoff, grid) - then[..., None]
            path = last[..., None, None] + change_quantiles(drift)
            quantiles[rows] = at_epochs(path, grid, last, cutoff, horizons[rows], epochs[rows])
        return assemble(table, arrays, epochs, quantiles)
