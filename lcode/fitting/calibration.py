"""What the left-out folds say of the intervals: how much to widen them, and what hangs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from lcode.fitting.shares import neighbours
from lcode.fitting.stacking import FAR, NEAR, far
from lcode.forecast import LEVELS, Q05, Q50, Q95

Array = NDArray[np.float64]


_LEAST = 1e-9

OWN_WEIGHT = 60.0
"""In runs: with so many a metric's own factor counts as much as that of all metrics together, and the factor of
forecasts of one width as much as that of all widths."""

STRATUM, MAX_STRATA = 80, 5
"""In runs: for each so many there is one more factor, for the wider half of the widest part. On a problem where
few runs learn, wide intervals belong to other runs than narrow ones: on TaskSet with one factor for all, 80 % of the
final values of the runs that learn were covered, and 84 % with five."""

TRUSTED = 30.0
"""In runs: with so many, intervals that were too wide for the left-out runs are narrowed half-way."""

FACTORS = (float(np.log(0.6)), float(np.log(2.5)))
"""Log factors are cut off here: what asks for more is another fault than the width."""

Table = tuple[tuple[tuple[tuple[float, ...], ...], ...], ...]


@dataclass(frozen=True)
class Calibration:
    """Conformal widening of the intervals and the copula of a forecast.

    Attributes:
        shares: ascending shares of the horizon seen, [S].
        widths: typical log widths of 90 % intervals in model space, ascending, per share and metric, for near and for
            far queries, [S][K][2][W]; one metric stands for all of a model that takes any.
        factors: log of what the distance from the median is multiplied by at these widths, [S][K][2][W].
        correlation: of the metrics' normal scores within a run at each share, [S][K][K]; empty if not known. In model
            space, where every metric falls as it gets better.
        persistence: correlation of the normal scores between the epochs of a curve, 0 to 1.
    """

    shares: tuple[float, ...]
    widths: Table
    factors: Table
    correlation: tuple[tuple[tuple[float, ...], ...], ...]
    persistence: float

    @classmethod
    def none(cls) -> Self:
        """No widening, independent metrics: for a model without left-out folds."""
        return cls.same_for_all((0.0,), ((0.0, 0.0),), 0.9)

    @classmethod
    def same_for_all(cls, shares: Sequence[float], factors: Sequence[tuple[float, float]], persistence: float) -> Self:
        """The same log factors, for near and for far queries at each share, for any metric and width."""
        table = tuple((((near,), (far,)),) for near, far in factors)
        zeros = tuple((((0.0,), (0.0,)),) for _ in factors)
        return cls(tuple(shares), zeros, table, (), persistence)

    def matrices(self, shares: Array, metrics: Sequence[int]) -> Array | None:
        """Correlation of these of the metrics in runs at these shares [R] of the horizon, [R, K, K].

        None where it is not known: the metrics then count as independent.
        """
        if not self.correlation:
            return None
        left, right, share = neighbours(shares, self.shares)
        table, t = np.array(self.correlation)[:, metrics][:, :, metrics], share[:, None, None]
        return (1 - t) * table[left] + t * table[right]

    def widen(self, quantiles: Array, shares: Array, leads: Array) -> Array:
        """Apply the factors.

        Args:
            quantiles: in model space, [R, K, Q, 21].
            shares: share of the horizon seen, [R].
            leads: place of each query between cutoff (0) and horizon (1), [R, Q].
        """
        left, right, share = neighbours(shares, self.shares)
        share = share[:, None, None]
        ahead = far(leads)[:, None]
        width = np.log(np.maximum(quantiles[..., Q95] - quantiles[..., Q05], _LEAST))  # [R, K, Q]
        widths, factors = np.array(self.widths), np.array(self.factors)  # [S, K, 2, W]
        log = np.zeros_like(width)
        for row, weight in ((left, 1 - share), (right, share)):
            for end, part in ((0, 1 - ahead), (1, ahead)):
                log += weight * part * _interpolate(width, widths[row, :, end], factors[row, :, end])
        middle = quantiles[..., Q50 : Q50 + 1]
        return middle + np.exp(log)[..., None] * (quantiles - middle)

    def to_json(self) -> dict[str, Any]:
        """As plain values, for the checkpoint."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        correlation = _matrices(data["correlation"])
        shares = tuple(float(s) for s in data["shares"])
        return cls(shares, _table(data["widths"]), _table(data["factors"]), correlation, float(data["persistence"]))


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
    with few the parts hardly agree on anything but noise, and the whole factor is taken. Where intervals are too wide
    it is trusted the less, the fewer runs say so (`TRUSTED`): weights and scales were chosen on the same runs.
    """
    widths: list[Array] = []
    factors: list[Array] = []
    scores: list[Array] = []
    for part in forecasts:
        needed, width = _needed_factors(part)
        ends = [_by_width(needed, width, near) for near in (part.leads <= NEAR, part.leads >= FAR)]
        for table, of_ends in zip((widths, factors), zip(*ends, strict=True), strict=True):
            table.append(np.stack(of_ends, axis=1))  # [K, 2, W]
        scores.append(_normal_scores(part))
    queries = min(score.shape[-1] for score in scores)
    score = np.concatenate([score[..., -queries:] for score in scores])  # [runs × prefixes, K, Q]
    shares = tuple(part.share for part in forecasts)
    correlation = _matrices(_correlations([score[..., -1] for score in scores]))
    return Calibration(shares, _table(widths), _table(factors), correlation, _persistence(score))


def calibrate_for_all(problems: Sequence[Sequence[Judged]]) -> Calibration:
    """Read one set of widths for any metric off forecasts of several problems that the forecaster had not learned from.

    Each problem counts alike. With so many problems the factor is the very one that makes 90 % of all intervals cover;
    but none is below 1, for a user's problem is further away from all of these than they are from each other.

    Args:
        problems: for each problem, forecasts from the same prefixes.
    """
    shares = tuple(part.share for part in problems[0])
    factors = []
    for place in range(len(shares)):
        ends = []
        for near in (True, False):
            needed, weights = [], []
            for parts in problems:
                cells, _ = _needed_factors(parts[place])
                leads = parts[place].leads[:, None]
                chosen = np.isfinite(cells) & (leads <= NEAR if near else leads >= FAR)
                needed.append(cells[chosen])
                weights.append(np.full(len(needed[-1]), 1 / max(len(needed[-1]), 1)))
            values = np.concatenate(needed)
            log = np.log(_weighted_quantile(values, np.concatenate(weights), 0.9)) if len(values) else 0.0
            ends.append(float(np.clip(log, 0.0, FACTORS[1])))
        factors.append((ends[0], ends[1]))
    scores = (np.concatenate([_normal_scores(part) for part in parts]) for parts in problems)
    return Calibration.same_for_all(shares, factors, float(np.median([_persistence(score) for score in scores])))


def _needed_factors(part: Judged) -> tuple[Array, Array]:
    """By what each distance from the median must be multiplied to cover the truth, and the log widths, [N, K, Q]."""
    low, middle, high = (part.quantiles[..., level] for level in (Q05, Q50, Q95))
    above = (part.truth - middle) / np.maximum(high - middle, _LEAST)
    below = (middle - part.truth) / np.maximum(middle - low, _LEAST)
    return np.maximum(above, below), np.log(np.maximum(high - low, _LEAST))


def _weighted_quantile(values: Array, weights: Array, level: float) -> float:
    """The smallest value up to which lies at least this share of the weight."""
    order = np.argsort(values)
    share = np.cumsum(weights[order]) / weights.sum()
    place = min(int(np.searchsorted(share, level)), len(values) - 1)
    return max(float(values[order][place]), _LEAST)


def _by_width(needed: Array, width: Array, chosen: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Typical log widths and log factors, [K, W], from what each forecast [N, K, Q] needed at the chosen queries."""
    runs, metrics = needed.shape[:2]
    strata = _strata(runs)
    together = _needed(needed[np.isfinite(needed) & chosen[:, None]], runs)
    widths, factors = np.zeros((metrics, len(strata))), np.zeros((metrics, len(strata)))
    for k in range(metrics):
        known = np.isfinite(needed[:, k]) & chosen
        cells = needed[:, k][known]
        order = np.argsort(width[:, k][known], kind="stable")
        own = _drawn(_needed(cells, runs, together), together, runs)
        for i, (begin, end) in enumerate(strata):
            rows = order[int(begin * len(order)) : int(end * len(order))]
            widths[k, i] = np.median(width[:, k][known][rows]) if len(rows) else 0.0
            log = _needed(cells[rows], runs, own)
            factors[k, i] = own if len(strata) == 1 else _drawn(log, own, runs * (end - begin))
    # A metric may have no truth at all, and equal widths would have no order.
    widths = np.maximum.accumulate(widths + 1e-9 * np.arange(len(strata)), axis=1)
    return widths, np.clip(factors, *FACTORS)


