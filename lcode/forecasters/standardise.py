"""Columns of equal size, for methods to which the size of a feature matters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CLIP = 4.0
"""Standardised features are clipped to ± this: one strange run must not decide."""


class Standardiser:
    """Fitted on training features [N, P] without NaN; a constant column becomes 0."""

    def __init__(self, training: Array) -> None:
        self._centre, deviation = training.mean(0), training.std(0)
        self._size = np.where(deviation > 1e-12 * np.maximum(np.abs(self._centre), 1), deviation, np.inf)

    def __call__(self, features: Array) -> Array:
        """Features [R, P] with mean 0 and deviation 1 over the training runs, clipped."""
        return np.clip((features - self._centre) / self._size, -CLIP, CLIP)
