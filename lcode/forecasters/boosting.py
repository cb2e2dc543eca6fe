"""Histogram gradient boosting at a fixed cutoff: the usual tool for the final value, at a few epochs more."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from lcode.forecasters.by_cutoff import CutoffForecaster, CutoffModel
from lcode.forecasters.point_model import PointModel, Predictor
from lcode.table import RunTable

Array = NDArray[np.float64]

KNOTS = np.array([0.0, 0.1, 0.3, 0.6, 1.0])
"""Shares of the remaining epochs that have a model each (0: the very next epoch), closer where curves bend; in between
it is linear."""

RATE, ROUNDS, LEAVES, BINS = 0.08, 100, 15, 63

MAX_FEATURES = 0.3
"""Share of the features that a split may choose from: no less accurate than all, and faster."""


class BoostingForecaster(CutoffForecaster):
    """Five boosted regressions per cutoff and metric, the last one for the value at the horizon."""

    name: ClassVar[str] = "boosting"

    def learn(self, finished: RunTable, cutoff: int) -> CutoffModel:
        """Fit the regressions of a cutoff."""
        return PointModel(finished, cutoff, self.seed, _boosted)


def boosted(features: Array, target: Array, *, rounds: int, leaves: int) -> HistGradientBoostingRegressor:
    """Fitted on features [N, P], NaN allowed, and targets [N]; small leaves where rows are few. On one thread."""
    model = HistGradientBoostingRegressor(
        learning_rate=RATE,
        max_iter=rounds,
        max_leaf_nodes=leaves,
        min_samples_leaf=int(np.clip(len(target) // 15, 2, 20)),
        l2_regularization=1.0,
        early_stopping=False,
        max_features=MAX_FEATURES,
        max_bins=BINS,
        random_state=0,
    )
    # scikit-learn finds no bins in a column that is missing everywhere, such as the values of a metric that no run has.
    readable = np.where(np.isnan(features).all(axis=0), 0.0, features)
    with threadpool_limits(1):
        return model.fit(readable, target)


def predicted(model: HistGradientBoostingRegressor, features: Array) -> Array:
    """Predictions of shape [R] for features [R, P], on one thread."""
    with threadpool_limits(1):
        result: Array = model.predict(features)
    return result


def _boosted(features: Array, targets: Array, shares: Array) -> Predictor:
    chosen = np.unique(np.searchsorted(shares, KNOTS).clip(max=len(shares) - 1))
    models = [boosted(features, targets[:, j], rounds=ROUNDS, leaves=LEAVES) for j in chosen]
    hats = np.stack([np.interp(shares, shares[chosen], row) for row in np.eye(len(chosen))])
    return lambda queries: np.stack([predicted(model, queries) for model in models], axis=1) @ hats
