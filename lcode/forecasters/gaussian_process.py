"""A Gaussian process per metric and cutoff on what is known of a run, for the shape of its continuation."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.continuation import continuation_grid, continuations
from lcode.curves.prefix import PrefixReader
from lcode.curves.scaling import ValueScaler
from lcode.forecast import LEVELS
from lcode.forecasters.by_cutoff import CutoffForecaster, CutoffModel
from lcode.isolation import isolated
from lcode.regressors.multi_output_gp import GaussianProcess
from lcode.table import RunTable

Array = NDArray[np.float64]

COMPONENTS = 4
"""Principal components of the continuations that are learned; what they leave is noise of each epoch."""

MAX_RUNS = 600
"""The process learns from so many runs at most: its cost grows with their cube."""

GRID = 24
"""The most points at which a continuation is learned; in between it is linear."""

_SCORES = norm.ppf(LEVELS)


class ProcessForecaster(CutoffForecaster):
    """Gaussian-process regression of the change since the last value, in the space in which `lcode` works.

    It reads a few features of each curve, the signals and the side information, and forecasts principal components
    of the continuation; its hyper-parameters maximise the marginal likelihood at each cutoff. Nothing of it is random.
    """

    name: ClassVar[str] = "gp"

    def learn(self, finished: RunTable, cutoff: int) -> CutoffModel:
        """Choose the hyper-parameters of a cutoff."""
        return _ProcessModel(finished, cutoff)


class _ProcessModel:
    """The processes of one cutoff; see `CutoffForecaster.learn` for the arguments."""

    @isolated()
    def __init__(self, finished: RunTable, cutoff: int) -> None:
        self._cutoff = cutoff
        self._scaler = ValueScaler.fit(curve_arrays(finished))
        self._reader = PrefixReader(finished, self._scaler)
        horizons = finished.runs["horizon"].to_numpy(np.int64)
        longer = np.flatnonzero(horizons > cutoff)
        finished, horizons = finished.rows(longer), horizons[longer]
        arrays = curve_arrays(finished)
        grid = continuation_grid(horizons, cutoff)
        self.grid = grid if len(grid) <= GRID else np.arange(1, GRID + 1) / GRID
        known = self._reader.at(finished, arrays, cutoff)
        values = self._scaler.scale(continuations(arrays, horizons, cutoff, self.grid))
        self._last, last = known.last, known.anchor(known.last)
        self._parts: list[_MetricProcess | None] = []
        for k in range(values.shape[1]):
            rows = _evenly(np.flatnonzero(np.isfinite(values[:, k]).all(axis=1)), MAX_RUNS)
            evidence = known.evidence(k)
            changes = values[rows, k] - last[rows, k, None]
            groups = evidence.columns.groups
            self._parts.append(_MetricProcess(evidence.values[rows], groups, changes) if len(rows) > 2 else None)

    @isolated()
    def predict(self, table: RunTable, arrays: CurveArrays) -> Array:
        """See `CutoffModel.predict`; NaN for a metric of which too little is known."""
        known = self._reader.at(table, arrays, self._cutoff)
        anchor = known.anchor(self._last)
        result = np.full((*anchor.shape, len(self.grid), len(LEVELS)), np.nan)
        for k, part in enumerate(self._parts):
            if part is not None:
                result[:, k] = part.predict(known.evidence(k).values) + anchor[:, k, None, None]
        return self._scaler.unscale(result)


class _MetricProcess:
    """Learned from changes [N, J] since the last values, and features [N, P] in groups [P]."""

    def __init__(self, features: Array, groups: NDArray[np.int64], changes: Array) -> None:
        self._mean = changes.mean(axis=0)
        centred = changes - self._mean
        self._basis = np.linalg.svd(centred, full_matrices=False)[2][:COMPONENTS]
        scores = centred @ self._basis.T
        self._rest = ((centred - scores @ self._basis) ** 2).mean(axis=0)
        self._process = GaussianProcess(torch.from_numpy(features), torch.from_numpy(scores), torch.from_numpy(groups))

    def predict(self, features: Array) -> Array:
        """Quantiles of the changes of R runs, [R, J, 21]."""
        mean, variance = self._process.predict(torch.from_numpy(features))
        path = mean.numpy() @ self._basis + self._mean
        deviation = np.sqrt(variance.numpy() @ self._basis**2 + self._rest)
        return np.asarray(path[..., None] + deviation[..., None] * _SCORES)


def _evenly(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """At most so many of the rows, evenly spaced."""
    return rows if len(rows) <= count else rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)]
