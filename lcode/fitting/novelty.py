"""Runs that are unlike every finished one: what was learned from a few finished runs does not cover them.

With 30 finished runs of `cifar10_cnn` none of which had failed to learn, a run that stood still at chance level was
forecast to learn after all, by the adapted network and by the regressors; the pretrained model knew better. Leaning on
it took 27, 19 and 11 % off the CRPS there after 4, 8 and 16 epochs (three divisions); on TaskSet, the
perceptrons and two problems of the corpus it changed the CRPS by −2 to +1 %.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lcode.tensors.arrays import CurveArrays
from lcode.tensors.scaling import ValueScaler

Array = NDArray[np.float64]

STILL, POINTS = 0.01, 3
"""Movement in model space below which runs stand equally still, and the points it takes to speak of movement."""

USUAL = 0.9
"""Quantile of the finished runs' distances to their nearest other one: so far from the next is not unusual yet."""

NEAR, FAR = 1.0, 3.0
"""In usual distances: up to where what was learned from the finished runs counts in full, and from where least."""

BLUR = 0.05
"""Added to the deviation of a trait: where all finished runs have the same, a little more is not far."""

MOST = 0.9
"""Share of the weights that goes to the pretrained part at most."""


def scarcity(runs: int, few: int = 30, many: int = 120) -> float:
    """1 with up to `few` finished runs, 0 from `many`."""
    return 1 - min(max(math.log(max(runs, 1) / few) / math.log(many / few), 0.0), 1.0)


def ripeness(share: float | Array) -> Array:
    """0 where nothing of the horizon was seen, 1 from a tenth: before, the pretrained model knows little by itself."""
    return np.minimum(np.asarray(share, float) / 0.1, 1.0)


def traits(curves: CurveArrays, cutoff: int, scaler: ValueScaler) -> Array:
    """Last values and the logarithms of how far R runs moved in the later half of what was seen, [R, K, 2].

    Where nothing was seen both are NaN; the second is too where fewer than `POINTS` points were.
    """
    seen = curves.before(np.full(len(curves.lengths), cutoff))
    values, count = scaler.scale(seen.values), seen.lengths[..., None]
    place = np.arange(values.shape[-1])
    late = (place >= count // 2 - 1) & (place < count) & (count >= POINTS)
    high = np.where(late, values, -np.inf).max(-1, initial=-np.inf)
    low = np.where(late, values, np.inf).min(-1, initial=np.inf)
    moved = np.log(np.where(late.any(-1), high - low, np.nan) + STILL)
    return np.stack([scaler.scale(seen.last_values), moved], axis=-1)


def novelty_score(runs: Array, finished: Array, apart: NDArray[np.bool_] | None = None) -> Array:
    """How unlike R runs are to N finished ones, 0 to `MOST`, [R, K]; only runs that stand worse than half of them are.

    A run that is ahead of all finished ones goes on as those that are nearly as far.

    Args:
        runs: their traits, [R, K, 2].
        finished: those of the finished runs, [N, K, 2].
        apart: which of the finished runs each run is compared with, [R, N]; default: all. Where the runs are the
            finished ones themselves, none may be compared with itself.
    """
    there = np.isfinite(finished)
    known = np.where(there | ~there.any(0), np.nan_to_num(finished), np.nan)  # all 0 where none is known
    scale = np.nanstd(known, axis=0) + BLUR
    among = _distances(finished / scale, finished / scale)
    next_one = np.where(np.eye(len(finished), dtype=bool)[..., None], np.inf, among).min(1)
    next_one = np.where(np.isfinite(next_one) | ~np.isfinite(next_one).any(0), np.nan_to_num(next_one), np.nan)
    usual = np.nanquantile(next_one, USUAL, axis=0)
    far = _distances(runs / scale, finished / scale)
    nearest = (far if apart is None else np.where(apart[..., None], far, np.inf)).min(1)
    worse = runs[..., 0] > np.nanmedian(known[..., 0], axis=0)
    judged = worse & np.isfinite(nearest)
    share = np.clip((np.where(judged, nearest, 0.0) / np.maximum(usual, 1e-9) - NEAR) / (FAR - NEAR), 0, 1)
    return np.where(judged, MOST * share, 0.0)


def _distances(one: Array, other: Array) -> Array:
    """Between runs [R, K, 2] and [N, K, 2], by metric, [R, N, K]; infinite where one has no value."""
    square = (one[:, None] - other[None]) ** 2
    # What only one of the two traits says is better than nothing, but without a value there is none to compare.
    return np.sqrt(np.nan_to_num(square[..., 0], nan=np.inf) + np.nan_to_num(square[..., 1]))
