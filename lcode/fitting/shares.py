"""Between which of the calibrated prefixes a run stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def neighbours(
    shares: NDArray[np.float64], known: Sequence[float]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The known shares of the horizon on either side of each [R], and how much the right one counts, 0 to 1.

    Distances are those of the roots; outside of the known shares the outermost one stands alone.
    """
    place = np.interp(np.sqrt(shares), np.sqrt(known), np.arange(len(known)))
    left = np.minimum(place.astype(np.int64), max(len(known) - 2, 0))
    return left, np.minimum(left + 1, len(known) - 1), place - left
