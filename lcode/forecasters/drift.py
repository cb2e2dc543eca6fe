"""Last value plus what finished runs still gained from there: simple, calibrated, and ahead of much that is not."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays
from lcode.forecasters.corrected import CorrectedForecaster


class DriftForecaster(CorrectedForecaster):
    """Adds the quantiles of the finished runs' change since the same epoch to the last value.

    Without finished runs it is the last value.

    Args:
        seed: not used; every forecaster is made with one.
    """

    name: ClassVar[str] = "drift"

    def point(self, prefix: CurveArrays, epochs: NDArray[np.int64]) -> NDArray[np.float64]:
        """The last values."""
        return np.broadcast_to(prefix.last_values[..., None], (*prefix.lengths.shape, epochs.shape[1]))
