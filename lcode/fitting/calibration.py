"""What the left-out folds say of the intervals: how much to widen them, and what hangs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from lcode.forecast import LEVELS

Array = NDArray[np.float64]

_LOW, _MIDDLE, _HIGH = 1, len(LEVELS) // 2, len(LEVELS) - 2

NEAR, FAR = 0.3, 0.7
"""The first factor holds for leads up to the one, the second from the other on; in between they are interpolated."""

OWN_WEIGHT = 60.0
"""In runs: with so many a metric's own factor counts as much as that of all metrics together."""

Factors = tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True)
class Calibration:
    """Conformal widening of the intervals and the copula of a forecast.

    Attributes:
        shares: ascending shares of the horizon seen, [S].
        factors: by how much the distance from the median is multiplied: per share and metric, for near and for far
            queries, [S][K][2]; one metric stands for all of a model that takes any.
        correlation: of the metrics' normal scores within a run, [K][K]; empty if not known.
        persistence: correlation of the normal scores between the epochs of a curve, 0 to 1.
    """

    shares: tuple[float, ...]
    factors: Factors
    correlation: tuple[tuple[float, ...], ...]
    persistence: float

    @classmethod
    def none(cls) -> Self:
        """No widening, independent metrics: for a model without left-out folds."""
        return cls((0.0,), (((1.0, 1.0),),), (), 0.9)

    def matrix(self, chosen: list[int]) -> Array | None:
        """Correlation of these metrics, or None where it is not known: they then count as independent."""
        return np.array(self.correlation)[np.ix_(chosen, chosen)] if self.correlation else None

    def widen(self, quantiles: Array, shares: Array, leads: Array) -> Array:
        """Apply the factors.

        Args:
            quantiles: in model space, [R, K, Q, 21].
            shares: share of the horizon seen, [R].
            leads: place of each query between cutoff (0) and horizon (1), [R, Q].
        """
        table = np.array(self.factors)  # [S, K, 2]
        place = np.interp(np.sqrt(shares), np.sqrt(self.shares), np.arange(len(table)))
        left = np.minimum(place.astype(np.int64), max(len(table) - 2, 0))
        right = np.minimum(left + 1, len(table) - 1)
        share = (place - left)[:, None, None]
        near, far = np.moveaxis((1 - share) * table[left] + share * table[right], -1, 0)[..., None]  # [R, K, 1] each
        ahead = np.clip((leads - NEAR) / (FAR - NEAR), 0, 1)[:, None]
        factor = ((1 - ahead) * near + ahead * far)[..., None]
        middle = quantiles[..., _MIDDLE : _MIDDLE + 1]
        return middle + factor * (quantiles - middle)

    def to_json(self) -> dict[str, Any]:
        """As plain values, for the checkpoint."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        rows = tuple(tuple(float(v) for v in row) for row in data["correlation"])
        factors = tuple(tuple((float(near), float(far)) for near, far in row) for row in data["factors"])
        return cls(tuple(float(s) for s in data["shares"]), factors, rows, float(data["persistence"]))


@dataclass(frozen=True, eq=False)
class Judged:
    """Left-out forecasts from one prefix, as users would get them, and what came.

    Attributes:
        share: how much of the horizon was seen.
        leads: place of each query between cutoff (0) and horizon (1), [N, Q].
        quantiles: in model space, [N, K, Q, 21].
        truth: scaled values, NaN where there is none, [N, K, Q].
    """

    share: float
    leads: Array
    quantiles: Array
    truth: Array


def calibrate(forecasts: Sequence[Judged]) -> Calibration:
    """Read widths and correlations off left-out forecasts.

    The factor is a root of the one that would make the left-out 90 % interval cover 90 %: a left-out forecast comes
    from fewer members and runs than the forecast that users see, which is better. With many runs it is the square root;
    with few the parts hardly agree on anything but noise, and the whole factor is taken; so it is where intervals are
    too wide already.
    """
    runs = len(forecasts[0].truth)
    exponent = 1 - 0.5 * min(max(np.log(max(runs, 1) / 30) / np.log(4), 0.0), 1.0)  # 1 up to 30 runs, 1/2 from 120
    factors, scores = [], []
    for part in forecasts:
        middle = part.quantiles[..., _MIDDLE]
        above = (part.truth - middle) / np.maximum(part.quantiles[..., _HIGH] - middle, 1e-9)
        below = (middle - part.truth) / np.maximum(middle - part.quantiles[..., _LOW], 1e-9)
        needed = np.maximum(above, below)
        ends = [_factors(needed, near, exponent) for near in (part.leads <= NEAR, part.leads >= FAR)]
        factors.append(tuple(zip(*ends, strict=True)))
        scores.append(_normal_scores(part))
    queries = min(score.shape[-1] for score in scores)
    score = np.concatenate([score[..., -queries:] for score in scores])  # [runs × prefixes, K, Q]
    shares = tuple(part.share for part in forecasts)
    return Calibration(shares, tuple(factors), _correlation(score[..., -1]), _persistence(score))


def _factors(needed: Array, chosen: NDArray[np.bool_], exponent: float) -> list[float]:
    """One factor per metric from what each forecast [N, K, Q] would have needed at the chosen queries [N, Q]."""
    cells = np.where(chosen[:, None], needed, np.nan)
    together = _needed(cells.ravel(), exponent)
    weight = len(needed) / (len(needed) + OWN_WEIGHT)
    own = [_needed(cells[:, k].ravel(), exponent, together) for k in range(cells.shape[1])]
    logs = [weight * log + (1 - weight) * together for log in own]
    return [float(np.clip(np.exp(log), 0.6, 2.5)) for log in logs]


def _needed(cells: Array, exponent: float, otherwise: float = 0.0) -> float:
    """Log of the factor that the cells ask for."""
    cells = cells[np.isfinite(cells)]
    if not len(cells):
        return otherwise
    log = float(np.log(max(np.quantile(cells, 0.9), 1e-6)))
    return log if log < 0 else exponent * log


def _normal_scores(part: Judged) -> Array:
    """Each truth's level under its forecast, as a standard normal score, [R, K, Q]; NaN where there is no truth."""
    below = (part.quantiles < part.truth[..., None]).sum(-1)
    edges = np.r_[0.005, (LEVELS[1:] + LEVELS[:-1]) / 2, 0.995]
    return np.where(np.isfinite(part.truth), norm.ppf(edges[below]), np.nan)


