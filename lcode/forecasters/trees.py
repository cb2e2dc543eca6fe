"""Extremely randomised trees on everything known at the cutoff: the baseline that has to be beaten."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.continuation import continuation_grid, continuations
from lcode.curves.features import RunFeatures, ValueScale
from lcode.ensemble.folds import assign_folds
from lcode.forecast import LEVELS
from lcode.forecasters.by_cutoff import CutoffForecaster, CutoffModel
from lcode.regressors.extra_trees import QuantileForest, metric_quantiles, split_targets
from lcode.table import RunTable

Array = NDArray[np.float64]

SPLIT_POINTS = 8
"""The trees are grown to predict this many future points of each metric; the leaves then serve every epoch."""

SHARES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
"""Weights of the change forest that are tried."""

FOLDS, FOLD_TREES = 3, 40
"""Left-out parts, and the trees of each forest that is grown without one: enough to choose a weight."""


class TreesForecaster(CutoffForecaster):
    """Two quantile forests per cutoff, one on the future values, one on their change since the last value.

    Which of the two targets is better depends on the source and the cutoff: the value where many runs and their
    configurations decide, the change where runs are few or stand still. Their quantiles are averaged with the weight
    that had the smallest pinball loss on runs of which all repeats were left out. Both see all metrics of a run, its
    signals, configuration, architecture and planned learning rate.
    """

    name: ClassVar[str] = "trees"

    def learn(self, finished: RunTable, cutoff: int) -> CutoffModel:
        """Grow the forests of a cutoff."""
        return _CutoffModel(finished, cutoff, self.seed)


class _CutoffModel:
    """Both forests for one cutoff.

    Args:
        finished: N finished runs with a horizon after the cutoff.
        cutoff: last observed epoch, -1 for runs without a point.
        seed: seed of the trees.
    """

    def __init__(self, finished: RunTable, cutoff: int, seed: int) -> None:
        arrays = curve_arrays(finished)
        horizons = finished.runs["horizon"].to_numpy(np.int64)
        self.grid = continuation_grid(horizons, cutoff)
        self._scale = ValueScale.fit(arrays)
        self._features = RunFeatures(finished, arrays, self._scale, cutoff)
        last = self._scale.forward(arrays.before(np.full(len(finished), cutoff)).last_values[..., None])
        known = np.isfinite(last).any(axis=0)
        # A run of which this metric was not observed starts from the middle of the others.
        self._anchor = np.where(known, np.nanmedian(np.where(known, last, 0.0), axis=0), 0.0)
        values = self._scale.forward(continuations(arrays, horizons, cutoff, self.grid))
        changes = values - self._anchored(last)
        generator = np.random.default_rng([seed, cutoff + 1])
        features = self._features.training
        self._targets = (values, changes)
        fold = assign_folds(finished, FOLDS, int(generator.integers(2**31)))
        self._share = _change_share(features, values, changes, self._anchored(last), fold, generator)
        self._forests = [
            QuantileForest(features, split_targets(target, SPLIT_POINTS), seed=int(generator.integers(2**31)))
            for target in self._targets
        ]

    def predict(self, table: RunTable, arrays: CurveArrays) -> Array:
        """Quantiles in natural units of runs cut at the cutoff, shape [R, K, J, 21]; NaN for an unknown metric."""
        features = self._features.of(table, arrays)
        values, changes = (
            metric_quantiles(target, forest.weights(features))
            for target, forest in zip(self._targets, self._forests, strict=True)
        )
        anchor = self._anchored(self._scale.forward(arrays.last_values[..., None]))[..., None]
        scaled = (1 - self._share) * values + self._share * (changes + anchor)
        return self._scale.inverse(scaled.reshape(*scaled.shape[:2], -1)).reshape(scaled.shape)

    def _anchored(self, last: Array) -> Array:
        return np.where(np.isfinite(last), last, self._anchor)


def _change_share(
    features: Array,
    values: Array,
    changes: Array,
    anchor: Array,
    fold: NDArray[np.int64],
    generator: np.random.Generator,
) -> Array:
    """Weight of the change forest beside the value forest, per metric, that did best on left-out folds, [K, 1, 1]."""
    predicted = [np.empty((*target.shape, len(LEVELS))) for target in (values, changes)]
    for k in np.unique(fold):
        out = fold == k
        for target, quantiles in zip((values, changes), predicted, strict=True):
            seed = int(generator.integers(2**31))
            splits = split_targets(target[~out], SPLIT_POINTS)
            forest = QuantileForest(features[~out], splits, seed=seed, trees=FOLD_TREES)
            quantiles[out] = metric_quantiles(target[~out], forest.weights(features[out]))
    losses = []
    for share in SHARES:
        over = values[..., None] - ((1 - share) * predicted[0] + share * (predicted[1] + anchor[..., None]))
        pinball = np.maximum(LEVELS * over, (LEVELS - 1) * over)
        known = np.isfinite(pinball)
        losses.append(np.where(known, pinball, 0.0).sum(axis=(0, 2, 3)) / np.maximum(known.sum(axis=(0, 2, 3)), 1))
    return SHARES[np.argmin(losses, axis=0)][:, None, None]
