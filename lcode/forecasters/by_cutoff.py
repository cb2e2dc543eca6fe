"""What forecasters share that learn one model per cutoff: each run is forecast by the model of its own."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.continuation import at_epochs, run_cutoffs
from lcode.errors import NotEnoughDataError
from lcode.forecast import Forecast, query_epochs
from lcode.forecasters.assemble import assemble, curve_status, last_values_as_quantiles
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.table import RunTable

Array = NDArray[np.float64]


class CutoffModel(Protocol):
    """Forecasts runs that were cut at one epoch.

    Attributes:
        grid: shares of the remaining epochs at which it predicts, shape [J]; see `continuation_grid`.
    """

    grid: Array

    def predict(self, table: RunTable, arrays: CurveArrays) -> Array:
        """Quantiles in natural units, shape [R, K, J, 21]; NaN for a metric of which too little is known.

        Args:
            table: R runs cut at the cutoff.
            arrays: their curves, the K metrics of the training runs.
        """


class CutoffForecaster(Forecaster):
    """Asks `learn` for the model of a cutoff when the cutoff is first met, and keeps it.

    A metric that no finished run has, and a run beyond the horizon of all but two finished ones, get their last value.

    Args:
        seed: of everything random.
    """

    min_finished: ClassVar[int] = 3

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._finished: RunTable | None = None
        self._models: dict[int, CutoffModel | None] = {}

    @abstractmethod
    def learn(self, finished: RunTable, cutoff: int) -> CutoffModel:
        """The model of a cutoff.

        Args:
            finished: at least `min_finished` finished runs whose horizon lies after the cutoff, sorted by name.
            cutoff: last observed epoch; -1 for runs of which nothing was observed.
        """

    def cutoffs(self, arrays: CurveArrays) -> NDArray[np.int64]:
        """Up to which epoch each run is read, -1 for not at all, shape [R]."""
        return run_cutoffs(arrays)

    def fit(self, table: RunTable) -> Self:
        """Keep the finished runs; the models are learned when the cutoffs are known."""
        finished = finished_runs(table, at_least=self.min_finished)
        self._finished = finished.select(sorted(finished.run_ids))  # the order of the logs must not matter
        self._models = {}
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast each run with the model of its cutoff."""
        if self._finished is None:
            raise NotEnoughDataError("call fit before predict")
        epochs, arrays = query_epochs(table, at), curve_arrays(table)
        horizons = table.runs["horizon"].to_numpy(np.int64)
        keys = {metric.key: k for k, metric in enumerate(arrays.metrics)}
        learned = [(k, keys[metric.key]) for k, metric in enumerate(self._finished.metrics) if metric.key in keys]
        theirs, ours = np.array(learned, dtype=np.int64).reshape(-1, 2).T
        readable = curve_arrays(table, metrics=self._finished.metrics)

        quantiles = last_values_as_quantiles(arrays, epochs)
        cutoffs = self.cutoffs(arrays)
        open_runs = np.isin(curve_status(table, arrays), ("ok", "too_short")).any(axis=1)
        for cutoff in np.unique(cutoffs[open_runs]).tolist():
            model = self._model(self._finished, cutoff)
            if model is None:
                continue
            rows = np.flatnonzero(open_runs & (cutoffs == cutoff))
            group = table.rows(rows)
            seen = readable.rows(rows).before(np.full(len(rows), cutoff))
            path = model.predict(group, seen)[:, theirs]
            start = seen.last_values[:, theirs]
            predicted = at_epochs(path, model.grid, start, cutoff, horizons[rows], epochs[rows])
            cell = np.ix_(rows, ours)
            quantiles[cell] = np.where(np.isnan(predicted), quantiles[cell], predicted)
        return assemble(table, arrays, epochs, quantiles)

    def _model(self, finished: RunTable, cutoff: int) -> CutoffModel | None:
        """The model of a cutoff; None when fewer than `min_finished` finished runs went on after it."""
        if cutoff not in self._models:
            runs = finished.runs.index[finished.runs["horizon"].to_numpy(np.int64) > cutoff]
            enough = len(runs) >= self.min_finished
            self._models[cutoff] = self.learn(finished.select(runs), cutoff) if enough else None
        return self._models[cutoff]
