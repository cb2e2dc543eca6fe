"""The finished runs as seen from one cutoff: what was known of them there, and how each went on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays
from lcode.curves.continuation import BEND, continuation_grid, continuations, share_epochs
from lcode.curves.prefix import Known, PrefixReader
from lcode.curves.scaling import ValueScaler
from lcode.table import RunTable

Array = NDArray[np.float64]

GRID = 24
"""The most points at which a continuation is learned; in between it is linear."""

JUDGED = 3
"""Points of it at which left-out forecasts are judged: the first, one in between and the last. By cost, for the
in-context network forecasts each by itself; with 8 the CRPS of the finals was the same within 0.5 % (7 tables that the
network had not seen, of the design half; 10, 30 and 100 finished runs, 4 and 20 % seen)."""


@dataclass(frozen=True, eq=False)
class History:
    """N finished runs that went on after a cutoff.

    Attributes:
        rows: which of the finished runs they are, [N].
        folds: fold of each run, [N].
        horizons: of the runs, [N].
        cutoff: last epoch seen; -1: nothing.
        known: what was known of the runs at the cutoff.
        grid: shares of the remaining epochs at which continuations are learned, [J].
        values: the continuations in model space, NaN where a curve diverged or was not measured, [N, K, J].
    """

    rows: NDArray[np.int64]
    folds: NDArray[np.int64]
    horizons: NDArray[np.int64]
    cutoff: int
    known: Known
    grid: Array
    values: Array

    @classmethod
    def of(
        cls,
        table: RunTable,
        arrays: CurveArrays,
        folds: NDArray[np.int64],
        cutoff: int,
        scaler: ValueScaler,
        reader: PrefixReader,
        grid: Array | None = None,
    ) -> History:
        """The runs of the table whose horizon lies after the cutoff, on a grid of their own or on that of others."""
        horizons = table.runs["horizon"].to_numpy(np.int64)
        longer = np.flatnonzero(horizons > cutoff)
        if grid is None:
            grid = continuation_grid(horizons[longer], cutoff, GRID, BEND)
        after, part = arrays.rows(longer), folds[longer]
        if len(np.unique(part)) < 2:  # all that went on are repeats of one configuration: each is left out by itself
            part = np.arange(len(longer))
        return cls(
            longer,
            part,
            horizons[longer],
            cutoff,
            reader.at(table.select(table.runs.index[longer]), after, cutoff),
            grid,
            scaler.scale(continuations(after, horizons[longer], cutoff, grid)),
        )

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def judged(self) -> NDArray[np.int64]:
        """Points of the grid at which left-out forecasts are judged, the last among them, [Q]."""
        return np.unique(np.rint(np.linspace(0, len(self.grid) - 1, JUDGED)).astype(np.int64))

    @property
    def epochs(self) -> NDArray[np.int64]:
        """Epoch of each grid point of each run, [N, J]."""
        return share_epochs(self.horizons, self.cutoff, self.grid)

    @property
    def last(self) -> Array:
        """Last value of each run in model space, or the mean of all where nothing was observed, [N, K]."""
        return self.known.anchor(self.known.last)
