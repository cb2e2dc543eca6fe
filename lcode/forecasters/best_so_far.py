"""The best value seen so far, taken for the future: what hyper-parameter tuners rank by."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from lcode.curves.arrays import curve_arrays
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster
from lcode.table import RunTable


class BestSoFarForecaster(Forecaster):
    """Every future value is the best observed one, by the metric's direction; a point forecast.

    Args:
        seed: not used; every forecaster is made with one.
    """

    name: ClassVar[str] = "best"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, table: RunTable) -> Self:
        """There is nothing to learn."""
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast the best observed value; NaN for a curve without a point."""
        epochs, arrays = query_epochs(table, at), curve_arrays(table)
        sign = np.array([metric.sign for metric in arrays.metrics])[:, None]
        signed = np.where(arrays.present, sign * arrays.values, -np.inf).max(-1, initial=-np.inf)
        best = np.where(arrays.lengths > 0, sign[:, 0] * signed, np.nan)
        shape = (*best.shape, epochs.shape[1], len(LEVELS))
        return assemble(table, arrays, epochs, np.broadcast_to(best[..., None, None], shape))
