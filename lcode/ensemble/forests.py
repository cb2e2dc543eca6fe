"""Quantile forests as base models: of future values, and of a network's surprises."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from lcode.curves.continuation import at_epochs, read_points
from lcode.ensemble.base_model import Forecasts, Observed
from lcode.ensemble.history import History
from lcode.ensemble.networks import expected
from lcode.forecast import LEVELS, Q05, Q50, Q95
from lcode.regressors.extra_trees import QuantileForest, metric_quantiles, split_targets

Array = NDArray[np.float64]

SPLIT_POINTS = 4
"""Future points of each metric that the splits are to predict; more take longer and are no better."""

FOLD_TREES = 7
"""Trees of a forest without each fold, 35 together. By cost: a live run waits for those of every epoch it comes to
first."""

LEAST_WIDTH = 1e-3
"""Of a network's 90 % interval, in model space, when a surprise is measured by it."""


class FoldForests:
    """One quantile forest without each fold: together the forecast, apart what each run would have been forecast.

    Args:
        features: N training rows, [N, P].
        target: what is to be forecast, NaN where unknown, [N, K, J].
        folds: fold of each row, [N].
        judged: points at which forecasts of training rows are wanted, [Q].
        seed: seed of the trees.
    """

    def __init__(
        self, features: Array, target: Array, folds: NDArray[np.int64], judged: NDArray[np.int64], seed: int
    ) -> None:
        self._features, self._target = features, target
        self._judged = np.isin(np.arange(target.shape[2]), judged)
        numbers = np.unique(folds)
        self._rows = [np.flatnonzero(folds != fold) for fold in numbers]
        self._out = [np.flatnonzero(folds == fold) for fold in numbers]
        splits = split_targets(target, SPLIT_POINTS)
        self._forests = [
            QuantileForest(features[rows], splits[rows], seed=seed * 1000 + fold, trees=FOLD_TREES)
            for fold, rows in enumerate(self._rows)
        ]

    @classmethod
    def of(cls, history: History, target: Array, seed: int) -> Self:
        """Forests on all that was known of the finished runs at the cutoff."""
        return cls(history.known.everything(), target, history.folds, history.judged, seed)

    def out_of_fold(self) -> Array:
        """Quantiles for the training rows, each without its fold, [N, K, J, 21]; NaN where they are not wanted."""
        result = np.full((*self._target.shape, len(LEVELS)), np.nan)
        for forest, rows, out in zip(self._forests, self._rows, self._out, strict=True):
            result[out] = metric_quantiles(self._target[rows], forest.weights(self._features[out]), self._judged)
        return result

    def predict(self, features: Array, points: NDArray[np.bool_]) -> Array:
        """Quantiles by all forests, [R, K, J, 21]; NaN for a metric that no training row has, and at other points [J].

        Each point costs as much as the next, and of forecasts at the horizon alone two or three are read.
        """
        weights = np.zeros((len(features), len(self._target)))
        for forest, rows in zip(self._forests, self._rows, strict=True):
            weights[:, rows] += forest.weights(features) / len(self._forests)
        return metric_quantiles(self._target, weights, points)


class Values:
    """A forest of the values themselves: it knows where runs end, however far away that is."""

    def __init__(self, history: History, seed: int) -> None:
        self._history = history
        self._forests = FoldForests.of(history, history.values, seed)

    def out_of_fold(self) -> Array:
        """See `BaseModel`."""
        return self._forests.out_of_fold()

    def predict(self, observed: Observed, epochs: Array, before: Forecasts) -> Array:
        """See `BaseModel`."""
        path = self._forests.predict(observed.known.everything(), _read(self._history, observed, epochs))
        return at_epochs(path, self._history.grid, observed.known.last, observed.cutoff, observed.horizons, epochs)


def out_of_fold_changes(history: History, seed: int) -> Array:
    """A forest of changes since the last value (ExtraTrees), to compare with: left-out forecasts, [N, K, J, 21]."""
    forests = FoldForests.of(history, history.values - history.last[..., None], seed)
    return forests.out_of_fold() + history.last[..., None, None]


class Surprises:
    """A forest of surprises: by how much a run went on otherwise than a network thought, in widths of its interval.

    Args:
        history: the finished runs from the cutoff.
        seed: of the trees.
        network: the network's forecasts of them, which it did not learn from, [N, K, J, 21].
    """

    def __init__(self, history: History, seed: int, network: Array) -> None:
        self._history, self._network = history, network
        surprises = (history.values - network[..., Q50]) / _width(network)
        self._forests = FoldForests.of(history, surprises, seed)

    def out_of_fold(self) -> Array:
        """See `BaseModel`."""
        return _surprised(self._network, self._forests.out_of_fold())

    def predict(self, observed: Observed, epochs: Array, before: Forecasts) -> Array:
        """See `BaseModel`."""
        known, cutoff = observed.known, observed.cutoff
        none_yet = np.where(np.isfinite(known.last), 0.0, np.nan)  # what was observed holds no surprise
        path = self._forests.predict(known.everything(), _read(self._history, observed, epochs))
        at = at_epochs(path, self._history.grid, none_yet, cutoff, observed.horizons, epochs)
        return _surprised(expected(before, observed.cutoffs / observed.horizons), at)


def _surprised(network: Array, surprises: Array) -> Array:
    """A network's forecasts, corrected by quantiles of the surprises that followed such forecasts, [R, K, Q, 21]."""
    return network[..., Q50, None] + _width(network)[..., None] * surprises


def _read(history: History, observed: Observed, epochs: Array) -> NDArray[np.bool_]:
    """Points of the history's grid that the query epochs [R, Q] take, [J]."""
    return read_points(history.grid, observed.cutoff, observed.horizons, epochs)


def _width(quantiles: Array) -> Array:
    return np.maximum(quantiles[..., Q95] - quantiles[..., Q05], LEAST_WIDTH)
