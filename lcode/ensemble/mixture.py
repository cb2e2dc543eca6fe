"""Mixtures of forecasts given as quantiles: each part's distribution counts with its weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.forecast import LEVELS

Array = NDArray[np.float64]

MASS = np.linalg.solve(np.tril(np.ones((len(LEVELS),) * 2), -1) + np.eye(len(LEVELS)) / 2, LEVELS)
"""Probability that stands for each quantile of a forecast, so that each lies in the middle of its own, [21]."""

_ALL_LEVELS = np.r_[0.0, LEVELS, 1.0]
"""With the ends: beyond its outer levels a part is constant, so a hundredth of it stands at either end."""

_TIE = 1e-12
"""Levels so near to each other are one: sums of weights are exact to no more."""

BLOCK = 256
"""Cells at a time: what is worked on stays in the processor's cache."""


def mixture_quantiles(quantiles: Array, weights: Array) -> Array:
    """Quantiles of the mixture of E distributions in N cells: the inverse of F = Σ w·F_e, exactly.

    A part's distribution function F_e is linear between its quantiles; equal quantiles are a point mass. Where F stays
    at a level over an interval (a gap between the parts), the quantile is the middle of it. So a part counts as much as
    it weighs, and one of weight 0 not at all.

    A mixture is wide where its parts disagree; an average of quantiles, level by level, is not. On `cifar10_cnn` with
    10, 30 and 199 finished runs its CRPS after calibration was 6, 4 and 3 % smaller, on TaskSet 1.4 %.

    Args:
        quantiles: finite, ascending in the last axis, [E, N, 21].
        weights: of the parts in each cell, non-negative with a positive sum, [E, N].

    Returns:
        [N, 21], ascending.
    """
    result = np.empty(quantiles.shape[1:])
    for begin in range(0, len(result), BLOCK):
        block = slice(begin, begin + BLOCK)
        result[block] = _inverse(*_distribution(quantiles[:, block], weights[:, block]))
    return result


def _distribution(quantiles: Array, weights: Array) -> tuple[Array, Array]:
    """The mixture's distribution function as M = E × 23 points (value, level), both ascending, [N, M] each.

    It is linear between the points; two at one value are a jump.
    """
    parts, cells, _ = quantiles.shape
    share = (weights / weights.sum(0))[..., None]
    # A part without weight has no points of its own: it takes those of the one with the most.
    most = quantiles[weights.argmax(0), np.arange(cells)]
    knots = np.where(share > 0, quantiles, most)
    knots = np.concatenate([knots[..., :1], knots, knots[..., -1:]], axis=-1)
    rise, width = np.diff(share * _ALL_LEVELS), np.diff(knots)
    slope = np.divide(rise, width, out=np.zeros_like(rise), where=width > 0)
    # What holds before a part's first point, and from each of them on: [E, N × 24].
    since = np.concatenate([knots[..., :1], knots], axis=-1).reshape(parts, -1)
    level = np.pad(share * _ALL_LEVELS, ((0, 0), (0, 0), (1, 0))).reshape(parts, -1)
    slope = np.pad(slope, ((0, 0), (0, 0), (1, 1))).reshape(parts, -1)
    pooled = knots.swapaxes(0, 1).reshape(cells, -1)
    order = np.argsort(pooled, axis=-1, kind="stable")
    values, owner = np.take_along_axis(pooled, order, -1), order // len(_ALL_LEVELS)
    levels = np.zeros_like(values)
    first = np.arange(cells)[:, None] * (len(_ALL_LEVELS) + 1)
    for part in range(parts):
        at = first + np.cumsum(owner == part, axis=-1)
        levels += level[part][at] + slope[part][at] * (values - since[part][at])
    return values, np.maximum.accumulate(levels, axis=-1)


def _inverse(values: Array, levels: Array) -> Array:
    """Quantiles at `LEVELS` of distribution functions given as points, [N, M] each, to [N, 21]."""
    # How many points lie below each wanted level, and how many do not lie above: F stands still in between.
    cells = np.arange(len(levels))[:, None]
    wanted = np.stack([LEVELS - _TIE, LEVELS + _TIE], axis=-1)
    place = np.searchsorted(wanted.ravel(), levels) + cells * (wanted.size + 1)
    counts = np.bincount(place.ravel(), minlength=len(cells) * (wanted.size + 1)).reshape(len(cells), -1)
    right = np.clip(np.cumsum(counts, axis=-1)[:, :-1], 1, levels.shape[1] - 1).reshape(-1, *wanted.shape)
    low, high, begin, end = (grid[cells[..., None], at] for grid in (levels, values) for at in (right - 1, right))
    share = np.clip((LEVELS[:, None] - low) / np.maximum(high - low, _TIE), 0, 1)
    return np.maximum.accumulate((begin + share * (end - begin)).mean(-1), axis=-1)


_BELOW = 2 * MASS * (2 * np.cumsum(MASS) - MASS - MASS.sum())
"""With ascending quantiles q the mean distance between two draws is q · this, for a quantile counts as often as it is
the larger of two, less as often as it is the smaller, [21]."""


def crps(quantiles: Array, truth: Array) -> Array:
    """CRPS of forecasts [..., 21], ascending, of truths [...], both in the same units; NaN where either is."""
    return np.asarray(np.abs(quantiles - truth[..., None]) @ MASS - quantiles @ _BELOW / 2)


def crps_terms(quantiles: Array, truth: Array) -> tuple[Array, Array]:
    """What the CRPS of a mixture is made of in each of N cells, for any weights w: w·a - w·B·w / 2.

    Args:
        quantiles: of E parts, finite, [E, N, 21].
        truth: finite, [N].

    Returns:
        The parts' mean distance to the truth, a [N, E], and to each other, B [N, E, E]; see Gneiting and Raftery
        (2007), equation 21.
    """
    parts = len(quantiles)
    between = np.zeros((len(truth), parts, parts))
    to_truth = np.abs(quantiles - truth[:, None]) @ MASS
    for i in range(parts):
        for j in range(i, parts):
            distance = np.abs(quantiles[i][:, :, None] - quantiles[j][:, None, :])
            between[:, i, j] = between[:, j, i] = distance @ MASS @ MASS
    return to_truth.T, between
