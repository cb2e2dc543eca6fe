"""ExtraTrees and a Gaussian process, half and half: the strong simple opponent with few and with many finished runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np

from lcode.ensemble.mixture import mixture_quantiles
from lcode.forecast import Forecast
from lcode.forecasters.base import At, Forecaster
from lcode.forecasters.gaussian_process import ProcessForecaster
from lcode.forecasters.trees import TreesForecaster
from lcode.table import RunTable


class TreesAndProcessForecaster(Forecaster):
    """The mixture of both distributions with equal weights (a linear pool; Stone 1961): wide where they disagree.

    Args:
        seed: of the trees and of the process.
    """

    name = "trees+gp"
    min_finished = max(TreesForecaster.min_finished, ProcessForecaster.min_finished)

    def __init__(self, seed: int = 0) -> None:
        self._parts: list[Forecaster] = [TreesForecaster(seed), ProcessForecaster(seed)]

    def fit(self, table: RunTable) -> Self:
        """Fit both."""
        for part in self._parts:
            part.fit(table)
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Their mixture; where one of them has no forecast, that of the other."""
        first, second = (part.predict(table, at) for part in self._parts)
        quantiles = np.where(np.isfinite(first.quantiles), first.quantiles, second.quantiles)
        both = np.isfinite(first.quantiles).all(-1) & np.isfinite(second.quantiles).all(-1)
        cells = np.stack([first.quantiles[both], second.quantiles[both]])
        quantiles[both] = mixture_quantiles(cells, np.ones(cells.shape[:2]))
        return replace(first, quantiles=quantiles)
