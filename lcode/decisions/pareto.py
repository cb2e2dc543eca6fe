"""Which runs are on the Pareto front of two metrics: no other run is better in one and as good in the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def front_probability(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of each run to end on the front, counted on joint samples; larger values are better in both.

    Args:
        one: samples of the first metric's final values, [n, R]; NaN = no forecast, never on the front.
        other: of the second metric's, likewise.

    Returns:
        Probabilities 0 to 1, [R].
    """
    known = np.isfinite(one) & np.isfinite(other)
    first, second = np.where(known, one, -np.inf), np.where(known, other, -np.inf)
    chance = np.zeros(one.shape[1])
    candidates = _not_plainly_dominated(first, second)
    first, second = first[:, candidates], second[:, candidates]
    # Best first in the one metric, ties by the other: a run is on the front if nobody before it is as good.
    order = np.lexsort((-second, -first), axis=-1)
    first, second = (np.take_along_axis(values, order, -1) for values in (first, second))
    best_before = np.maximum.accumulate(second, axis=-1)
    best_before = np.concatenate([np.full((len(second), 1), -np.inf), best_before[:, :-1]], axis=-1)
    on_front = second > best_before
    # Runs with equal values share their place: who equals the run before is on the front if that one is.
    twin = np.zeros_like(on_front)
    twin[:, 1:] = (first[:, 1:] == first[:, :-1]) & (second[:, 1:] == second[:, :-1])
    for column in np.flatnonzero(twin.any(0)):
        on_front[:, column] |= twin[:, column] & on_front[:, column - 1]
    on_front &= np.isfinite(second)
    placed = np.zeros_like(on_front)
    np.put_along_axis(placed, order, on_front, -1)
    chance[candidates] = placed.mean(0)
    return chance


def _not_plainly_dominated(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.intp]:
    """Places of runs that, in some sample, one good run does not dominate: mostly few, and only these are sorted."""
    if not first.shape[1]:
        return np.zeros(0, dtype=np.intp)
    pivot = np.argmax(_scaled(first) + _scaled(second), axis=1)[:, None]
    best, other = (np.take_along_axis(values, pivot, -1) for values in (first, second))
    dominated = (first <= best) & (second <= other) & ((first < best) | (second < other))
    return np.flatnonzero(~dominated.all(0))


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values in units of their range, so that neither metric outweighs the other; halves: a range may overflow."""
    finite = values[np.isfinite(values)] / 2
    return values / 2 / ((np.ptp(finite) if len(finite) else 0.0) or 1.0)
