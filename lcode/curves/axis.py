"""The axis has no unit: epochs, steps and numbers of evaluations are brought to one clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays

LONGEST = 200
"""In ticks: a longer horizon is read as one of this length, the longest that the shipped model was trained on. A log of
every step of 10,000 tells no more than one of every fiftieth, and of numbers never seen nothing can be expected."""

PLACES = 400
"""A curve's points are read at so many places of its horizon at most, close together early, where curves bend."""


def spread_out(curve: NDArray[np.int64], epoch: NDArray[np.int64], horizons: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points of long curves to read: the last one at each of `PLACES` places, equidistant in the roots of epochs.

    They are chosen, not averaged: how much a curve changes from one evaluation to the next says how uncertain it is.

    Args:
        curve: index of each point's curve, ascending, [N].
        epoch: its epoch, ascending within a curve, [N].
        horizons: planned last epoch of each curve, [C].
    """
    place = np.floor(PLACES * np.sqrt(epoch / np.maximum(horizons[curve], 1.0)))
    last = np.ones(len(curve), dtype=bool)
    last[:-1] = (curve[1:] != curve[:-1]) | (place[1:] != place[:-1])
    return last


def curve_gaps(arrays: CurveArrays) -> NDArray[np.float64]:
    """Mean distance between two points of each curve, [R, K]; NaN with fewer than two points."""
    if not arrays.epochs.shape[-1]:
        return np.full(arrays.lengths.shape, np.nan)
    span = (arrays.last_epochs - arrays.epochs[..., 0]).astype(float)
    return np.where(arrays.lengths > 1, span / np.maximum(arrays.lengths - 1, 1), np.nan)


def table_gap(arrays: CurveArrays) -> float:
    """Epochs between two evaluations: the median over the runs of that of their densest curve.

    Where no curve has two points it is the first epoch at which anything was measured, or 1.
    """
    gaps = curve_gaps(arrays)
    known = np.isfinite(gaps).any(1)
    if known.any():
        return float(np.median(np.nanmin(gaps[known], axis=1)))
    first = arrays.epochs[..., 0][arrays.lengths > 0] if arrays.epochs.shape[-1] else np.zeros(0, np.int64)
    return float(max(first.min(), 1)) if len(first) else 1.0


def ticks(gap: float, horizons: NDArray[np.float64]) -> NDArray[np.float64]:
    """Epochs that make one unit of the model's time, for each horizon, [R]: see `RunTensors.ticks`."""
    return np.maximum(gap, np.asarray(horizons, float) / LONGEST)
