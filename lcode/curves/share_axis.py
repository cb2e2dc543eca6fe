"""Trainings of different lengths on one axis: the share of the planned horizon."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.table import RunTable, Schedule

MOST_TICKS = 1000
"""Ticks of a whole training; fewer where the longest horizon is shorter."""

APART = 2.0
"""Horizons differ where the longest is so many times the shortest: below that equal epochs are nearly equal shares."""

HORIZON = "horizon in epochs"
"""Column of the configuration that tells long trainings from short ones."""


@dataclass(frozen=True)
class ShareAxis:
    """Runs are compared at the same share of their horizons, as schedules of the learning rate go by it.

    Attributes:
        ticks: of a whole training; they take the place of epochs.

    Example:
        >>> import numpy as np
        >>> ShareAxis(100).epochs(np.array([[5.0], [500.0]]), np.array([10, 1000])).tolist()
        [[50.0], [50.0]]
    """

    ticks: int

    @classmethod
    def of(cls, *finished: RunTable) -> ShareAxis | None:
        """The axis of finished runs; None where their horizons are about equal, and shares say what epochs say."""
        horizons = np.concatenate([table.runs["horizon"].to_numpy(np.int64) for table in finished])
        differ = len(horizons) and horizons.max() >= APART * max(horizons.min(), 1)
        return cls(min(int(horizons.max()), MOST_TICKS)) if differ else None

    def table(self, table: RunTable) -> RunTable:
        """The runs with ticks for epochs; of several points in one tick the last. Their horizons are configuration."""
        horizons = table.runs["horizon"].astype(np.int64)
        return replace(
            table,
            runs=table.runs.assign(horizon=self.ticks),
            configs=table.configs.assign(**{HORIZON: horizons.to_numpy(np.float64)}),
            points=self._points(table.points, horizons),
            signals=self._points(table.signals, horizons),
            schedules={run: self._schedule(plan, int(horizons[run])) for run, plan in table.schedules.items()},
        )

    def epochs(self, epochs: NDArray[np.float64], horizons: NDArray[np.int64]) -> NDArray[np.float64]:
        """Epochs [R, Q] of runs with these horizons [R] as ticks, which need not be whole."""
        return epochs * (self.ticks / np.maximum(horizons, 1))[:, None]

    def _points(self, points: pd.DataFrame, horizons: pd.Series) -> pd.DataFrame:
        of_run = np.maximum(horizons.reindex(points["run"].astype(str)).to_numpy(np.int64), 1)
        tick = -(-points["epoch"].to_numpy(np.int64) * self.ticks // of_run)  # rounded up: a first epoch is no epoch 0
        placed = points.assign(epoch=tick)
        return placed.drop_duplicates(["run", "metric", "epoch"], keep="last").reset_index(drop=True)

    def _schedule(self, plan: Schedule, horizon: int) -> Schedule:
        ticks = np.rint(plan.epochs * (self.ticks / max(horizon, 1)))
        marks = np.unique(np.maximum(ticks, 1).astype(np.int64))
        return Schedule(marks, plan.at(marks * (horizon / self.ticks)))
