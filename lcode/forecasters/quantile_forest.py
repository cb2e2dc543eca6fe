"""One quantile forest per cutoff: the plain form of the baseline, and what it owes to the curve or to the rest."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays
from lcode.curves.features import RunFeatures
from lcode.forecasters.by_cutoff import CutoffForecaster, CutoffModel
from lcode.forecasters.cutoff_data import CutoffData, without_side_information
from lcode.forecasters.trees import SPLIT_POINTS
from lcode.regressors.extra_trees import QuantileForest, metric_quantiles, split_targets
from lcode.table import RunTable


class QuantileForestForecaster(CutoffForecaster):
    """Extremely randomised trees on curves, signals, configuration, architecture and planned learning rate.

    They predict the change since the last value, in log space for positive metrics; a forecast is the weighted
    quantiles of the training runs in the same leaves (Meinshausen 2006).
    """

    name: ClassVar[str] = "qforest"

    def learn(self, finished: RunTable, cutoff: int) -> CutoffModel:
        """Grow the forest of a cutoff."""
        return _ForestModel(finished, cutoff, self.seed)


class CurveForestForecaster(QuantileForestForecaster):
    """The same forest on curves and signals alone."""

    name: ClassVar[str] = "qforest-curve"

    def learn(self, finished: RunTable, cutoff: int) -> CutoffModel:
        """Grow the forest of a cutoff."""
        return _ForestModel(finished, cutoff, self.seed, side_information=False)


class ConfigForecaster(QuantileForestForecaster):
    """The same forest on what is known before a run starts: every run is forecast as if nothing had been observed."""

    name: ClassVar[str] = "config"

    def cutoffs(self, arrays: CurveArrays) -> NDArray[np.int64]:
        """-1 for every run."""
        return np.full(len(arrays.lengths), -1)


class _ForestModel:
    """The forest of one cutoff; see `CutoffForecaster.learn` for the arguments."""

    def __init__(self, finished: RunTable, cutoff: int, seed: int, *, side_information: bool = True) -> None:
        self._data = CutoffData(finished, cutoff)
        self.grid = self._data.grid
        readable = finished if side_information else without_side_information(finished)
        self._features = RunFeatures(readable, self._data.arrays, self._data.scale, cutoff)
        targets = split_targets(self._data.changes, SPLIT_POINTS)
        self._forest = QuantileForest(self._features.training, targets, seed=seed)

    def predict(self, table: RunTable, arrays: CurveArrays) -> NDArray[np.float64]:
        """See `CutoffModel.predict`."""
        weights = self._forest.weights(self._features.of(table, arrays))
        return self._data.continued(arrays, metric_quantiles(self._data.changes, weights))
