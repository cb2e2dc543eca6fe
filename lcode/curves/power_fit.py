"""Power laws a + b t^-c, fitted to many prefixes at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, thinned
from lcode.curves.axis import curve_gaps

Array = NDArray[np.float64]

POWERS = np.geomspace(0.1, 1.5, 12)

MIN_POINTS = 3
MAX_POINTS = 64
"""Longer prefixes are thinned to this many points before they are fitted."""

REWEIGHTINGS = 2
"""Rounds of least squares; the second is robust."""

REACH = 3.0
"""The asymptote lies within this many ranges of the prefix around its last value."""

_TINY = 1e-300


@dataclass(frozen=True, eq=False)
class PowerFit:
    """y(t) = asymptote + amplitude · t^-power with t = (epoch - origin) / gap + 1; every array has the shape [R, K].

    Attributes:
        origin: epoch of the first point.
        gap: mean distance between two points: the axis has no unit.
        asymptote: value for t to infinity, in natural units.
        amplitude: distance from it at t = 1.
        power: decay, positive.
        usable: whether the curve had at least `MIN_POINTS` points.
    """

    origin: NDArray[np.int64]
    gap: Array
    asymptote: Array
    amplitude: Array
    power: Array
    usable: NDArray[np.bool_]

    def at(self, epochs: NDArray[np.int64]) -> Array:
        """Values at the epochs [R, Q], shape [R, K, Q]."""
        time = np.maximum((epochs[:, None, :] - self.origin[..., None]) / self.gap[..., None] + 1.0, 1.0)
        return self.asymptote[..., None] + self.amplitude[..., None] * time ** -self.power[..., None]


def fit_power_laws(arrays: CurveArrays) -> PowerFit:
    """Fit every curve over a grid of powers, asymptote and amplitude in closed form.

    Late points count more (in proportion to t), since they say more about what follows, and after a first round
    points count by 1/|residual|, towards least absolute deviations. The asymptote lies within `REACH` ranges of the
    last value, and is not negative where no value is; where it is clamped the amplitude is fitted anew.
    """
    epochs, values, present = thinned(arrays, MAX_POINTS)
    origin, gap = epochs[..., 0], np.nan_to_num(curve_gaps(arrays), nan=1.0)
    time = np.maximum((epochs - origin[..., None]) / gap[..., None] + 1.0, 1.0)
    basis = time[..., None, :] ** -POWERS[:, None]  # [R, K, G, S]
    y = np.where(present, values, 0.0)[..., None, :]
    highest = np.where(present, values, -np.inf).max(-1, keepdims=True)
    lowest = np.where(present, values, np.inf).min(-1, keepdims=True)
    spread = np.where(present[..., :1], highest - lowest, 0.0)
    last = arrays.last_values[..., None]
    low = np.where(lowest >= 0, np.maximum(last - REACH * spread, 0.0), last - REACH * spread)

    importance = np.where(present, time, 0.0)[..., None, :]
    weight = np.broadcast_to(importance, basis.shape)
    for _ in range(REWEIGHTINGS):
        asymptote = np.clip(_intercept(basis, y, weight), low, last + REACH * spread)
        offset = y - asymptote[..., None]
        amplitude = (weight * basis * offset).sum(-1) / np.maximum((weight * basis**2).sum(-1), _TINY)
        residual = np.abs(offset - amplitude[..., None] * basis)
        weight = importance / np.maximum(residual, 1e-3 * spread[..., None] + 1e-12)
    best = (importance * residual).sum(-1).argmin(-1)

    def chosen(candidates: Array) -> Array:
        return np.take_along_axis(candidates, best[..., None], -1)[..., 0]

    return PowerFit(origin, gap, chosen(asymptote), chosen(amplitude), POWERS[best], arrays.lengths >= MIN_POINTS)


def _intercept(x: Array, y: Array, weight: Array) -> Array:
    """Intercept of the weighted least squares line over the last axis; the mean where x does not vary."""
    total = np.maximum(weight.sum(-1), _TINY)
    mean_x, mean_y = (weight * x).sum(-1) / total, (weight * y).sum(-1) / total
    deviation = x - mean_x[..., None]
    variance = (weight * deviation**2).sum(-1)
    covariance = (weight * deviation * (y - mean_y[..., None])).sum(-1)
    varies = variance > 1e-12 * total
    return mean_y - np.where(varies, covariance / np.where(varies, variance, 1.0), 0.0) * mean_x
