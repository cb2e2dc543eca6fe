"""Extrapolate each curve by itself with a power law: the textbook forecast."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays
from lcode.curves.power_fit import fit_power_laws
from lcode.forecasters.corrected import CorrectedForecaster


class PowerLawForecaster(CorrectedForecaster):
    """a + b t^-c per curve; the last value with fewer than three points.

    Exponentials, alone or as a second choice per curve, forecast worse: they saturate within the prefix.
    The spread comes from the errors that the same fit made on the finished runs, cut at the same epoch; their median
    is added to the point forecast. Without finished runs it is a point forecast.

    Args:
        seed: not used; every forecaster is made with one.
    """

    name: ClassVar[str] = "power"

    def point(self, prefix: CurveArrays, epochs: NDArray[np.int64]) -> NDArray[np.float64]:
        """The fitted curves."""
        fit = fit_power_laws(prefix)
        return np.where(fit.usable[..., None], fit.at(epochs), prefix.last_values[..., None])
