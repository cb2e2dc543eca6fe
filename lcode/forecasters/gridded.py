"""What published sequence models share here: every curve at the same shares of its horizon, a network per metric."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.errors import NotEnoughDataError
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble, curve_status, last_values_as_quantiles
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.forecasters.unit_configs import UnitConfigs
from lcode.isolation import isolated
from lcode.table import RunTable

Array = NDArray[np.float64]

MOST = 50
"""A curve is read at so many shares of its horizon at most."""

CHUNK = 100
"""Runs that are forecast at a time: bounds the memory."""


@dataclass(frozen=True, eq=False)
class Steps:
    """R curves of one metric at J shares of their horizons.

    Attributes:
        values: scaled values, 0 beyond what was seen, [R, J].
        seen: how many of them were, [R], long.
        places: the configurations in the unit cube, [R, P].
    """

    values: Tensor
    seen: Tensor
    places: Tensor

    def rows(self, index: Tensor | slice) -> Steps:
        """These curves only."""
        return Steps(self.values[index], self.seen[index], self.places[index])

    @property
    def known(self) -> Tensor:
        """Which values were seen, [R, J]."""
        return torch.arange(self.values.shape[1]) < self.seen[:, None]

    @property
    def shares(self) -> Tensor:
        """The shares, [J]."""
        count = self.values.shape[1]
        return torch.arange(1, count + 1, dtype=self.values.dtype) / count


class Learned(Protocol):
    """What was learned of one metric."""

    def quantiles(self, steps: Steps) -> Tensor:
        """Quantiles of scaled values at all shares, [R, J, 21], double; each run for itself, whatever else is there."""
        ...


class GriddedForecaster(Forecaster):
    """Scales values by mean and deviation, and lays all curves on a grid; a subclass learns from these.

    Args:
        seed: of everything random.
    """

    min_finished: ClassVar[int] = 3

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._configs: UnitConfigs | None = None
        self._learned: dict[str, tuple[Learned, float, float]] = {}
        self._count = 1

    @abstractmethod
    def learn(self, steps: Steps) -> Learned:
        """Learn from the curves of finished runs, in single precision."""

    @isolated()
    def fit(self, table: RunTable) -> Self:
        """Learn a network per metric."""
        done = finished_runs(table, at_least=self.min_finished)
        done = done.select(sorted(done.run_ids))  # the order of the logs must not matter
        self._configs, arrays = UnitConfigs.fit(done.configs), curve_arrays(done)
        self._count, self._learned = int(min(done.runs["horizon"].max(), MOST)), {}
        values, seen = _on_grid(arrays, done, self._count)
        places = self._configs.encode(done.configs)
        for k, metric in enumerate(arrays.metrics):
            rows = np.flatnonzero(seen[:, k])
            if len(rows) >= self.min_finished:
                known = values[rows, k][np.arange(self._count) < seen[rows, k, None]]
                centre, spread = float(known.mean()), float(known.std()) or 1.0
                scaled = (values[rows, k] - centre) / spread
                learned = self.learn(_steps(scaled, seen[rows, k], places[rows], torch.float32))
                self._learned[metric.key] = learned, centre, spread
        return self

    @isolated()
    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast each curve; one of a metric that too few finished runs have gets its last value."""
        if self._configs is None:
            raise NotEnoughDataError("call fit before predict")
        epochs, arrays = query_epochs(table, at), curve_arrays(table)
        places, horizons = self._configs.encode(table.configs), table.runs["horizon"].to_numpy(float)
        quantiles = last_values_as_quantiles(arrays, epochs)
        values, seen = _on_grid(arrays, table, self._count)
        open_curves = np.isin(curve_status(table, arrays), ("ok", "too_short"))
        place = np.clip(epochs / np.maximum(horizons, 1)[:, None] * self._count - 1, 0, self._count - 1)
        below = np.minimum(place.astype(np.int64), max(self._count - 2, 0))
        above, share = np.minimum(below + 1, self._count - 1), (place - below)[..., None]
        for k, metric in enumerate(arrays.metrics):
            if metric.key not in self._learned:
                continue
            learned, centre, spread = self._learned[metric.key]
            open_rows = np.flatnonzero(open_curves[:, k])
            for begin in range(0, len(open_rows), CHUNK):
                rows = open_rows[begin : begin + CHUNK]
                steps = _steps((values[rows, k] - centre) / spread, seen[rows, k], places[rows], torch.float64)
                with torch.no_grad():
                    path = learned.quantiles(steps).numpy() * spread + centre
                row = np.arange(len(rows))[:, None]
                quantiles[rows, k] = (1 - share[rows]) * path[row, below[rows]] + share[rows] * path[row, above[rows]]
        return assemble(table, arrays, epochs, quantiles)


def pooled_quantiles(samples: Tensor) -> Tensor:
    """Quantiles at `LEVELS` of samples [R, J, S], [R, J, 21]."""
    levels = torch.from_numpy(LEVELS)
    return torch.quantile(samples, levels, dim=-1).movedim(0, -1)


def linear(inputs: int, outputs: int, generator: torch.Generator) -> torch.nn.Linear:
    """A layer in single precision as torch starts it, drawn from this generator."""
    layer = torch.nn.Linear(inputs, outputs, dtype=torch.float32)
    for parameter in layer.parameters():
        bound = max(inputs, 1) ** -0.5
        parameter.data = (2 * torch.rand(parameter.shape, generator=generator, dtype=torch.float32) - 1) * bound
    return layer


def _steps(values: Array, seen: NDArray[np.int64], places: Array, kind: torch.dtype) -> Steps:
    known = np.arange(values.shape[1]) < seen[:, None]
    scaled = torch.from_numpy(np.where(known, values, 0.0)).to(kind)
    return Steps(scaled, torch.from_numpy(seen), torch.from_numpy(places).to(kind))


def _on_grid(arrays: CurveArrays, table: RunTable, count: int) -> tuple[Array, NDArray[np.int64]]:
    """Values at so many shares of the horizons, [R, K, J], and how many of them are known, [R, K].

    Of a curve with a value one share is known at least, and what lies between two shares is not read.
    """
    shares = np.arange(1, count + 1) / count
    epochs = np.maximum(np.rint(table.runs["horizon"].to_numpy(float)[:, None] * shares), 1).astype(np.int64)
    seen = (epochs[:, None] <= arrays.last_epochs[..., None]).sum(-1)
    return arrays.interpolate(epochs), np.where(arrays.lengths > 0, np.maximum(seen, 1), 0)
