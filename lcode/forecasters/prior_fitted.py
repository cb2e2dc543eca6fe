"""What the adapters for LC-PFN and FT-PFN share: transformers trained on curves drawn from a prior, as published.

Neither package is a dependency, and weights are never downloaded from here: the user names a local copy. The packages
read it with `pickle`, which runs whatever is in it, so it must come from a place that is trusted.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.scaling import MetricScale
from lcode.errors import NotEnoughDataError, UsageError
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble, curve_status
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.isolation import isolated
from lcode.table import Metric, RunTable

Array = NDArray[np.float64]

PREFIX_POINTS = 99
"""A prefix is read at so many evenly chosen points at most: LC-PFN was trained on curves of 100 epochs."""


@dataclass(frozen=True)
class UnitScale:
    """Values of a metric to 0 (bad) … 1 (good) and back, linearly: the scale of both priors.

    Attributes:
        low, high: natural values that become the ends.
        sign: see `Metric.sign`.
    """

    low: float
    high: float
    sign: int

    @classmethod
    def of(cls, metric: Metric, finished: Array, prefix: Array) -> UnitScale:
        """The metric's own bounds; where it has none, what was seen, and room for what was not.

        Args:
            metric: what the values measure.
            finished: all values of finished runs, any shape, NaN allowed.
            prefix: the values of the run to forecast, [S]; one of the two holds a value.
        """
        finished = finished[np.isfinite(finished)]
        bounds = MetricScale.relative(metric, np.r_[finished, prefix])
        seen = np.r_[np.quantile(finished, [0.01, 0.99]) if len(finished) else finished, prefix]
        least, most = float(seen.min()), float(seen.max())
        room = (0.1 if len(finished) else 1.0) * ((most - least) or abs(most) or 1.0)
        room = max(room, float(np.finfo(np.float64).tiny))
        low, high = bounds.lower * bounds.unit, bounds.upper * bounds.unit
        low, high = low if np.isfinite(low) else least - room, high if np.isfinite(high) else most + room
        return cls(low, high, metric.sign)

    def forward(self, values: Array) -> Array:
        """Natural units to 0 … 1; what lies beyond is clipped."""
        share = np.clip((values - self.low) / (self.high - self.low), 0.0, 1.0)
        return share if self.sign > 0 else 1 - share

    def inverse(self, share: Array) -> Array:
        """0 … 1 to natural units; the quantiles of a metric of which less is better come in falling order."""
        share = np.clip(share, 0.0, 1.0)
        return self.low + (self.high - self.low) * (share if self.sign > 0 else 1 - share)


@dataclass(frozen=True, eq=False)
class Question:
    """One curve to forecast.

    Attributes:
        run: the table's part of its run.
        metric: its place among the metrics.
        scale: of its values.
        epochs, values: what was observed, [S], values from 0 to 1.
        at: epochs to forecast, [Q].
    """

    run: RunTable
    metric: int
    scale: UnitScale
    epochs: NDArray[np.int64]
    values: Array
    at: NDArray[np.int64]

    @property
    def horizon(self) -> int:
        """The run's planned last epoch."""
        return int(self.run.runs["horizon"].iloc[0])


class PriorFittedForecaster(Forecaster):
    """Forecasts one curve at a time; NaN for a curve of which the network knows nothing.

    Args:
        seed: not used; every forecaster is made with one.
    """

    variable: ClassVar[str]
    """Environment variable that names the weights."""

    package: ClassVar[str]
    remedy: ClassVar[str]

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._finished: RunTable | None = None
        self._network: Any = None

    def fit(self, table: RunTable) -> Self:
        """Keep the finished runs and load the network, which learns nothing more.

        Raises:
            UsageError: the package or its weights are not there; the text says how to get them.
        """
        finished = finished_runs(table, at_least=0)
        self._finished = finished.select(sorted(finished.run_ids))  # the order of the logs must not matter
        given = os.environ.get(self.variable)
        reasons = [] if given else [f"the environment variable {self.variable} is not set"]
        try:
            module = import_module(self.package)
        except ImportError as error:
            raise self._refused(f"the package {self.package} cannot be imported ({error})", *reasons) from error
        if not given:
            raise self._refused(*reasons)
        self._network = self._load(module, Path(given))
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast each curve of the table."""
        if self._finished is None:
            raise NotEnoughDataError("call fit before predict")
        epochs, arrays = query_epochs(table, at), curve_arrays(table)
        finished = curve_arrays(self._finished, metrics=arrays.metrics)
        quantiles = np.full((*arrays.lengths.shape, epochs.shape[1], len(LEVELS)), np.nan)
        runs = [table.select([run]) for run in table.run_ids]
        with isolated(), torch.no_grad():
            for r, k in np.argwhere(np.isin(curve_status(table, arrays), ("ok", "too_short"))).tolist():
                seen, values = points(arrays, r, k, PREFIX_POINTS)
                if len(values) or finished.lengths[:, k].any():
                    scale = UnitScale.of(arrays.metrics[k], finished.values[:, k], values)
                    question = Question(runs[r], k, scale, seen, scale.forward(values), epochs[r])
                    quantiles[r, k] = scale.inverse(self._quantiles(question, finished))
        return assemble(table, arrays, epochs, quantiles)

    @abstractmethod
    def _load(self, module: Any, path: Path) -> Any:
        """The network, from the package and what `variable` names."""

    @abstractmethod
    def _quantiles(self, question: Question, finished: CurveArrays) -> Array:
        """Quantiles from 0 to 1 at the epochs that are asked for, [Q, 21]; NaN without an answer."""

    def _refused(self, *reasons: str) -> UsageError:
        return UsageError(f"forecaster '{self.name}': {'; '.join(reasons)}. {self.remedy}")


def points(arrays: CurveArrays, run: int, metric: int, most: int) -> tuple[NDArray[np.int64], Array]:
    """Epochs and values of a curve at evenly chosen points, the first and the last among them, [S] each."""
    length = int(arrays.lengths[run, metric])
    chosen = np.unique(np.rint(np.linspace(0, length - 1, min(length, most))).astype(np.int64))
    return arrays.epochs[run, metric, chosen], arrays.values[run, metric, chosen]
