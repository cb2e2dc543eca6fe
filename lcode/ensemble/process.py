"""A Gaussian process per metric on what is known at a cutoff, for the shape of the continuation."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm

from lcode.curves.continuation import at_epochs
from lcode.curves.prefix import Known
from lcode.ensemble.base_model import Forecasts, Observed
from lcode.ensemble.history import History
from lcode.ensemble.networks import outlooks
from lcode.forecast import LEVELS
from lcode.regressors.multi_output_gp import GaussianProcess

Array = NDArray[np.float64]

COMPONENTS = 4
"""Principal components of the continuations that are learned; what they leave is noise of each epoch."""

MAX_RUNS = 600
"""The process learns from so many runs at most: its cost grows with their cube."""

_SCORES = norm.ppf(LEVELS)


class Process:
    """Change since the last value, its principal components regressed by a Gaussian process, one per metric.

    What networks expect of a run is a feature beside what is known of it, see `outlooks`.

    Args:
        history: the finished runs from the cutoff.
        before: left-out forecasts of them by the base models before this one.
    """

    def __init__(self, history: History, before: Forecasts) -> None:
        self._history = history
        seen = outlooks(before, history.last)
        self._parts = [self._metric(history, seen, k) for k in range(history.values.shape[1])]

    @staticmethod
    def _metric(history: History, seen: Array, k: int) -> _MetricProcess | None:
        rows = np.flatnonzero(np.isfinite(history.values[:, k]).all(axis=1))
        if len(rows) < 3:
            return None
        if len(rows) > MAX_RUNS:
            rows = rows[np.linspace(0, len(rows) - 1, MAX_RUNS).astype(np.int64)]
        features, groups = _features(history.known, seen, k)
        changes = history.values[rows, k] - history.last[rows, k, None]
        return _MetricProcess(features[rows], groups, changes, history.folds[rows], rows)

    def out_of_fold(self) -> Array:
        """See `BaseModel`."""
        result = np.full((*self._history.values.shape, len(LEVELS)), np.nan)
        for k, part in enumerate(self._parts):
            if part is not None:
                result[part.rows, k] = part.out_of_fold() + self._history.last[part.rows, k, None, None]
        return result

    def predict(self, observed: Observed, epochs: Array, before: Forecasts) -> Array:
        """See `BaseModel`."""
        known, history = observed.known, self._history
        path = self.path(known, before)
        return at_epochs(path, history.grid, known.last, observed.cutoff, observed.horizons, epochs)

    def path(self, known: Known, before: Forecasts) -> Array:
        """Quantiles in model space at the history's grid, [R, K, J, 21]; NaN for a metric of which none is known."""
        history = self._history
        anchor = known.anchor(history.known.last)
        seen = outlooks(before, anchor)
        result = np.full((len(known.last), *history.values.shape[1:], len(LEVELS)), np.nan)
        for k, part in enumerate(self._parts):
            if part is not None:
                result[:, k] = part.predict(_features(known, seen, k)[0]) + anchor[:, k, None, None]
        return result


class _MetricProcess:
    def __init__(
        self,
        features: Array,
        groups: NDArray[np.int64],
        changes: Array,
        folds: NDArray[np.int64],
        rows: NDArray[np.int64],
    ) -> None:
        self.rows, self._folds = rows, torch.from_numpy(folds)
        self._mean = changes.mean(axis=0)
        centred = changes - self._mean
        self._basis = np.linalg.svd(centred, full_matrices=False)[2][:COMPONENTS]
        scores = centred @ self._basis.T
        self._rest = ((centred - scores @ self._basis) ** 2).mean(axis=0)
        self._process = GaussianProcess(torch.from_numpy(features), torch.from_numpy(scores), torch.from_numpy(groups))

    def predict(self, features: Array) -> Array:
        return self._quantiles(*self._process.predict(torch.from_numpy(features)))

    def out_of_fold(self) -> Array:
        return self._quantiles(*self._process.out_of_fold(self._folds))

    def _quantiles(self, mean: torch.Tensor, variance: torch.Tensor) -> Array:
        path = mean.numpy() @ self._basis + self._mean
        deviation = np.sqrt(variance.numpy() @ self._basis**2 + self._rest)
        return path[..., None] + deviation[..., None] * _SCORES


def _features(known: Known, seen: Array, metric: int) -> tuple[Array, NDArray[np.int64]]:
    """All that is known for a metric, and each model's outlook on it as a group of its own: [R, F] and groups [F]."""
    evidence = known.evidence(metric)
    groups = evidence.columns.groups
    own = int(groups.max(initial=-1)) + 1 + np.arange(seen.shape[2])
    return np.concatenate([evidence.values, seen[:, metric]], axis=1), np.concatenate([groups, own])
