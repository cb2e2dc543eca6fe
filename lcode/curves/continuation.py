"""How finished runs went on after a cutoff, on an axis that runs of different horizons share.

The axis is the share of the epochs that were left at the cutoff: 0 is the cutoff, 1 the horizon. Schedules end at the
horizon, so the end of a short run resembles the end of a long one more than its middle. Where all horizons are
equal and at most `GRID` epochs are left, the grid holds every epoch and nothing is interpolated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays
from lcode.forecast import LEVELS

GRID = 48
"""The most points at which a continuation is kept."""

BEND = 1.5
"""Power of the index by which the points of the ensemble's grids grow apart: curves bend early.

With 12 points from the first evaluation on, curves between them were off by .2 to .4 of what they are with equal
distances on two tables of LCBench and on Criteo, by .6 to .85 on fastMRI, `clicks` and two tasks of reinforcement
learning (all of the design half); from a fifth of the horizon on by .75 to 1.25. 2 was no better. The forecasters to
compare with keep equal distances: on Criteo forests were worse after the first evaluation and better later.
"""


def run_cutoffs(arrays: CurveArrays) -> NDArray[np.int64]:
    """Last epoch at which anything of a run was observed, -1 for a run without a point, shape [R]."""
    return arrays.last_epochs.max(axis=1, initial=-1)


def continuation_grid(
    horizons: NDArray[np.int64], cutoff: int, points: int = GRID, bend: float = 1.0
) -> NDArray[np.float64]:
    """Ascending shares (0, 1] of the remaining epochs, shape [J], J ≤ `points`, none before the next epoch.

    Args:
        horizons: horizons of the finished runs, shape [N].
        cutoff: epoch after which the continuation begins.
        points: how many at most.
        bend: power of the index by which they grow apart where there are fewer than epochs; 1: they do not.
    """
    left = int(max((horizons - max(cutoff, 0)).max(initial=1), 1))
    size = min(left, points)
    power = min(np.log(left) / np.log(size), bend) if size > 1 else 1.0
    return np.asarray((np.arange(1, size + 1) / size) ** power)


def share_epochs(horizons: NDArray[np.int64], cutoff: int, grid: NDArray[np.float64]) -> NDArray[np.int64]:
    """The epochs at the shares `grid` of what was left after the cutoff, horizons [N] and grid [J] to [N, J]."""
    start = max(cutoff, 0)
    return np.rint(start + grid * np.maximum(horizons - start, 0)[:, None]).astype(np.int64)


def continuations(
    arrays: CurveArrays, horizons: NDArray[np.int64], cutoff: int, grid: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values of finished runs at the shares `grid` of the epochs left after the cutoff, shape [N, K, J].

    Args:
        arrays: the whole curves of N finished runs.
        horizons: their horizons, shape [N].
        cutoff: epoch after which the continuation begins.
        grid: shares from `continuation_grid`, shape [J].

    Returns:
        The values; NaN for a curve that diverged, which teaches nothing about where its later values would lie.
    """
    values = arrays.interpolate(share_epochs(horizons, cutoff, grid))
    return np.where((arrays.diverged_at >= 0)[..., None], np.nan, values)


def change_quantiles(change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles over the runs of changes [N, K, J], shape [K, J, 21]; 0 where no run knows the change."""
    if not len(change):
        return np.zeros((*change.shape[1:], len(LEVELS)))
    known = np.isfinite(change).any(axis=0)
    return np.moveaxis(np.nanquantile(np.where(known, change, 0.0), LEVELS, axis=0), 0, -1)


def at_epochs(
    path: NDArray[np.float64],
    grid: NDArray[np.float64],
    start: NDArray[np.float64],
    cutoff: int,
    horizons: NDArray[np.int64],
    epochs: NDArray[np.float64] | NDArray[np.int64],
) -> NDArray[np.float64]:
    """Predicted paths at the query epochs, linear between the grid's points, constant after the horizon.

    Args:
        path: predictions on the grid, shape [R, K, J, L] (L quantile levels).
        grid: shares of the remaining epochs, shape [J].
        start: value at share 0, shape [R, K]; where it is NaN the first prediction is taken instead.
        cutoff: last observed epoch of these runs.
        horizons: their horizons, shape [R].
        epochs: query epochs, shape [R, Q].

    Returns:
        Predictions of shape [R, K, Q, L].
    """
    below, weight = _cells(grid, cutoff, horizons, epochs)
    weight = weight[:, None, :, None]
    begin = np.where(np.isnan(start)[..., None], path[:, :, 0], start[..., None])
    knots = np.concatenate([begin[:, :, None], path], axis=2)
    index = below[:, None, :, None]
    return (1 - weight) * np.take_along_axis(knots, index, 2) + weight * np.take_along_axis(knots, index + 1, 2)


def read_points(
    grid: NDArray[np.float64],
    cutoff: int,
    horizons: NDArray[np.int64],
    epochs: NDArray[np.float64] | NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Which points of the grid `at_epochs` reads for these epochs, [J]: for the horizon alone three at most.

    The other predictions need not be made. See `at_epochs` for the arguments.
    """
    below, _ = _cells(grid, cutoff, horizons, epochs)
    read = np.zeros(len(grid), dtype=bool)
    read[0] = True  # in place of a missing start
    read[below] = read[np.maximum(below - 1, 0)] = True
    return read


def _cells(
    grid: NDArray[np.float64],
    cutoff: int,
    horizons: NDArray[np.int64],
    epochs: NDArray[np.float64] | NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The cell of a grid in which each epoch lies, and how far into it, 0..1, both [R, Q]."""
    first = max(cutoff, 0)
    share = np.clip((epochs - first) / np.maximum(horizons - first, 1)[:, None], 0.0, 1.0)
    edges = np.concatenate([[0.0], grid])
    below = np.clip(np.searchsorted(edges, share, side="right") - 1, 0, len(grid) - 1)
    return below, np.clip((share - edges[below]) / (edges[below + 1] - edges[below]), 0.0, 1.0)
