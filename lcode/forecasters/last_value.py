"""The humblest forecast: nothing will change any more."""

from __future__ import annotations

from typing import ClassVar, Self

from lcode.curves.arrays import curve_arrays
from lcode.forecast import Forecast, query_epochs
from lcode.forecasters.assemble import assemble, last_values_as_quantiles
from lcode.forecasters.base import At, Forecaster
from lcode.table import RunTable


class LastValueForecaster(Forecaster):
    """Every future value is the last observed one; a point forecast, so all quantiles are equal.

    Args:
        seed: not used; every forecaster is made with one.
    """

    name: ClassVar[str] = "last"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, table: RunTable) -> Self:
        """There is nothing to learn."""
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast the last observed value; NaN for a curve without a point."""
        epochs, arrays = query_epochs(table, at), curve_arrays(table)
        return assemble(table, arrays, epochs, last_values_as_quantiles(arrays, epochs))
