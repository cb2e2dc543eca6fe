"""What left-out runs say of the intervals: how much to widen or narrow them, and what hangs together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from lcode.ensemble.leads import far
from lcode.ensemble.settings import SETTINGS, share_of_many
from lcode.forecast import LEVELS, Q05, Q50, Q95

Array = NDArray[np.float64]

_LEAST = 1e-9


@dataclass(frozen=True, eq=False)
class Conformal:
    """Scaling of the distance from the median, and the copula of the metrics, at one cutoff (Romano et al. 2019).

    Attributes:
        widths: typical log widths of 90 % intervals in model space, ascending, for near and for far queries, [K, 2, W].
        factors: log of what the distance from the median is multiplied by at these widths, [K, 2, W].
        correlation: of the metrics' normal scores within a run, [K, K]. In model space, where every metric falls as it
            gets better.
        scores: the normal scores that it was read off, [N, K, Q].
    """

    widths: Array
    factors: Array
    correlation: Array
    scores: Array

    @classmethod
    def of(cls, leads: Array, quantiles: Array, truth: Array) -> Self:
        """Read off left-out forecasts, as users would get them.

        The factor is a root of the one that would make the left-out 90 % interval cover 90 %: a left-out forecast comes
        from fewer members and runs than the forecast that users see, which is better. With many runs it is the square
        root; with few the base models hardly agree on anything but noise, and the whole factor is taken. Where
        intervals are too wide it is trusted the less, the fewer runs say so (`trusted`): weights and scales were
        chosen on the same runs.

        Args:
            leads: place of each query between cutoff (0) and horizon (1), [N, Q].
            quantiles: in model space, [N, K, Q, 21].
            truth: scaled values, NaN where there is none, [N, K, Q].
        """
        needed, width = needed_factors(quantiles, truth)
        ends = [_by_width(needed, width, chosen) for chosen in (leads <= SETTINGS.ends[0], leads >= SETTINGS.ends[1])]
        widths, factors = (np.stack(of_ends, axis=1) for of_ends in zip(*ends, strict=True))
        scores = normal_scores(quantiles, truth)
        return cls(widths, factors, _correlation(scores[..., -1]), scores)

    def widen(self, quantiles: Array, leads: Array) -> Array:
        """Apply the factors to quantiles in model space [R, K, Q, 21] at leads [R, Q]."""
        ahead = far(leads)[:, None]
        width = np.log(np.maximum(quantiles[..., Q95] - quantiles[..., Q05], _LEAST))
        near, out = (_interpolate(width, self.widths[:, end], self.factors[:, end]) for end in (0, 1))
        return scaled_from_median(quantiles, (1 - ahead) * near + ahead * out)


def scaled_from_median(quantiles: Array, log: Array) -> Array:
    """Quantiles [..., 21] with their distances from the median multiplied by exp(log [...])."""
    middle = quantiles[..., Q50 : Q50 + 1]
    return np.asarray(middle + np.exp(log)[..., None] * (quantiles - middle))


def needed_factors(quantiles: Array, truth: Array) -> tuple[Array, Array]:
    """By what each distance from the median must be multiplied to cover the truth, and the log widths, [N, K, Q]."""
    low, middle, high = (quantiles[..., level] for level in (Q05, Q50, Q95))
    above = (truth - middle) / np.maximum(high - middle, _LEAST)
    below = (middle - truth) / np.maximum(middle - low, _LEAST)
    return np.maximum(above, below), np.log(np.maximum(high - low, _LEAST))


def normal_scores(quantiles: Array, truth: Array) -> Array:
    """Each truth's level under its forecast, as a standard normal score, [R, K, Q]; NaN where there is no truth."""
    below = (quantiles < truth[..., None]).sum(-1)
    edges = np.r_[0.005, (LEVELS[1:] + LEVELS[:-1]) / 2, 0.995]
    return np.where(np.isfinite(truth), norm.ppf(edges)[below], np.nan)


def persistence(scores: Array) -> float:
    """Mean correlation of normal scores [R, K, Q] between two epochs of one curve; 0.9 where too few are known."""
    rows = scores.reshape(-1, scores.shape[-1])
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
    return widths, np.clip(factors, *np.log(SETTINGS.factors))


def _strata(runs: int) -> list[tuple[float, float]]:
    """Parts of the forecasts in order of width, as shares: the wider half is halved again and again."""
    each, most = SETTINGS.strata
    count = int(np.clip(runs // each, 1, most))
    edges = [0.0, *(1 - 0.5**i for i in range(1, count)), 1.0]
    return list(pairwise(edges))


def _drawn(log: float, towards: float, runs: float) -> float:
    """What so many runs say, drawn towards what more of them say."""
    weight = runs / (runs + SETTINGS.own_factor)
    return weight * log + (1 - weight) * towards


def _needed(cells: Array, runs: int, otherwise: float = 0.0) -> float:
    """Log of the factor that the cells ask for."""
    cells = cells[np.isfinite(cells)]
    if not len(cells):
        return otherwise
    log = float(np.log(max(np.quantile(cells, 0.9), 1e-6)))
    if log < 0:
        return log * runs / (runs + SETTINGS.trusted)
    return log * (1 - 0.5 * share_of_many(runs))


def _interpolate(x: Array, knots: Array, values: Array) -> Array:
    """Piecewise linear, constant outside: x [R, K, Q] with knots and values [K, W] to [R, K, Q]."""
    result = np.broadcast_to(values[:, None, 0], x.shape).copy()
    for i in range(knots.shape[-1] - 1):
        left, right = knots[:, None, i], knots[:, None, i + 1]
        share = np.clip((x - left) / np.maximum(right - left, 1e-12), 0, 1)
        result += share * (values[:, None, i + 1] - values[:, None, i])
    return result


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
    return np.asarray(matrix / np.outer(scale, scale))
