"""What a stated horizon means where epochs count from 0.

`for epoch in range(N)` ends at epoch N − 1; evaluated `if epoch % p == 0`, such a training has its last value
at the largest multiple of p below N.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def counts_from_zero(first: ArrayLike, last: ArrayLike, stated: ArrayLike) -> NDArray[np.bool_]:
    """Of which runs a stated horizon of N means the epochs 0 … N − 1, as `for epoch in range(N)` counts them.

    These are the runs that begin at epoch 0, unless one of them has a point at its stated horizon: there epoch 0 is the
    state before the training, and the horizon is the last epoch. A run without an epoch follows the others.

    Args:
        first: first epoch of each run of one source, NaN for a run without one, shape [R].
        last: its last epoch so far, shape [R].
        stated: its horizon as the user states it, NaN where none is given, shape [R].

    Returns:
        Whether the last planned epoch of each run is N − 1 instead of N, shape [R].
    """
    begin, end, horizon = (np.asarray(values, dtype=np.float64) for values in (first, last, stated))
    known = ~np.isnan(begin)
    zero = begin == 0
    if zero.any() and zero[known].all():
        zero = zero | ~known
    # A last epoch of 0 would leave nothing to train.
    return zero & (horizon > 1) & (not np.any(zero & (end >= horizon)))


MIN_EVALUATIONS = 3
"""Two evaluations tell no interval: the second may be the first of many."""


def last_evaluation(end: ArrayLike, step: ArrayLike) -> NDArray[np.int64]:
    """The last epoch up to `end` at which a run that counts from 0 is evaluated, shape [R].

    Args:
        end: last planned epoch of each run, shape [R].
        step: epochs from one evaluation to the next: the greatest common divisor of those that were evaluated, shape
            [R]; where it is 0 (only epoch 0 was) or larger than `end`, it says nothing.
    """
    last, every = np.asarray(end, dtype=np.int64), np.asarray(step, dtype=np.int64)
    return np.where((every > 0) & (every <= last), last - last % np.maximum(every, 1), last)
