"""A Gaussian process per metric on what is known at a cutoff, for the shape of the continuation."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm

from lcode.experts.gaussian_process import STEPS, GaussianProcess, Hyperparameters
from lcode.experts.prefix import Known
from lcode.experts.scene import Scene
from lcode.forecast import LEVELS

Array = NDArray[np.float64]

COMPONENTS = 4
"""Principal components of the continuations that are learned; what they leave is noise of each epoch."""

MAX_RUNS = 600
"""The process learns from so many runs at most: its cost grows with their cube."""

_SCORES = norm.ppf(LEVELS)


class ProcessExpert:
    """Change since the last value, its principal components regressed by a Gaussian process, one per metric.

    Args:
        scene: the finished runs from the cutoff.
        known: what was known of them there.
        start: hyper-parameters of each metric to begin with.
        steps: optimiser steps for them; 0: as they are.
    """

    def __init__(
        self, scene: Scene, known: Known, *, start: list[Hyperparameters | None] | None = None, steps: int = STEPS
    ) -> None:
        count = scene.values.shape[1]
        self._shape = scene.values.shape[1:]
        self._last, self._anchor = known.last, known.anchor(known.last)
        starts = start or [None] * count
        self._parts = [self._metric(scene, known, k, starts[k], steps) for k in range(count)]
        self.hyperparameters = [None if part is None else part.process.hyperparameters for part in self._parts]

    def _metric(
        self, scene: Scene, known: Known, k: int, start: Hyperparameters | None, steps: int
    ) -> _MetricProcess | None:
        rows = np.flatnonzero(np.isfinite(scene.values[:, k]).all(axis=1))
        if len(rows) < 3:
            return None
        if len(rows) > MAX_RUNS:
            own = _evenly(rows[rows < scene.own], MAX_RUNS)
            rows = np.r_[own, _evenly(rows[rows >= scene.own], MAX_RUNS - len(own))]
        features, groups = known.features(k)
        changes = scene.values[rows, k] - self._anchor[rows, k, None]
        return _MetricProcess(features[rows], groups, changes, scene.folds[rows], rows, start, steps)

    def out_of_fold(self) -> Array:
        """Quantiles in model space for the scene's own runs, each without its fold, [N, K, J, 21]; NaN if unknown."""
        result = np.full((len(self._anchor), *self._shape, len(LEVELS)), np.nan)
        for k, part in enumerate(self._parts):
            if part is not None:
                result[part.rows, k] = part.out_of_fold() + self._anchor[part.rows, k, None, None]
        return result

    def predict(self, known: Known) -> Array:
        """Quantiles in model space, [R, K, J, 21]; NaN for a metric of which too little is known."""
        result = np.full((len(known.last), *self._shape, len(LEVELS)), np.nan)
        anchor = known.anchor(self._last)
        for k, part in enumerate(self._parts):
            if part is not None:
                result[:, k] = part.predict(known.features(k)[0]) + anchor[:, k, None, None]
        return result


class _MetricProcess:
    def __init__(
        self,
        features: Array,
        groups: NDArray[np.int64],
        changes: Array,
        folds: NDArray[np.int64],
        rows: NDArray[np.int64],
        start: Hyperparameters | None,
        steps: int,
    ) -> None:
        self.rows, self._folds = rows, torch.from_numpy(folds)
        self._mean = changes.mean(axis=0)
        centred = changes - self._mean
        self._basis = np.linalg.svd(centred, full_matrices=False)[2][:COMPONENTS]
        scores = centred @ self._basis.T
        self._rest = ((centred - scores @ self._basis) ** 2).mean(axis=0)
        self.process = GaussianProcess(
            torch.from_numpy(features), torch.from_numpy(scores), torch.from_numpy(groups), start=start, steps=steps
        )

    def predict(self, features: Array) -> Array:
        return self._quantiles(*self.process.predict(torch.from_numpy(features)))

    def out_of_fold(self) -> Array:
        return self._quantiles(*self.process.out_of_fold(self._folds))

    def _quantiles(self, mean: torch.Tensor, variance: torch.Tensor) -> Array:
        path = mean.numpy() @ self._basis + self._mean
        deviation = np.sqrt(variance.numpy() @ self._basis**2 + self._rest)
        return path[..., None] + deviation[..., None] * _SCORES


def _evenly(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """At most so many of the rows, evenly spaced."""
    return rows if len(rows) <= count else rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)]
