"""What finished runs teach about one cutoff: how they went on, and their change since the last value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.continuation import continuation_grid, continuations
from lcode.curves.features import ValueScale
from lcode.table import RunTable

Array = NDArray[np.float64]


class CutoffData:
    """N finished runs cut at one epoch, in the metrics' scale (`ValueScale`).

    Attributes:
        arrays: their whole curves, K metrics.
        horizons: shape [N].
        scale: scale of the metrics.
        grid: shares of the remaining epochs, shape [J].
        values: what followed, shape [N, K, J]; NaN for a metric that a run lacks or that diverged.
        changes: the same less the anchor, the last value before the cutoff.

    Args:
        finished: the runs; their horizons lie after the cutoff.
        cutoff: last observed epoch, -1 for runs without a point.
    """

    def __init__(self, finished: RunTable, cutoff: int) -> None:
        self.arrays = curve_arrays(finished)
        self.horizons = finished.runs["horizon"].to_numpy(np.int64)
        self.scale = ValueScale.fit(self.arrays)
        self.grid = continuation_grid(self.horizons, cutoff)
        prefix = self.arrays.before(np.full(len(finished), cutoff))
        last = self.scale.forward(prefix.last_values[..., None])
        known = np.isfinite(last).any(axis=0)
        # A run of which this metric was not observed starts from the middle of the others; all from 0 if none was.
        self._middle = np.where(known, np.nanmedian(np.where(known, last, 0.0), axis=0), 0.0)
        self.values = self.scale.forward(continuations(self.arrays, self.horizons, cutoff, self.grid))
        self.changes = self.values - self.anchor(prefix)

    def anchor(self, prefix: CurveArrays) -> Array:
        """Scaled value that changes are counted from, of runs cut at the cutoff, shape [R, K, 1]."""
        last = self.scale.forward(prefix.last_values[..., None])
        return np.where(np.isfinite(last), last, self._middle)

    def continued(self, prefix: CurveArrays, changes: Array) -> Array:
        """Natural values of runs cut at the cutoff from their scaled changes, both [R, K, J, L]."""
        scaled = self.anchor(prefix)[..., None] + changes
        return self.scale.inverse(scaled.reshape(*scaled.shape[:2], -1)).reshape(scaled.shape)


def without_side_information(table: RunTable) -> RunTable:
    """The runs as if all had the same configuration, architecture, horizon and schedule, for `RunFeatures`."""
    runs = table.runs.assign(arch=pd.Series(None, index=table.runs.index, dtype=object), horizon=1)
    return replace(table, runs=runs, configs=table.configs.iloc[:, :0], graphs={}, schedules={})
