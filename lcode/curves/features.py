"""What is known of a run at a cutoff, as one row of numbers for a regressor."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.config import ConfigEncoder
from lcode.graphs import graph_statistics
from lcode.table import Metric, RunTable, Schedule, split_key

Array = NDArray[np.float64]

PREFIX_POINTS = 8
"""Points of each prefix that are read, evenly spaced, with their differences; more did not help."""

SIGNAL_LAGS = np.array([0, 1, 2, 4])
"""How many epochs before the cutoff the signals are read."""

SCHEDULE_SHARES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
"""Where in a run its planned learning rate is read, as a share of the horizon."""


@dataclass(frozen=True)
class ValueScale:
    """Log where a metric was positive throughout (losses span decades), unchanged elsewhere.

    Attributes:
        log: which metrics are read in log space, shape [K, 1].
        floor: smallest value that the log is taken of, shape [K, 1].
    """

    log: NDArray[np.bool_]
    floor: Array

    @classmethod
    def fit(cls, arrays: CurveArrays) -> ValueScale:
        """Read the scale off the whole curves of the training runs."""
        lowest = np.where(arrays.present, arrays.values, np.inf).min(axis=(0, 2), initial=np.inf)[:, None]
        log = (lowest > 0) & np.isfinite(lowest)
        # Below the smallest value ever seen there is nothing to tell apart, and a zero must not become -inf.
        return cls(log, np.where(log, lowest / 10, 1.0))

    def forward(self, values: Array) -> Array:
        """Natural units to scaled ones, shape [..., K, S]."""
        return np.where(self.log, np.log(np.maximum(values, self.floor)), values)

    def inverse(self, scaled: Array) -> Array:
        """Scaled values to natural units, shape [..., K, S]."""
        return np.where(self.log, np.exp(np.where(self.log, scaled, 0.0)), scaled)


class RunFeatures:
    """Fitted on finished runs for one cutoff; turns runs observed up to that cutoff into rows without NaN.

    A row holds: all metrics of the run at up to `PREFIX_POINTS` epochs and their differences, the signals at recent
    epochs, and `side_information`. What is missing is given the training runs' median.

    Args:
        finished: N finished runs.
        arrays: their curves, the K metrics.
        scale: scale of the metrics.
        cutoff: last observed epoch; -1 for runs of which nothing was observed.
    """

    def __init__(self, finished: RunTable, arrays: CurveArrays, scale: ValueScale, cutoff: int) -> None:
        self.cutoff, self.scale = cutoff, scale
        first = int(arrays.epochs[..., 0][arrays.lengths > 0].min(initial=1)) if arrays.epochs.shape[-1] else 1
        self._grid = np.unique(np.rint(np.linspace(min(first, cutoff), cutoff, PREFIX_POINTS)).astype(np.int64))
        self._recent = np.unique(np.maximum(cutoff - SIGNAL_LAGS, min(first, cutoff)))
        keys = sorted(set(finished.signals["metric"].astype(str)))
        self._signals = tuple(Metric(*split_key(key), "min") for key in keys)
        self._signal_scale = ValueScale.fit(self._signal_arrays(finished))
        self._encoder = ConfigEncoder.fit(side_information(finished))
        self._fill = np.zeros(0)
        self.training = self._rows(finished, arrays)
        known = np.isfinite(self.training).any(axis=0)
        self._fill = np.where(known, np.nanmedian(np.where(known, self.training, 0.0), axis=0), 0.0)
        self.training = np.where(np.isfinite(self.training), self.training, self._fill)

    def of(self, table: RunTable, arrays: CurveArrays) -> Array:
        """Features of runs observed up to the cutoff, shape [R, P].

        Args:
            table: R runs.
            arrays: their curves, the metrics of the training runs.
        """
        rows = self._rows(table, arrays)
        return np.where(np.isfinite(rows), rows, self._fill)

    def _rows(self, table: RunTable, arrays: CurveArrays) -> Array:
        count = len(table)
        limit = np.full(count, self.cutoff)
        curves = self.scale.forward(arrays.before(limit).interpolate(np.tile(self._grid, (count, 1))))
        signals = self._signal_arrays(table).before(limit).interpolate(np.tile(self._recent, (count, 1)))
        parts = [curves, np.diff(curves), self._signal_scale.forward(signals)]
        flat = [part.reshape(count, int(np.prod(part.shape[1:]))) for part in parts]
        return np.concatenate([*flat, self._encoder.encode(side_information(table))], axis=1)

    def _signal_arrays(self, table: RunTable) -> CurveArrays:
        return curve_arrays(replace(table, points=table.signals), metrics=self._signals)


def side_information(table: RunTable) -> pd.DataFrame:
    """What is known of each run before it starts, one row per run.

    Columns: the configuration, `arch` (its name), `graph.*` (statistics of its graph), `horizon`, and `lr.*` (the
    planned learning rate along the run), as far as the table has them.
    """
    told = {f"config.{name}": column for name, column in table.configs.items()}
    told.update(arch=table.runs["arch"], horizon=table.runs["horizon"])
    frames = [pd.DataFrame(told, index=table.runs.index)]
    if table.graphs:
        used = {arch for arch in table.runs["arch"] if arch in table.graphs}
        statistics = {arch: graph_statistics(table.graphs[arch]) for arch in used}
        by_run = [statistics.get(arch, {}) for arch in table.runs["arch"]]
        frames.append(pd.DataFrame(by_run, index=table.runs.index).add_prefix("graph."))
    if table.schedules:
        ends = zip(table.run_ids, table.runs["horizon"].tolist(), strict=True)
        planned = [_planned(table.schedules.get(run), horizon) for run, horizon in ends]
        columns = [f"lr.{share:g}" for share in SCHEDULE_SHARES]
        frames.append(pd.DataFrame(planned, index=table.runs.index, columns=columns))
    return pd.concat(frames, axis=1) if len(frames) > 1 else frames[0]


def _planned(schedule: Schedule | None, horizon: int) -> Array:
    """Learning rate at `SCHEDULE_SHARES` of the way from the first epoch to the last; NaN if not planned that far."""
    if schedule is None or not len(schedule.rates) or schedule.last < horizon:
        return np.full(len(SCHEDULE_SHARES), np.nan)
    return schedule.at(1 + np.rint(SCHEDULE_SHARES * (schedule.last - 1)))
