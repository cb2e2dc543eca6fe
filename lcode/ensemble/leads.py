"""Where a query lies between what was seen and the horizon."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lcode.ensemble.settings import SETTINGS


def leads_of(asked: NDArray[Any], seen: NDArray[Any], horizons: NDArray[Any]) -> NDArray[np.float64]:
    """Place of query epochs [R, Q] between the last epoch seen [R] (0) and the horizon [R] (1)."""
    begin, end = np.maximum(seen, 0)[:, None], horizons[:, None]
    return np.clip((asked - begin) / np.maximum(end - begin, 1), 0, 1)


def far(leads: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far ahead a query lies: 0 up to the first of the leads `ends`, 1 from the second on, linear in between."""
    near, out = SETTINGS.ends
    return np.clip((leads - near) / (out - near), 0, 1)
