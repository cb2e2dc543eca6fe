"""Nearest neighbours: how the finished runs went on whose beginning and configuration were most alike."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays
from lcode.curves.config import ConfigEncoder
from lcode.curves.features import RunFeatures, side_information
from lcode.forecast import LEVELS
from lcode.forecasters.by_cutoff import CutoffForecaster, CutoffModel
from lcode.forecasters.cutoff_data import CutoffData, without_side_information
from lcode.forecasters.standardise import Standardiser
from lcode.regressors.extra_trees import metric_quantiles
from lcode.table import RunTable
from lcode.table.groups import configuration_groups

Array = NDArray[np.float64]

SIDE_SHARES = (0.0, 0.1, 0.3, 0.6, 1.0)
"""Weights of the side information in the squared distance that are tried."""

NEIGHBOURS, USUAL_NEIGHBOURS = (5, 10, 20, 40), 10
"""Counts of neighbours that are tried, and the count with which the distances are compared."""

JUDGED = 3
"""Points of the continuation on which a count is judged."""


class NearestForecaster(CutoffForecaster):
    """Quantiles of the nearest finished runs' change since the last value, nearer ones weighing more.

    The distance is a mean of squared differences of the standardised prefixes (all metrics and signals) and one of
    the side information (configuration, architecture, horizon, schedule). Their weights have the least error of the
    neighbours' mean, then the number of neighbours the least pinball loss, on runs of which all repeats are left out.
    """

    name: ClassVar[str] = "knn"

    def learn(self, finished: RunTable, cutoff: int) -> CutoffModel:
        """Standardise the runs at the cutoff and choose the distance."""
        return _NearestModel(finished, cutoff)


class _NearestModel:
    """The neighbours of one cutoff; see `CutoffForecaster.learn` for the arguments."""

    def __init__(self, finished: RunTable, cutoff: int) -> None:
        self._data = CutoffData(finished, cutoff)
        self.grid = self._data.grid
        self._curves = RunFeatures(without_side_information(finished), self._data.arrays, self._data.scale, cutoff)
        self._standard = Standardiser(self._curves.training)
        self._encoder = ConfigEncoder.fit(side_information(finished))
        self._places = (self._standard(self._curves.training), self._encoder.encode(side_information(finished)))
        group = configuration_groups(finished)
        twins = group[:, None] == group
        distances = self._distances(*self._places)

        def left_out(share: float) -> Array:
            # A run must not judge itself, nor its repeats.
            return np.where(twins, np.inf, _mixed(*distances, share))

        self._share = min(SIDE_SHARES, key=lambda share: self._mean_error(left_out(share)))
        chosen = left_out(self._share)
        self._count = min(NEIGHBOURS, key=lambda count: self._pinball(_weights(chosen, count)))

    def predict(self, table: RunTable, arrays: CurveArrays) -> Array:
        """See `CutoffModel.predict`."""
        curves = self._standard(self._curves.of(table, arrays))
        distances = self._distances(curves, self._encoder.encode(side_information(table)))
        weights = _weights(_mixed(*distances, self._share), self._count)
        return self._data.continued(arrays, metric_quantiles(self._data.changes, weights))

    def _distances(self, curves: Array, side: Array) -> tuple[Array, Array]:
        """Mean squared differences to the training runs in either respect, [R, N] each."""
        return _mean_squares(curves, self._places[0]), _mean_squares(side, self._places[1])

    def _mean_error(self, distances: Array) -> float:
        """Absolute error of the neighbours' mean at these distances [N, N], each metric in units of its spread."""
        changes = self._data.changes
        known = np.isfinite(changes)
        filled, weights = np.where(known, changes, 0.0), _weights(distances, USUAL_NEIGHBOURS)
        total = np.einsum("rn,nkj->rkj", weights, known.astype(float))
        mean = np.einsum("rn,nkj->rkj", weights, filled) / np.where(total > 0, total, 1.0)
        error = np.where(known, np.abs(changes - mean), 0.0).sum(axis=(0, 2))
        return float((error / np.maximum(np.abs(filled).sum(axis=(0, 2)), 1e-12)).sum())

    def _pinball(self, weights: Array) -> float:
        """Pinball loss of the neighbours' quantiles at a few points of the grid, each metric in units of its spread."""
        few = np.unique(np.rint(np.linspace(0, len(self.grid) - 1, JUDGED)).astype(np.int64))
        changes = self._data.changes[:, :, few]
        over = changes[..., None] - metric_quantiles(changes, weights)
        pinball = np.maximum(LEVELS * over, (LEVELS - 1) * over)
        known = np.isfinite(changes)
        size = np.where(known, np.abs(changes), 0.0).sum(axis=(0, 2))
        return float((np.where(known[..., None], pinball, 0.0).sum(axis=(0, 2, 3)) / np.maximum(size, 1e-12)).sum())


def _mixed(curves: Array, side: Array, share: float) -> Array:
    """Squared distances in both respects, weighed."""
    return (1 - share) * curves + share * side


def _mean_squares(rows: Array, others: Array) -> Array:
    """Mean over the columns of squared differences, [R, P] and [N, P] to [R, N]; 0 without a column."""
    squares = (rows**2).sum(1)[:, None] + (others**2).sum(1) - 2 * rows @ others.T
    return np.maximum(squares, 0.0) / max(rows.shape[1], 1)


def _weights(distances: Array, neighbours: int) -> Array:
    """Weight of each training run, falling to 0 at the distance of the first one that is no neighbour, [R, N]."""
    ordered = np.sort(distances, axis=1)
    # Left-out runs are infinitely far. Where too few others are left, all of them serve, the furthest one half as much.
    furthest = np.where(np.isfinite(ordered), ordered, 0.0).max(axis=1, initial=0.0, keepdims=True)
    next_one = ordered[:, neighbours, None] if neighbours < ordered.shape[1] else np.full_like(furthest, np.inf)
    reach = np.maximum(np.where(np.isfinite(next_one), next_one * (1 + 1e-9), 2 * furthest), 1e-12)
    weights = np.where(distances <= reach, np.maximum(1 - distances / reach, 1e-9), 0.0)
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
