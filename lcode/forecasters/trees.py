"""Extremely randomised trees on everything known at the cutoff: the baseline that has to be beaten."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from lcode.errors import NotEnoughDataError
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble, curve_status
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.forecasters.continuation import at_epochs, continuation_grid, continuations, run_cutoffs
from lcode.forecasters.features import RunFeatures, ValueScale
from lcode.forecasters.forest import QuantileForest, weighted_quantiles
from lcode.table import RunTable
from lcode.tensors.arrays import CurveArrays, curve_arrays

Array = NDArray[np.float64]

SPLIT_POINTS = 8
"""The trees are grown to predict this many future points of each metric; the leaves then serve every epoch."""

SHARES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
"""Weights of the change forest that are tried."""

FOLDS, FOLD_TREES = 3, 40
"""Left-out parts, and the trees of each forest that is grown without one: enough to choose a weight."""


class TreesForecaster(Forecaster):
    """Two quantile forests per cutoff, one on the future values, one on their change since the last value.

    Which of the two targets is better depends on the source and the cutoff: the value where many runs and their
    configurations decide, the change where runs are few or stand still. Their quantiles are averaged with the weight
    that had the smallest pinball loss on left-out runs. Both see all metrics of a run, its signals, configuration,
    architecture and planned learning rate.

    The forests of a cutoff are grown when it is first met, and kept. A metric that no finished run has, and a run
    beyond the horizon of all finished ones, get their last value.

    Args:
        seed: seed of the trees.
    """

    name: ClassVar[str] = "trees"
    min_finished: ClassVar[int] = 3

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._finished: RunTable | None = None
        self._models: dict[int, _CutoffModel | None] = {}

    def fit(self, table: RunTable) -> Self:
        """Keep the finished runs; the forests are grown when the cutoffs are known."""
        finished = finished_runs(table, at_least=self.min_finished)
        self._finished = finished.select(sorted(finished.run_ids))  # the order of the logs must not matter
        self._models = {}
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast each run with the forests of its cutoff."""
        if self._finished is None:
            raise NotEnoughDataError("call fit before predict")
        arrays, epochs = curve_arrays(table), query_epochs(table, at)
        horizons = table.runs["horizon"].to_numpy(np.int64)
        keys = {metric.key: k for k, metric in enumerate(arrays.metrics)}
        learned = [(k, keys[metric.key]) for k, metric in enumerate(self._finished.metrics) if metric.key in keys]
        theirs, ours = np.array(learned, dtype=np.int64).reshape(-1, 2).T
        features_of = curve_arrays(table, metrics=self._finished.metrics)

        shape = (*arrays.lengths.shape, epochs.shape[1], len(LEVELS))
        quantiles = np.broadcast_to(arrays.last_values[..., None, None], shape).copy()
        cutoffs = run_cutoffs(arrays)
        open_runs = np.isin(curve_status(table, arrays), ("ok", "too_short")).any(axis=1)
        for cutoff in np.unique(cutoffs[open_runs]).tolist():
            model = self._model(cutoff)
            if model is None:
                continue
            rows = np.flatnonzero(open_runs & (cutoffs == cutoff))
            group = table.select([table.run_ids[row] for row in rows])
            path = model.predict(group, features_of.rows(rows))[:, theirs]
            start = arrays.last_values[rows][:, ours]
            predicted = at_epochs(path, model.grid, start, cutoff, horizons[rows], epochs[rows])
            cell = np.ix_(rows, ours)
            quantiles[cell] = np.where(np.isnan(predicted), quantiles[cell], predicted)
        return assemble(table, arrays, epochs, quantiles)

    def _model(self, cutoff: int) -> _CutoffModel | None:
        """The forests of a cutoff; None when fewer than `min_finished` finished runs went on after it."""
        if cutoff not in self._models:
            assert self._finished is not None
            longer = self._finished.runs["horizon"].to_numpy(np.int64) > cutoff
            runs = self._finished.runs.index[longer]
            enough = len(runs) >= self.min_finished
            model = _CutoffModel(self._finished.select(runs), cutoff, self.seed) if enough else None
            self._models[cutoff] = model
        return self._models[cutoff]


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
        self._share = _change_share(features, values, changes, self._anchored(last), generator)
        self._forests = [
            QuantileForest(features, _split_targets(target), seed=int(generator.integers(2**31)))
            for target in self._targets
        ]

    def predict(self, table: RunTable, arrays: CurveArrays) -> Array:
        """Quantiles in natural units of runs cut at the cutoff, shape [R, K, J, 21]; NaN for an unknown metric."""
        features = self._features.of(table, arrays)
        values, changes = (
            _metric_quantiles(target, forest.weights(features))
            for target, forest in zip(self._targets, self._forests, strict=True)
        )
        anchor = self._anchored(self._scale.forward(arrays.last_values[..., None]))[..., None]
        scaled = (1 - self._share) * values + self._share * (changes + anchor)
        return self._scale.inverse(scaled.reshape(*scaled.shape[:2], -1)).reshape(scaled.shape)

    def _anchored(self, last: Array) -> Array:
        return np.where(np.isfinite(last), last, self._anchor)


