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
    return placed.mean(0)
