"""Values that are not finite: a gap where the curve is finite again later, a divergence where it never is.

A metric may be undefined for an epoch (no positive example), a loss infinite while a loss scaler settles: the values
that came after tell that the training went on. The parameters of a network that diverged are not finite, and no finite
value comes any more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class NotFinite:
    """Which points are NaN or infinite, of N points that are sorted by curve and epoch.

    Attributes:
        lost: no finite value of the curve comes after the point, [N].
        gap: one does, [N].
        since: for each point the epoch of the first of the non-finite points right before it; -1 where there is none,
            [N].
        in_a_row: how many non-finite points of the curve end with this one, 0 where it is finite, [N].
    """

    lost: NDArray[np.bool_]
    gap: NDArray[np.bool_]
    since: NDArray[np.int64]
    in_a_row: NDArray[np.int64]

    @classmethod
    def of(cls, curve: NDArray[np.int64], epoch: NDArray[np.int64], value: NDArray[np.float64]) -> NotFinite:
        """Look through the points.

        Args:
            curve: number of each point's curve, ≥ 0; the points of a curve follow each other by epoch, [N].
            epoch: epoch of each point, [N].
            value: its value, [N].
        """
        bad = ~np.isfinite(value)
        if not bad.any():
            return cls(bad, bad, np.full(len(value), -1), np.zeros(len(value), dtype=np.int64))
        place = np.arange(len(value))
        last_finite = np.full(int(curve.max()) + 1, -1)
        last_finite[curve[~bad]] = place[~bad]  # the last assignment stays
        lost = bad & (place > last_finite[curve])
        follows = np.zeros(len(value), dtype=bool)  # on a non-finite point of the same curve
        follows[1:] = bad[:-1] & (curve[1:] == curve[:-1])
        first = np.maximum.accumulate(np.where(bad & ~follows, place, -1))
        before = np.concatenate([[-1], first[:-1]])
        return cls(lost, bad & ~lost, np.where(follows, epoch[before], -1), np.where(bad, place - first + 1, 0))


def diverged_epochs(
    curve: NDArray[np.int64], epoch: NDArray[np.int64], lost: NDArray[np.bool_], curves: int
) -> NDArray[np.int64]:
    """First lost epoch of each curve, [curves]; -1 where there is none."""
    diverged_at = np.full(curves, -1, dtype=np.int64)
    # Points are sorted by epoch within a curve: writing them in reverse leaves the first.
    diverged_at[curve[lost][::-1]] = epoch[lost][::-1]
    return diverged_at
