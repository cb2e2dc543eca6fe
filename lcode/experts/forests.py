"""Forests that each leave out a fold: together the forecast, apart what each run would have been forecast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.experts.forest import QuantileForest, metric_quantiles, split_targets
from lcode.experts.prefix import Known
from lcode.experts.scene import Scene
from lcode.forecast import LEVELS, Q05, Q50, Q95

Array = NDArray[np.float64]

FOLD_TREES = 7
"""Trees without each fold; a live run waits for those of every epoch it comes to first."""

SPLIT_POINTS = 4
"""Future points of each metric that the splits are to predict; more take longer and are no better."""

LEAST_WIDTH = 1e-3
"""Of a network's 90 % interval, in model space, when a surprise is measured by it."""


class FoldForests:
    """One quantile forest without each fold, for one target.

    Args:
        features: N training rows, [N, P].
        target: what is to be forecast, NaN where unknown, [N, K, J].
        folds: fold of each row, [N].
        seed: seed of the trees.
    """

    def __init__(self, features: Array, target: Array, folds: NDArray[np.int64], seed: int) -> None:
        self._features, self._target = features, target
        numbers = np.unique(folds)
        self._rows = [np.flatnonzero(folds != fold) for fold in numbers]
        self._out = [np.flatnonzero(folds == fold) for fold in numbers]
        splits = split_targets(target, SPLIT_POINTS)
        self._forests = [
            QuantileForest(features[rows], splits[rows], seed=seed * 1000 + fold, trees=FOLD_TREES)
            for fold, rows in enumerate(self._rows)
        ]

    def out_of_fold(self) -> Array:
        """Quantiles for the training rows, each without its fold, [N, K, J, 21]."""
        result = np.full((*self._target.shape, len(LEVELS)), np.nan)
        for forest, rows, out in zip(self._forests, self._rows, self._out, strict=True):
            result[out] = metric_quantiles(self._target[rows], forest.weights(self._features[out]))
        return result

    def predict(self, features: Array) -> Array:
        """Quantiles by all forests, [R, K, J, 21]; NaN for a metric that no training row has."""
        weights = np.zeros((len(features), len(self._target)))
        for forest, rows in zip(self._forests, self._rows, strict=True):
            weights[:, rows] += forest.weights(features) / len(self._forests)
        return metric_quantiles(self._target, weights)


class ForestExperts:
    """Three quantile forests in model space: of future values, of changes since the last value, of surprises.

    A surprise is by how much a run went on otherwise than the network thought, in widths of its 90 % interval.

    Args:
        scene: the finished runs from the cutoff.
        known: what was known of them there.
        network: forecasts of them by a network that did not learn from them, NaN where there is none, [N, K, J, 21].
        seed: seed of the trees.
    """

    def __init__(self, scene: Scene, known: Known, network: Array, seed: int) -> None:
        self._known, self._network = known, network
        features, anchor = known.everything(), known.anchor(known.last)[..., None]
        surprises = (scene.values - network[..., Q50]) / _width(network)
        self._values, self._changes, self._surprises = (
            FoldForests(features, target, scene.folds, seed)
            for target in (scene.values, scene.values - anchor, surprises)
        )

    def out_of_fold(self) -> Array:
        """Quantiles for the scene's runs, each without its fold, by each forest, [3, N, K, J, 21]."""
        changes = self._changes.out_of_fold() + self._known.anchor(self._known.last)[..., None, None]
        return np.stack([self._values.out_of_fold(), changes, surprised(self._network, self._surprises.out_of_fold())])

    def predict(self, known: Known) -> Array:
        """Quantiles of values and of values by change, in model space, and of surprises, [3, R, K, J, 21].

        NaN for a metric that no finished run has. Surprises come as they are: `surprised` adds them to a forecast.
        """
        features = known.everything()
        changes = self._changes.predict(features) + known.anchor(self._known.last)[..., None, None]
        return np.stack([self._values.predict(features), changes, self._surprises.predict(features)])


def surprised(network: Array, surprises: Array) -> Array:
    """A network's forecasts, corrected by quantiles of the surprises that followed such forecasts, [R, K, Q, 21]."""
    return network[..., Q50, None] + _width(network)[..., None] * surprises


def _width(quantiles: Array) -> Array:
    return np.maximum(quantiles[..., Q95] - quantiles[..., Q05], LEAST_WIDTH)
