"""From a regressor to quantiles: the errors it made on runs that it had not seen are its spread."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays
from lcode.curves.continuation import change_quantiles
from lcode.curves.features import RunFeatures
from lcode.ensemble.folds import assign_folds
from lcode.forecasters.cutoff_data import CutoffData
from lcode.table import RunTable

Array = NDArray[np.float64]

Predictor = Callable[[Array], Array]
"""Features [R, P] to predicted targets [R, J]."""

Learner = Callable[[Array, Array, Array], Predictor]
"""Learns from features [N, P], targets [N, J] and the shares [J] that these stand for; no NaN."""

FOLDS = 3
"""Parts that are left out in turn."""

MIN_RUNS = 3
"""Fewer runs are forecast by their mean; a metric that fewer finished runs have is not forecast at all."""


class PointModel:
    """A regressor from everything known at the cutoff to the scaled change since the last value, metric by metric.

    A prediction is kept within the changes that the finished runs showed. To it are added the quantiles of the errors
    on left-out runs, so the band is as wide for every run, in the metric's scale.

    Args:
        finished, cutoff, seed: see `CutoffForecaster.learn`.
        learner: makes the regressor.
    """

    def __init__(self, finished: RunTable, cutoff: int, seed: int, learner: Learner) -> None:
        self._data = CutoffData(finished, cutoff)
        self.grid = self._data.grid
        self._features = RunFeatures(finished, self._data.arrays, self._data.scale, cutoff)
        self._learner = learner
        fold = assign_folds(finished, FOLDS, seed)
        self._predictors: list[Predictor | None] = []
        self._errors = np.full_like(self._data.changes, np.nan)
        for k in range(self._data.changes.shape[1]):
            target = self._data.changes[:, k]
            known = np.flatnonzero(np.isfinite(target).all(axis=1))
            self._predictors.append(self._learn(known, k) if len(known) >= MIN_RUNS else None)
            for part in np.unique(fold[known]):
                out, others = known[fold[known] == part], known[fold[known] != part]
                if len(others):
                    self._errors[out, k] = target[out] - self._learn(others, k)(self._features.training[out])

    def predict(self, table: RunTable, arrays: CurveArrays) -> Array:
        """See `CutoffModel.predict`."""
        features = self._features.of(table, arrays)
        nothing = np.full((len(features), len(self.grid)), np.nan)
        point = [nothing if predictor is None else predictor(features) for predictor in self._predictors]
        changes = np.stack(point, axis=1)[..., None] + change_quantiles(self._errors)
        return self._data.continued(arrays, changes)

    def _learn(self, rows: NDArray[np.int64], k: int) -> Predictor:
        """The regressor of metric k, learned from these runs."""
        features, target = self._features.training[rows], self._data.changes[rows, k]
        if len(target) < MIN_RUNS:
            return lambda queries: np.broadcast_to(target.mean(0), (len(queries), target.shape[1]))
        predictor, low, high = self._learner(features, target, self.grid), target.min(0), target.max(0)
        return lambda queries: np.clip(predictor(queries), low, high)