def _change_share(
    features: Array, values: Array, changes: Array, anchor: Array, generator: np.random.Generator
) -> Array:
    """Weight of the change forest beside the value forest, per metric, that did best on left-out runs, [K, 1, 1]."""
    fold = generator.permutation(len(features)) % FOLDS
    predicted = [np.empty((*target.shape, len(LEVELS))) for target in (values, changes)]
    for k in np.unique(fold):
        out = fold == k
        for target, quantiles in zip((values, changes), predicted, strict=True):
            seed = int(generator.integers(2**31))
            forest = QuantileForest(features[~out], _split_targets(target[~out]), seed=seed, trees=FOLD_TREES)
            quantiles[out] = _metric_quantiles(target[~out], forest.weights(features[out]))
    losses = []
    for share in SHARES:
        over = values[..., None] - ((1 - share) * predicted[0] + share * (predicted[1] + anchor[..., None]))
        pinball = np.maximum(LEVELS * over, (LEVELS - 1) * over)
        known = np.isfinite(pinball)
        losses.append(np.where(known, pinball, 0.0).sum(axis=(0, 2, 3)) / np.maximum(known.sum(axis=(0, 2, 3)), 1))
    return SHARES[np.argmin(losses, axis=0)][:, None, None]


def _split_targets(target: Array) -> Array:
    """Few columns for the splits, of equal weight among the metrics, without NaN; [N, K, J] to [N, O]."""
    index = np.unique(np.rint(np.linspace(0, target.shape[2] - 1, SPLIT_POINTS)).astype(np.int64))
    chosen = target[:, :, index]
    known = np.isfinite(chosen).any(axis=0)
    centre = np.nanmedian(np.where(known, chosen, 0.0), axis=0)
    centred = np.where(np.isfinite(chosen), chosen - centre, 0.0)
    spread = centred.std(axis=(0, 2), keepdims=True)
    return (centred / np.where(spread > 0, spread, 1.0)).reshape(len(target), -1)


def _metric_quantiles(target: Array, weights: Array) -> Array:
    """Weighted quantiles of each metric over the runs that know it, [N, K, J] and [R, N] to [R, K, J, 21]."""
    result = np.full((len(weights), *target.shape[1:], len(LEVELS)), np.nan)
    for k in range(target.shape[1]):
        known = np.isfinite(target[:, k]).all(axis=1)
        total = weights[:, known].sum(axis=1, keepdims=True)
        if known.any():
            # A query whose leaves hold no run with this metric is given all of them alike.
            share = np.where(total > 0, weights[:, known] / np.where(total > 0, total, 1.0), 1.0 / known.sum())
            result[:, k] = weighted_quantiles(target[known, k], share)
    return result
