"""Where a run stands among the calibrated prefixes, and a query between what was seen and the horizon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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


def leads_of(asked: NDArray[Any], seen: NDArray[Any], horizons: NDArray[Any]) -> NDArray[np.float64]:
    """Place of query epochs [R, Q] between the last epoch seen [R] (0) and the horizon [R] (1)."""
    begin, end = np.maximum(seen, 0)[:, None], horizons[:, None]
    return np.clip((asked - begin) / np.maximum(end - begin, 1), 0, 1)