def _strata(runs: int) -> list[tuple[float, float]]:
    """Parts of the forecasts in order of width, as shares: the wider half is halved again and again."""
    count = int(np.clip(runs // STRATUM, 1, MAX_STRATA))
    edges = [0.0, *(1 - 0.5**i for i in range(1, count)), 1.0]
    return list(pairwise(edges))


def _drawn(log: float, towards: float, runs: float) -> float:
    """What so many runs say, drawn towards what more of them say."""
    weight = runs / (runs + OWN_WEIGHT)
    return weight * log + (1 - weight) * towards


def _needed(cells: Array, runs: int, otherwise: float = 0.0) -> float:
    """Log of the factor that the cells ask for."""
    cells = cells[np.isfinite(cells)]
    if not len(cells):
        return otherwise
    log = float(np.log(max(np.quantile(cells, 0.9), 1e-6)))
    if log < 0:
        return log * runs / (runs + TRUSTED)
    return log * (1 - 0.5 * min(max(np.log(max(runs, 1) / 30) / np.log(4), 0.0), 1.0))  # 1 up to 30 runs, 1/2 from 120


def _interpolate(x: Array, knots: Array, values: Array) -> Array:
    """Piecewise linear, constant outside: x [R, K, Q] with knots and values [R, K, W] to [R, K, Q]."""
    result = np.broadcast_to(values[..., :1], x.shape).copy()
    for i in range(knots.shape[-1] - 1):
        left, right = knots[..., i : i + 1], knots[..., i + 1 : i + 2]
        share = np.clip((x - left) / np.maximum(right - left, 1e-12), 0, 1)
        result += share * (values[..., i + 1 : i + 2] - values[..., i : i + 1])
    return result


def _table(rows: Sequence[Any]) -> Table:
    """Nested sequences [S][K][2][W] as tuples of plain numbers."""
    return tuple(tuple(tuple(tuple(float(v) for v in end) for end in metric) for metric in row) for row in rows)


def _matrices(matrices: Sequence[Any]) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """A sequence of matrices as tuples of plain numbers."""
    return tuple(tuple(tuple(float(v) for v in row) for row in matrix) for matrix in matrices)


def _normal_scores(part: Judged) -> Array:
    """Each truth's level under its forecast, as a standard normal score, [R, K, Q]; NaN where there is no truth."""
    below = (part.quantiles < part.truth[..., None]).sum(-1)
    edges = np.r_[0.005, (LEVELS[1:] + LEVELS[:-1]) / 2, 0.995]
    return np.where(np.isfinite(part.truth), norm.ppf(edges[below]), np.nan)


def _correlations(scores: Sequence[Array]) -> list[Array]:
    """Correlation of the metrics' scores [N, K] at each prefix, drawn towards that of all prefixes together.

    What tasks have in common is known early least: errors after one epoch go together more than after half of all.
    """
    together = _correlation(np.concatenate(scores))
    weights = [len(score) / (len(score) + OWN_WEIGHT) for score in scores]
    return [w * _correlation(score) + (1 - w) * together for w, score in zip(weights, scores, strict=True)]


def _correlation(score: Array) -> Array:
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
    return matrix / np.outer(scale, scale)


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
