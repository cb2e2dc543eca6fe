"""A forecaster for tests of hooks: quick, and it changes its mind as a curve bends."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import pytest

from lcode.curves.arrays import curve_arrays
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster
from lcode.table import RunTable


class TrendForecaster(Forecaster):
    """The last value and half of the last change, give or take 0.01, whatever the epoch."""

    name: ClassVar[str] = "trend"

    def fit(self, table: RunTable) -> Self:
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        arrays, epochs = curve_arrays(table), query_epochs(table, at)
        last = arrays.last_values
        before = np.take_along_axis(arrays.values, np.maximum(arrays.lengths - 2, 0)[..., None], -1)[..., 0]
        band = 0.01 * (2 * LEVELS - 1)
        middle = np.broadcast_to((last + (last - before) / 2)[..., None, None], (*last.shape, epochs.shape[1], 1))
        return assemble(table, arrays, epochs, middle + band)


@pytest.fixture
def trend() -> TrendForecaster:
    """The forecaster."""
    return TrendForecaster()