def _correlation(score: Array) -> tuple[tuple[float, ...], ...]:
    """Correlation of the metrics' scores [N, K], shrunk towards independence by ten pseudo-runs."""
    known = np.isfinite(score)
    mean = np.nan_to_num(score).sum(0) / np.maximum(known.sum(0), 1)  # a metric may have no truth at all
    filled = np.where(known, score - mean, 0.0)
    pairs = known.T.astype(float) @ known
    norms = np.sqrt((filled.T**2) @ known)
    matrix = (filled.T @ filled) / np.maximum(norms * norms.T, 1e-9) * pairs / (pairs + 10)
    np.fill_diagonal(matrix, 1.0)
    values, vectors = np.linalg.eigh(matrix)  # pairwise-complete correlations need not be positive definite
    matrix = vectors @ np.diag(np.maximum(values, 0.02)) @ vectors.T
    scale = np.sqrt(np.diag(matrix))
    return tuple(tuple(float(v) for v in row) for row in matrix / np.outer(scale, scale))


def _persistence(score: Array) -> float:
    """Mean correlation of the scores between two epochs of one curve."""
    rows = score.reshape(-1, score.shape[-1])
    rows = rows[np.isfinite(rows).all(1)]
    if len(rows) < 10 or rows.shape[1] < 2:
        return 0.9
    centred = rows - rows.mean(0)
    deviation = centred.std(0)
    if (deviation < 1e-9).any():
        return 0.9
    matrix = (centred.T @ centred) / len(rows) / np.outer(deviation, deviation)
    queries = len(matrix)
    return float(np.clip((matrix.sum() - queries) / (queries * (queries - 1)), 0.0, 0.99))
