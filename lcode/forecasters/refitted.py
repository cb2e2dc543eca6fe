"""A forecaster that is fitted anew whenever runs have finished, so that any of them can learn in a sweep."""

from __future__ import annotations

import copy
from typing import ClassVar, Self

import numpy as np

from lcode.curves.arrays import curve_arrays
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster
from lcode.table import RunTable


class RefittedForecaster(Forecaster):
    """Takes up finished runs by fitting them; until there are enough it has no forecast (NaN).

    Args:
        forecaster: what is fitted; it stays as it is, copies of it learn.
    """

    name: ClassVar[str] = "refitted"

    def __init__(self, forecaster: Forecaster) -> None:
        self._forecaster = forecaster
        self.min_finished = forecaster.min_finished  # type: ignore[misc]

    def fit(self, table: RunTable) -> Self:
        """There is nothing to learn before runs have finished."""
        return self

    def in_context(self, runs: RunTable) -> Forecaster:
        """The forecaster, fitted on these runs."""
        return copy.copy(self._forecaster).fit(runs)

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """No forecast of any run that is not over."""
        epochs, arrays = query_epochs(table, at), curve_arrays(table)
        return assemble(table, arrays, epochs, np.full((*arrays.lengths.shape, epochs.shape[1], len(LEVELS)), np.nan))
