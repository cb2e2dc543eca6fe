"""Extrapolate each curve by itself with a power law: the textbook forecast."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from lcode.errors import NotEnoughDataError
from lcode.experts.continuation import (
    at_epochs,
    change_quantiles,
    continuation_grid,
    continuations,
    run_cutoffs,
    share_epochs,
)
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.forecasters.power_fit import fit_power_laws
from lcode.table import RunTable
from lcode.tensors.arrays import CurveArrays, curve_arrays


class PowerLawForecaster(Forecaster):
    """a + b t^-c per curve; the last value with fewer than three points.

    Exponentials, alone or as a second choice per curve, forecast worse: they saturate within the prefix.
    The spread comes from the errors that the same fit made on the finished runs, cut at the same epoch; their median
    is added to the point forecast. Without finished runs it is a point forecast.

    Args:
        seed: not used; every forecaster is made with one.
    """

    name: ClassVar[str] = "power"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._finished: RunTable | None = None

    def fit(self, table: RunTable) -> Self:
        """Keep the finished runs; their errors are measured when the cutoff is known."""
        self._finished = finished_runs(table, at_least=0)
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Extrapolate each curve; NaN for a curve without a point."""
        if self._finished is None:
            raise NotEnoughDataError("call fit before predict")
        arrays, epochs = curve_arrays(table), query_epochs(table, at)
        horizons = table.runs["horizon"].to_numpy(np.int64)
        finished = curve_arrays(self._finished, metrics=arrays.metrics)
        finished_horizons = self._finished.runs["horizon"].to_numpy(np.int64)
        quantiles = np.repeat(_extrapolate(arrays, epochs)[..., None], len(LEVELS), axis=-1)
        cutoffs = run_cutoffs(arrays)
        for cutoff in np.unique(cutoffs).tolist():
            rows = np.flatnonzero(cutoffs == cutoff)
            longer = finished_horizons > cutoff
            known, known_horizons = finished.rows(longer), finished_horizons[longer]
            grid = continuation_grid(known_horizons, cutoff)
            then = share_epochs(known_horizons, cutoff, grid)
            prefix = known.before(np.full(len(known_horizons), cutoff))
            error = change_quantiles(continuations(known, known_horizons, cutoff, grid) - _extrapolate(prefix, then))
            path = np.broadcast_to(error, (len(rows), *error.shape))
            start = np.zeros((len(rows), len(arrays.metrics)))
            quantiles[rows] += at_epochs(path, grid, start, cutoff, horizons[rows], epochs[rows])
        return assemble(table, arrays, epochs, quantiles)


def _extrapolate(prefix: CurveArrays, epochs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Fitted curves at the epochs [R, Q], shape [R, K, Q]."""
    fit = fit_power_laws(prefix)
    return np.where(fit.usable[..., None], fit.at(epochs), prefix.last_values[..., None])
