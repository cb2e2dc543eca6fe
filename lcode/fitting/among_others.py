"""Forecasts without a finished run of the problem: what the other runs in progress say of how a run will go on.

A model that never saw a finished run of the problem knows better what happens to the runs on the whole than how they
differ, and how fast the runs of this problem learn it cannot know. But the runs in progress have a past: from the first
quarter and half of what was seen the rest is forecast, and the answer (`lcode.fitting.response`) tells how much of a
predicted change comes, and how well a power law through each curve would have done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from lcode.fitting.progress import Progress
from lcode.fitting.response import MIN_OTHERS, Response, in_order
from lcode.forecast import Q50

Array = NDArray[np.float64]


def among_others(scaled: Array, progress: Progress, asked: NDArray[np.int64], responses: Sequence[Response]) -> Array:
    """Draw each run's predicted change since its last value towards the median one of R runs seen as far.

    With all of its own change, on held-out problems, a run was ranked worse than by its last value. So this gives the
    order only: in it the runs are given the medians that were predicted with all changes, see `SPREADS`. Then each
    median is moved towards the run's own power law.

    Args:
        scaled: quantiles in model space, [R, K, Q, 21].
        progress: of the same runs.
        asked: query epochs, [R, Q]; only runs of the same ones are compared.
        responses: of each metric, [K].
    """
    drawn = scaled.copy()
    share, own, width, law, best, spread = np.array([astuple(response) for response in responses]).T[..., None]
    kind = np.unique(asked, axis=0, return_inverse=True)[1].reshape(-1)
    for group in range(kind.max(initial=-1) + 1):
        rows = np.flatnonzero(kind == group)
        middle, last, dips = scaled[rows][..., Q50], progress.last[rows][..., None], progress.dips[rows][..., None]
        change = middle - last
        known = np.isfinite(change)
        if len(rows) >= MIN_OTHERS and known.any(axis=0).all():
            common = np.nanmedian(change, axis=0)
            moved = last + share * common + own * (change - common) + best * (dips - np.median(dips, axis=0))
            moved += spread * (in_order(moved, last + share * common + (change - common)) - moved)
            around = width[..., None] * (scaled[rows] - middle[..., None])
            drawn[rows] = np.where(known[..., None], moved[..., None] + around, scaled[rows])
    return drawn + (law * np.nan_to_num(progress.laws - drawn[..., Q50]))[..., None]
