"""The score of finished runs at every epoch: what a policy without forecasts looks at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import Objective, architectures
from lcode.decisions.rule import LASTING
from lcode.table import RunTable
from lcode.table.gaps import NotFinite


class ScoreCurves:
    """The objective's score of every run at every epoch, each metric at its latest value.

    Attributes:
        epochs: epochs at which each run reported, ascending, length R.
        horizons: planned last epoch of each run, length R.
        diverged: for each run (by index) with a metric that was NaN or infinite `LASTING` values in a row: the epoch
            of the last of these values, that of the first, the metric, and the first value.
        first_epoch: first epoch of the table.
    """

    def __init__(self, table: RunTable, objective: Objective) -> None:
        points = table.points
        row = points["run"].cat.codes.to_numpy().astype(np.int64)
        position = {metric.key: k for k, metric in enumerate(table.metrics)}
        columns = np.array([position[str(key)] for key in points["metric"].cat.categories], dtype=np.int64)
        metric = columns[points["metric"].cat.codes.to_numpy()]
        self._grid, column = np.unique(points["epoch"].to_numpy(np.int64), return_inverse=True)
        value = points["value"].to_numpy(float)
        values = np.full((len(table), len(table.metrics), len(self._grid)), np.nan)
        values[row, metric, column] = value

        present = np.zeros((len(table), len(self._grid)), dtype=bool)
        present[row, column] = True
        self.epochs = [self._grid[reported].tolist() for reported in present]
        self.horizons = table.runs["horizon"].to_numpy(np.int64)
        self.first_epoch = int(self._grid[0]) if len(self._grid) else 1
        self.diverged: dict[int, tuple[int, int, str, float]] = {}
        curve, epoch = row * len(table.metrics) + metric, points["epoch"].to_numpy(np.int64)
        for last in np.flatnonzero(NotFinite.of(curve, epoch, value).in_a_row == LASTING):
            first, run = last - LASTING + 1, int(row[last])
            found = (int(epoch[last]), int(epoch[first]), table.metrics[metric[last]].key, float(value[first]))
            self.diverged[run] = min(found, self.diverged.get(run, found), key=lambda f: f[:3])

        latest = np.where(np.isfinite(values), np.arange(len(self._grid)), -1)
        latest = np.maximum.accumulate(latest, axis=-1)
        filled = np.take_along_axis(values, np.maximum(latest, 0), axis=-1)
        filled = np.where(latest >= 0, filled, np.nan)
        scores = objective.score(filled.transpose(2, 0, 1), table.metrics, architectures(table))
        for run, (lasting, *_) in self.diverged.items():
            scores[self._grid >= lasting, run] = np.nan
        self._scores = scores  # [E, R]

    def at(self, epoch: int) -> NDArray[np.float64]:
        """Score of every run at the last epoch up to this one, shape [R]; NaN where a metric is still missing."""
        index = int(np.searchsorted(self._grid, epoch, side="right")) - 1
        return self._scores[index] if index >= 0 else np.full(len(self.epochs), np.nan)

    @property
    def grid(self) -> list[int]:
        """Every epoch at which a run reported, ascending, [E]."""
        return self._grid.tolist()

    def on_grid(self, run: int) -> list[float]:
        """Score of a run at the last of its epochs up to each one of the grid, [E]; NaN where a metric is missing."""
        scores: list[float] = self._scores[:, run].tolist()
        return scores

    def of_run(self, run: int) -> NDArray[np.float64]:
        """Score of a run at each of its reports, each metric at its latest value, shape [P]."""
        return self._scores[np.searchsorted(self._grid, self.epochs[run]), run]
