"""The order of runs in progress: by where they stand, and by a part of how differently they are expected to go on.

Without a finished run of the problem a network knows better what happens to the runs on the whole than how they differ.
Ordered by all that it expects of each, runs stood worse than by their last values alone; but how far apart they will
end it knows. So the predicted values stay, and the order in which the runs take them is that of more careful ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.forecast import Q50

Array = NDArray[np.float64]

OWN, FEWEST = 0.5, 5
"""Share of a run's own departure from the median change that counts in the order, and the runs it takes to order them.

On 47 small trainings of the most different kinds Kendall's τ was below the last value's by .04 with all of it and by
.005 with half, at a fifth of the horizon, with 1 % less error; on LCBench's design half it was .09 higher.
"""


def in_careful_order(scaled: Array, last: Array, seen: NDArray[np.int64], asked: NDArray[np.int64]) -> Array:
    """Give runs that were seen as far the predicted medians in the order of their careful ones.

    Args:
        scaled: quantiles in the space of the metrics, [R, K, Q, 21].
        last: last values in that space, [R, K].
        seen: last epoch seen of each run, [R].
        asked: query epochs, [R, Q]; only runs of the same ones are compared.
    """
    result = scaled.copy()
    kind = np.unique(np.column_stack([seen, asked]), axis=0, return_inverse=True)[1].reshape(-1)
    for group in np.flatnonzero(np.bincount(kind) >= FEWEST):
        rows = np.flatnonzero(kind == group)
        middle, start = scaled[rows][..., Q50], last[rows][..., None]
        change = middle - start
        if np.isfinite(change).all():
            careful = start + OWN * (change - np.median(change, axis=0))
            placed = np.empty_like(middle)
            order = np.argsort(careful, axis=0, kind="stable")
            np.put_along_axis(placed, order, np.sort(middle, axis=0), axis=0)
            result[rows] += (placed - middle)[..., None]
    return result
