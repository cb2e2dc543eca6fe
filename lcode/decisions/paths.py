"""Joint samples of what is to come of a curve, epoch after epoch: for a best value, a mean, or the best epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from lcode.forecast import LEVELS, even_levels

PATHS = 512
"""Paths of each curve that the distribution of a best or mean value is counted on."""


def path_places(leads: NDArray[np.int64], persistence: float) -> NDArray[np.float64]:
    """Joint paths over the epochs to come, as places among `LEVELS`, 0 to 20, shape [Q, n].

    The paths are the same for every curve, so that no final value depends on which other runs are forecast.

    Args:
        leads: how far ahead each query epoch lies, ≥ 1, ascending, shape [Q].
        persistence: see `Forecast`.
    """
    # Ranks in place of the scores spread the values at each epoch evenly over its distribution.
    return _places(even_levels(_path_scores(leads, persistence, metrics=1)[0], axis=-1))


@dataclass(frozen=True, eq=False)
class JointPaths:
    """Paths of K metrics of a run together, joined at each epoch by the forecast's correlation.

    Attributes:
        leads: how far ahead each query epoch lies, [Q].
        persistence: see `Forecast`.
        scores: normal scores of paths of K independent metrics, [K, Q, n].
    """

    leads: NDArray[np.int64]
    persistence: float
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, leads: NDArray[np.int64], persistence: float, metrics: int) -> JointPaths:
        """Paths at these leads, ≥ 1 and ascending, [Q]."""
        return cls(leads, persistence, _path_scores(leads, persistence, metrics))

    def places(self, leads: NDArray[np.int64], correlation: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Places among `LEVELS` at a run's own leads, [K, q, n]; a correlation [K, K] between its metrics, or none."""
        known = np.array_equal(leads, self.leads[: len(leads)])  # most runs are asked at every epoch ahead
        scores = self.scores[:, : len(leads)]
        if not known:
            scores = _path_scores(leads, self.persistence, len(self.scores))
        if correlation is not None:
            root = np.linalg.cholesky(correlation + 1e-6 * np.eye(len(correlation)))
            scores = np.einsum("jk,kqn->jqn", root, scores)
        return _places(ndtr(scores))


def values_at(quantiles: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values at places between quantiles, linear: quantiles [K, Q, 21], places [Q, n] or [K, Q, n], to [n, K, Q]."""
    low = np.minimum(places.astype(np.int64), len(LEVELS) - 2)
    share = places - low
    index = np.broadcast_to(low, (*quantiles.shape[:2], low.shape[-1]))
    below, above = (np.take_along_axis(quantiles, index + step, -1) for step in (0, 1))
    return ((1 - share) * below + share * above).transpose(2, 0, 1)


def _path_scores(leads: NDArray[np.int64], persistence: float, metrics: int) -> NDArray[np.float64]:
    """Normal scores of paths of independent metrics, [K, Q, n].

    Those at leads a < b are given the correlation (a/b)^(1/persistence - 1), whose mean over all pairs is the
    forecast's persistence: errors of forecasts far ahead hardly change from one epoch to the next. With the same
    correlation between all epochs, as in `Forecast.sample`, the best of many epochs comes out far too good.
    """
    noise = np.random.default_rng(0).standard_normal((metrics, len(leads), PATHS))
    scores = noise.copy()
    for at in range(1, len(leads)):
        kept = (leads[at - 1] / leads[at]) ** (1 / max(persistence, 1e-3) - 1)
        scores[:, at] = kept * scores[:, at - 1] + np.sqrt(1 - kept**2) * noise[:, at]
    return scores


def _places(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels 0 to 1 as places among `LEVELS`, 0 to 20."""
    return np.interp(levels, LEVELS, np.arange(len(LEVELS)))
