"""The finished runs as seen from one cutoff: how each went on, what was known, and who may judge whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lcode.experts.continuation import continuation_grid, continuations, share_epochs
from lcode.table import RunTable
from lcode.tensors.arrays import CurveArrays
from lcode.tensors.scaling import ValueScaler

Array = NDArray[np.float64]

GRID = 24
"""The most points at which a continuation is learned; in between it is linear."""


@dataclass(frozen=True, eq=False)
class Scene:
    """N finished runs that went on after a cutoff.

    Attributes:
        rows: which of the finished runs they are, [N].
        own: so many of them, the first, are of the problem to forecast, the others of related ones.
        table: the runs.
        arrays: their whole curves.
        folds: fold of each run, [N].
        cutoff: last epoch seen; -1: nothing.
        grid: shares of the remaining epochs at which continuations are learned, [J].
        values: the continuations in model space, NaN where a curve diverged or was not measured, [N, K, J].
    """

    rows: NDArray[np.int64]
    own: int
    table: RunTable
    arrays: CurveArrays
    folds: NDArray[np.int64]
    cutoff: int
    grid: Array
    values: Array

    @classmethod
    def of(
        cls, table: RunTable, own: int, arrays: CurveArrays, folds: NDArray[np.int64], cutoff: int, scaler: ValueScaler
    ) -> Scene:
        """The runs of the table whose horizon lies after the cutoff; the first `own` are of the problem itself."""
        horizons = table.runs["horizon"].to_numpy(np.int64)
        longer = np.flatnonzero(horizons > cutoff)
        grid = continuation_grid(horizons[longer], cutoff)
        grid = grid if len(grid) <= GRID else np.arange(1, GRID + 1) / GRID
        values = continuations(arrays.rows(longer), horizons[longer], cutoff, grid)
        chosen = table.select(table.runs.index[longer])
        return cls(
            longer,
            int((longer < own).sum()),
            chosen,
            arrays.rows(longer),
            folds[longer],
            cutoff,
            grid,
            scaler.scale(values),
        )

    @property
    def epochs(self) -> NDArray[np.int64]:
        """Epoch of each grid point of each run, [N, J]."""
        return share_epochs(self.table.runs["horizon"].to_numpy(np.int64), self.cutoff, self.grid)
