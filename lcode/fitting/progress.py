"""What runs in progress have come to, each by itself: last values, best values, power laws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lcode.experts.power_fit import fit_power_laws
from lcode.tensors.arrays import CurveArrays
from lcode.tensors.scaling import ValueScaler

Array = NDArray[np.float64]

LAW_POINTS = 5
"""Points a law is fitted to at least, and so twice as many before one counts: on fewer they rank runs badly."""


@dataclass(frozen=True, eq=False)
class Progress:
    """What R runs in progress have come to, in model space, where less is better.

    Attributes:
        last: last values, [R, K]; NaN where there is none.
        dips: best values so far less the last ones, at most 0, [R, K].
        laws: values at query epochs by power laws through the curves, [R, K, Q]; NaN where points are few.
    """

    last: Array
    dips: Array
    laws: Array

    @classmethod
    def of(cls, arrays: CurveArrays, scaler: ValueScaler, at: NDArray[np.int64]) -> Self:
        """Curves as far as they were seen, and the query epochs of each, [R, Q]."""
        last, values = scaler.scale(arrays.last_values), scaler.scale(arrays.values)
        best = np.where(np.isfinite(values), values, np.inf).min(-1, initial=np.inf)
        enough = (arrays.lengths >= LAW_POINTS)[..., None]
        laws = scaler.scale(np.where(enough, fit_power_laws(arrays).at(at), np.nan))
        return cls(last, np.where(np.isfinite(last), best - last, 0.0), laws)
