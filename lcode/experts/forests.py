"""Forests that each leave out a fold: together the forecast, apart what each run would have been forecast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.experts.forest import QuantileForest, metric_quantiles, split_targets
from lcode.experts.prefix import Known
from lcode.experts.scene import KEPT, Scene

Array = NDArray[np.float64]

FOLD_TREES = 10
"""Trees without each fold."""

SPLIT_POINTS = 4
"""Future points of each metric that the splits are to predict; more take longer and are no better."""


class ForestExperts:
    """Two quantile forests, one on the future values, one on their change since the last value, in model space.

    Args:
        scene: the finished runs from the cutoff.
        known: what was known of them there.
        seed: seed of the trees.
    """

    def __init__(self, scene: Scene, known: Known, seed: int) -> None:
        self._last = known.last
        self._targets = (scene.values, scene.values - known.anchor(known.last)[..., None])
        self._features = known.everything()
        folds = np.unique(scene.folds[scene.folds != KEPT])
        self._rows = [np.flatnonzero(scene.folds != fold) for fold in folds]
        self._out = [np.flatnonzero(scene.folds == fold) for fold in folds]
        self._forests = [
            [
                QuantileForest(self._features[rows], splits[rows], seed=seed * 1000 + fold, trees=FOLD_TREES)
                for fold, rows in enumerate(self._rows)
            ]
            for splits in (split_targets(target, SPLIT_POINTS) for target in self._targets)
        ]

    def left_out(self, known: Known) -> Array:
        """Quantiles for the scene's own runs, each without its fold, by both forests, [2, N, K, J, 21]."""
        weights = np.zeros((2, len(self._last), len(self._last)))
        for which, forests in enumerate(self._forests):
            for forest, rows, out in zip(forests, self._rows, self._out, strict=True):
                weights[which][np.ix_(out, rows)] = forest.weights(self._features[out])
        return self._quantiles(weights, known)

    def predict(self, known: Known) -> Array:
        """Quantiles in model space by both forests, [2, R, K, J, 21]; NaN for a metric that no finished run has."""
        features = known.everything()
        weights = np.zeros((2, len(features), len(self._last)))
        for which, forests in enumerate(self._forests):
            for forest, rows in zip(forests, self._rows, strict=True):
                weights[which][:, rows] += forest.weights(features) / len(forests)
        return self._quantiles(weights, known)

    def _quantiles(self, weights: Array, known: Known) -> Array:
        values, changes = (metric_quantiles(t, w) for t, w in zip(self._targets, weights, strict=True))
        return np.stack([values, changes + known.anchor(self._last)[..., None, None]])
