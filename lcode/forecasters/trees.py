"""Extremely randomised trees on everything known at the cutoff: the baseline that has to be beaten."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from lcode.errors import NotEnoughDataError
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.forecasters.continuation import at_epochs, continuation_grid, continuations, run_cutoffs
from lcode.forecasters.features import ValueScale, RunFeatures, subset
from lcode.forecasters.forest import QuantileForest
from lcode.table import RunTable
from lcode.tensors.arrays import CurveArrays, curve_arrays

SPLIT_EPOCHS = 8
"""The trees are grown to predict this many future points of each metric; the leaves then serve every epoch."""


class TreesForecaster(Forecaster):
    """Two quantile forests per cutoff, one on the future values, one on their change since the last value.

    Which of the two targets is better depends on the source and the cutoff (where configurations decide, the value;
    where most runs stand still, the change); the average of their quantiles is close to the better one everywhere.
    Both see all metrics of a run, its signals, configuration, architecture statistics and planned learning rate.
    Values that are positive throughout are read and predicted in log space.

    A forest is fitted when a cutoff is first met, and kept.

    Args:
        seed: seed of the trees.
    """

    name: ClassVar[str] = "trees"
    min_finished: ClassVar[int] = 3

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, table: RunTable) -> Self:
        """Keep the finished runs; the forests are grown when the cutoffs are known."""
        self._finished = finished_runs(table, at_least=self.min_finished)
        self._arrays = curve_arrays(self._finished)
        self._horizons = self._finished.runs["horizon"].to_numpy(np.int64)
        self._models: dict[int, _CutoffModel] = {}
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast with the forests of each run's cutoff; a metric that no finished run has is NaN."""
        if not hasattr(self, "_models"):
            raise NotEnoughDataError("call fit before predict")
        own, epochs = curve_arrays(table), query_epochs(table, at)
        arrays = curve_arrays(table, metrics=self._arrays.metrics)
        horizons = table.runs["horizon"].to_numpy(np.int64)
        cutoffs = run_cutoffs(arrays)
        quantiles = np.full((*arrays.lengths.shape, epochs.shape[1], len(LEVELS)), np.nan)
        for cutoff in np.unique(cutoffs).tolist():
            if cutoff not in self._models:
                self._models[cutoff] = self._fit_cutoff(cutoff)
            model, rows = self._models[cutoff], np.flatnonzero(cutoffs == cutoff)
            path = model.predict(table.select([table.run_ids[r] for r in rows]), arrays.rows(rows))
            quantiles[rows] = at_epochs(
                path, model.grid, arrays.last_values[rows], cutoff, horizons[rows], epochs[rows]
            )
        order = {metric: k for k, metric in enumerate(arrays.metrics)}
        mine = np.full((*own.lengths.shape, *quantiles.shape[2:]), np.nan)
        for k, metric in enumerate(own.metrics):
            if metric in order:
                mine[:, k] = quantiles[:, order[metric]]
        return assemble(table, own, epochs, mine)
