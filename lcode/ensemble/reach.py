"""How far a run may go: what the finished runs and the pretrained model make plausible bounds a forecast, softly.

A part of a forecast that knows nothing of the other runs, or is normal where they are not, puts a twentieth of its
weight on values that none of a thousand came near. Of N + 1 runs that cannot be told apart the new one goes further
than all the others with a chance of 1 / (N + 1), and then by about as much as runs lie apart out there: that far
forecasts are left as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lcode.forecast import Q05, Q95

Array = NDArray[np.float64]

LEAST = 1e-3
"""Of a gap, in model space."""


@dataclass(frozen=True, eq=False)
class Reach:
    """How far N finished runs went from one cutoff, in model space, by metric and point of the continuation.

    A run is expected at `mean + slope · (its last value − theirs)`; what bounds it is how far from there others came to
    lie. Beyond all their last values the slope is 1: a run that is ahead of all stays ahead by as much.

    Attributes:
        first, centre, last: lowest, mean and highest last value of the runs, [K, J].
        mean, slope: of the line, [K, J].
        lowest, highest: furthest distances from it, NaN where fewer than two runs are known, [K, J].
        below, above: how far apart runs lie out there, [K, J].
    """

    first: Array
    centre: Array
    last: Array
    mean: Array
    slope: Array
    lowest: Array
    highest: Array
    below: Array
    above: Array

    @classmethod
    def of(cls, last: Array, values: Array) -> Self:
        """Of the last values [N, K] and the continuations [N, K, J] of finished runs, NaN where there is none."""
        known = np.isfinite(values) & np.isfinite(last)[..., None]
        count = np.maximum(known.sum(0), 1)
        start = np.broadcast_to(last[..., None], values.shape)
        centre, mean = (np.where(known, part, 0.0).sum(0) / count for part in (start, values))
        moved, came = (np.where(known, part, 0.0) for part in (start - centre, values - mean))
        spread = (moved**2).sum(0)
        slope = np.clip((moved * came).sum(0) / np.where(spread > 0, spread, np.inf), 0, 1)
        away = np.where(known & (known.sum(0) > 1), came - slope * moved, np.nan)
        (lowest, below), (highest, above) = _outermost(away), _outermost(-away)
        start = np.where(known, start, centre)
        return cls(start.min(0), centre, start.max(0), mean, slope, lowest, -highest, below, above)

    @classmethod
    def out_of_fold(cls, last: Array, values: Array, folds: NDArray[np.int64]) -> Array:
        """How far the finished runs might have gone, each by the runs of the other folds, see `ends`, [N, K, J, 4]."""
        result = np.full((*values.shape, 4), np.nan)
        for fold in np.unique(folds):
            out = folds == fold
            result[out] = cls.of(last[~out], values[~out]).ends(last[out])
        return result

    def ends(self, last: Array) -> Array:
        """For runs with these last values [R, K]: lower end, a gap below it, upper end, a gap above it, [R, K, J, 4].

        An end lies a gap beyond the furthest run. A run may always stay where it is. NaN: no end is known.
        """
        start = last[..., None]
        inside = np.clip(start, self.first, self.last)
        expected = self.mean + self.slope * (inside - self.centre) + (start - inside)
        unlike = np.abs(start - inside)  # so far from all others, it may go further by as much
        below, above = self.below + unlike, self.above + unlike
        low, high = (
            np.minimum(expected + self.lowest, start) - below,
            np.maximum(expected + self.highest, start) + above,
        )
        return np.stack([low, low - below, high, high + above], axis=-1)


def within(parts: Array, ends: Array, runs: int, prior: Array | None = None) -> Array:
    """The parts of a forecast, with what lies beyond the ends drawn in: it counts by its logarithm, in gaps.

    Where there is a pretrained model its own 90 % interval is one more opinion, and counts as one run of N + 1.

    Args:
        parts: quantiles in model space, [E, R, K, Q, 21].
        ends: `Reach.ends` at the queries, [R, K, Q, 4].
        runs: N.
        prior: the pretrained model's part, [R, K, Q, 21].
    """
    low, lower, high, higher = np.moveaxis(ends, -1, 0)[..., None]
    below, above = low - lower, higher - high
    if prior is not None:
        below = below + np.maximum(low - np.nan_to_num(prior[..., [Q05]], nan=np.inf), 0) / (runs + 1)
        above = above + np.maximum(np.nan_to_num(prior[..., [Q95]], nan=-np.inf) - high, 0) / (runs + 1)
    below, above = np.maximum(below, LEAST), np.maximum(above, LEAST)
    drawn = np.clip(parts, low, high)
    drawn = drawn - below * np.log1p(np.maximum(low - parts, 0) / below)
    drawn = drawn + above * np.log1p(np.maximum(parts - high, 0) / above)
    return np.where(np.isnan(low), parts, drawn)


def _outermost(away: Array) -> tuple[Array, Array]:
    """The least of the distances [N, K, J], and how far apart they lie out there, [K, J] each.

    The latter is the mean distance of the √N least from the next one, as in Hill (1975): the scale of an exponential
    tail, and so what a run that goes furthest of all is expected to exceed the others by.
    """
    outer = np.sort(away, axis=0)[: int(np.ceil(np.sqrt(len(away)))) + 1]  # NaN comes last
    there = np.isfinite(outer)
    next_one = np.where(there, outer, -np.inf).max(0)
    apart = np.where(there, next_one - outer, 0.0).sum(0) / np.maximum(there.sum(0) - 1, 1)
    return outer[0], apart
