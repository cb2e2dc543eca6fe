"""A forest whose leaves say which training runs resemble a new one; their targets, so weighted, are its forecast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.tree import ExtraTreeRegressor

from lcode.forecast import LEVELS

Array = NDArray[np.float64]

TREES = 150
MAX_FEATURES = 0.8
"""Share of the features that a split may choose from: among many columns of one curve few others matter."""


class QuantileForest:
    """Extremely randomised trees with the weights of Meinshausen (2006): quantiles of any target from one forest.

    A training run's weight for a query is its share of the query's leaf, averaged over the trees. Trees are grown to
    the end (every leaf one run, or equal runs): the spread comes from the disagreement of the trees.

    Args:
        features: training features, no NaN, shape [N, P].
        targets: what the splits are to predict, no NaN, shape [N, O].
        seed: seed of the trees.
        trees: how many.
    """

    def __init__(self, features: Array, targets: Array, *, seed: int, trees: int = TREES) -> None:
        # The trees of sklearn's forest without the forest: its set-up takes as long as growing a hundred small trees.
        rows, goals = features.astype(np.float32), np.ascontiguousarray(targets, dtype=np.float64)
        seeds = np.random.default_rng(seed).integers(2**31 - 1, size=trees).tolist()
        with config_context(skip_parameter_validation=True):  # it takes as long as growing a small tree
            self._trees = [
                ExtraTreeRegressor(max_features=MAX_FEATURES, random_state=s).fit(rows, goals, check_input=False).tree_
                for s in seeds
            ]
        self._offsets = np.cumsum([0, *(tree.node_count for tree in self._trees)])
        self._runs = len(features)
        leaves = self._leaves(features)
        # Training runs leaf by leaf: those of leaf l are `_members[_begin[l] : _begin[l] + _size[l]]`.
        self._members = np.argsort(leaves.ravel(), kind="stable") // leaves.shape[1]
        self._size = np.bincount(leaves.ravel(), minlength=int(self._offsets[-1]))
        self._begin = np.cumsum(self._size) - self._size

    def weights(self, features: Array) -> Array:
        """Weight of each training run for each query, rows sum to 1; features [R, P] to weights [R, N]."""
        leaves = self._leaves(features)
        size = self._size[leaves].ravel()
        cell = np.repeat(np.arange(leaves.size), size)  # a query's leaf in one tree
        place = np.arange(len(cell)) - np.repeat(np.cumsum(size) - size, size)
        run = self._members[self._begin[leaves].ravel()[cell] + place]
        at = cell // leaves.shape[1] * self._runs + run
        total = np.bincount(at, weights=1.0 / size[cell], minlength=len(features) * self._runs)
        return total.reshape(len(features), self._runs) / len(self._trees)

    def _leaves(self, features: Array) -> NDArray[np.int64]:
        """In which leaf of each of T trees a row falls, numbered through the forest, [R, T]."""
        rows = features.astype(np.float32)
        return np.asarray(np.stack([tree.apply(rows) for tree in self._trees], axis=1) + self._offsets[:-1])


def _on_grid(levels: Array) -> Array:
    """Rounded so that adding a row's offset is exact: a level on a jump must fall on the same side in every row."""
    return np.rint(levels * 2.0**36) / 2.0**36


def weighted_quantiles(values: Array, weights: Array) -> Array:
    """Quantiles at `LEVELS` of N weighted values, linear between the values, [N, J] and [R, N] to [R, J, 21].

    Rows of `weights` sum to 1. The outermost values stand for the levels beyond them.
    """
    rows = np.arange(len(weights))[:, None]
    result = np.empty((len(weights), values.shape[1], len(LEVELS)))
    # Each row of queries gets its own interval [2r, 2r + 1] of one axis, so that one call interpolates them all.
    queries = (2 * rows + _on_grid(LEVELS)).ravel()
    for j, order in enumerate(np.argsort(values, axis=0, kind="stable").T):
        weight = weights[:, order]
        middle = _on_grid(np.clip(np.cumsum(weight, axis=1) - weight / 2, 0, 1))
        ends = np.zeros((len(weights), 1))
        knots = 2 * rows + np.concatenate([ends, middle, ends + 1], axis=1)
        ordered = values[order, j]
        heights = np.broadcast_to(np.concatenate([ordered[:1], ordered, ordered[-1:]]), knots.shape)
        result[:, j] = np.interp(queries, knots.ravel(), heights.ravel()).reshape(len(weights), -1)
    return result


def split_targets(target: Array, points: int) -> Array:
    """At most so many points of each metric for the splits, of equal weight, without NaN; [N, K, J] to [N, O]."""
    index = np.unique(np.rint(np.linspace(0, target.shape[2] - 1, points)).astype(np.int64))
    chosen = target[:, :, index]
    known = np.isfinite(chosen).any(axis=0)
    centre = np.nanmedian(np.where(known, chosen, 0.0), axis=0)
    centred = np.where(np.isfinite(chosen), chosen - centre, 0.0)
    spread = centred.std(axis=(0, 2), keepdims=True)
    return (centred / np.where(spread > 0, spread, 1.0)).reshape(len(target), -1)


def metric_quantiles(target: Array, weights: Array, points: NDArray[np.bool_] | None = None) -> Array:
    """Weighted quantiles of each metric over the runs that know it, [N, K, J] and [R, N] to [R, K, J, 21].

    Where `points` [J] are given the others are left NaN: each takes its time.
    """
    points = np.ones(target.shape[2], dtype=bool) if points is None else points
    result = np.full((len(weights), *target.shape[1:], len(LEVELS)), np.nan)
    for k in range(target.shape[1]):
        known = np.isfinite(target[:, k]).all(axis=1)
        total = weights[:, known].sum(axis=1, keepdims=True)
        if known.any():
            # A query whose leaves hold no run with this metric is given all of them alike.
            share = np.where(total > 0, weights[:, known] / np.where(total > 0, total, 1.0), 1.0 / known.sum())
            result[:, k, points] = weighted_quantiles(target[known, k][:, points], share)
    return result
