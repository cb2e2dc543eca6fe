"""Probabilities of runs among each other, counted on joint samples of their scores."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

TOP_SHARE = 0.1
"""`p_top_10pct` is the probability of being among this share of all runs (at least one run)."""


def p_best_and_top(
    samples: NDArray[np.float64], alive: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probability of each run to be best and in the top tenth; runs that tie share the places that are left.

    Args:
        samples: scores, higher is better, [n, R]; −∞ where a run cannot be chosen (it is infeasible, or has no
            forecast): it is then neither.
        alive: which runs have a forecast, [R].
    """
    runs = samples.shape[1]
    if not alive.any():
        return np.zeros(runs), np.zeros(runs)
    possible = samples > -np.inf
    best = possible & (samples == samples.max(1, keepdims=True))
    p_best = (best / np.maximum(best.sum(1, keepdims=True), 1)).mean(0)
    top = max(1, math.ceil(TOP_SHARE * runs))
    threshold = np.partition(samples, runs - top, axis=1)[:, [runs - top]]
    above, level = possible & (samples > threshold), possible & (samples == threshold)
    left = top - above.sum(1, keepdims=True)
    p_top = (above + level * (left / np.maximum(level.sum(1, keepdims=True), left))).mean(0)
    return p_best, np.where(alive, p_top, 0.0)


def alike(low: NDArray[np.float64], score: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.int64]:
    """Place of each run's score among the different ones, 0 = best, [R]; runs that are forecast alike have the same.

    Alike to twelve digits of the largest score: forecasts of the same curve differ in the last digit by their place in
    a batch.
    """
    ends = np.stack([-score, -low, -high], axis=-1)
    size = np.abs(ends[np.isfinite(ends)]).max(initial=0.0) or 1.0
    _, places = np.unique(np.nan_to_num(ends / size, nan=np.inf).round(12), axis=0, return_inverse=True)
    return places.ravel()


def mean_of_alike(chances: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Runs that are forecast alike have the same chance, which was counted on other samples for each of them."""
    return (np.bincount(places, chances) / np.maximum(np.bincount(places), 1))[places]
