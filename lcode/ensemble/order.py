"""The order of runs in progress: by where they stand, and by a part of how differently they are expected to go on.

Without a finished run of the problem a network knows better what happens to the runs on the whole than how they differ.
Ordered by all that it expects of each, runs stood worse than by their last values alone; but how far apart they will
end it knows. So the predicted values stay, and the order in which the runs take them is that of more careful ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.ensemble.mixture import mixture_quantiles
from lcode.ensemble.settings import SETTINGS
from lcode.forecast import Q50

Array = NDArray[np.float64]

FEWEST = 5
"""Runs that it takes to order them."""


def in_careful_order(median: Array, last: Array, others: Array, others_last: Array) -> Array:
    """By how much to move predicted medians, so that runs take the values in the order of their careful ones.

    A run's place among the others is that of its careful value; the value it is given is the predicted one at that
    place. So what a run is given depends on the others, not on which runs are asked for.

    Args:
        median: of R runs at Q queries, in the space of a metric, [R, Q].
        last: their last values, [R].
        others: predicted medians of N runs that were seen as far (these among them or not), at the same leads, [N, Q].
        others_last: their last values, [N].

    Returns:
        [R, Q]; 0 where fewer than `FEWEST` others are known.
    """
    known = np.isfinite(others).all(1) & np.isfinite(others_last)
    if known.sum() < FEWEST:
        return np.zeros_like(median)
    others, others_last = others[known], others_last[known]
    usual = np.median(others - others_last[:, None], axis=0)

    def careful(values: Array, start: Array) -> Array:
        return start[:, None] + SETTINGS.departure * (values - start[:, None] - usual)

    ours, theirs = careful(median, last), np.sort(careful(others, others_last), axis=0)
    given = np.empty_like(median)
    for q, (place, taken) in enumerate(zip(theirs.T, np.sort(others, axis=0).T, strict=True)):
        given[:, q] = np.interp(ours[:, q], place, taken)
        # Beyond all others a run is as far ahead as its careful value is.
        given[:, q] += np.minimum(ours[:, q] - place[0], 0) + np.maximum(ours[:, q] - place[-1], 0)
    return np.where(np.isfinite(given), given - median, 0.0)


def moved_by(quantiles: Array, moves: Array) -> Array:
    """Forecasts [..., 21] with medians moved [...], as wide as the mixture of what they were and what they become.

    Where the order of the runs and the network disagree neither is sure. On the design half at 5, 20 and 50 % of the
    horizon this changed the CRPS of plainly moved forecasts by -3 to -2 % on LCBench (12 tables), -2 to +1 % on the
    corpus (three problems) and -3 to 0 % on AlgoPerf (two workloads), and 90 % intervals covered .90 to .96 instead of
    .82 to .92 of LCBench.
    """
    moved = quantiles + moves[..., None]
    apart = np.isfinite(moved).all(-1) & (moves != 0)
    both = np.stack([quantiles[apart], moved[apart]])
    mixture = mixture_quantiles(both, np.ones(both.shape[:2]))
    moved[apart] = mixture + (both[1] - mixture)[..., Q50, None]
    return moved
