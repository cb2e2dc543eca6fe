"""DPL, an ensemble of networks that map a configuration to the coefficients of its curve's power law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.errors import NotEnoughDataError
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble, curve_status, last_values_as_quantiles
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.forecasters.prior_fitted import points
from lcode.forecasters.unit_configs import UnitConfigs
from lcode.isolation import isolated
from lcode.table import RunTable

Array = NDArray[np.float64]

MEMBERS = 5
HIDDEN = 128
RATE = 1e-3
BATCH = 64

PASSES, STEPS = 250, 6000
"""Over all points of the finished runs, and steps at most."""

REFINING = 20
"""Steps by which a copy of the networks takes up the points of the run to forecast; with 60 and 180 the final MAE is 8
to 50 % larger and CRPS between 5 % smaller and 20 % larger (two tables of LCBench's design half, 5 of 51 epochs)."""

OWN = 50
"""Evenly chosen points of that run at most, all of them in each of these steps."""

LARGEST = 30.0
"""Of the logarithm of b^-γ: beyond it values overflow, and nothing is learned any more."""


class DPLForecaster(Forecaster):
    """Deep power laws (Kadra et al. 2023, "Scaling Laws for Hyperparameter Optimization").

    A curve is α + β b^-γ at the share b of the longest horizon; α, β and γ come from the configuration in the unit cube
    by a network of two hidden layers, β and γ through gated linear units. Five networks of different starts are trained
    by the mean absolute error on all points of the finished runs; for each run to forecast they are trained a little
    further, with its own points in every batch. A forecast is Gaussian, with mean and deviation of the five.

    What differs: it was made to choose what to train next, and takes up the points of all runs as they come, while here
    each run is forecast from the finished ones and itself; training is capped at 6,000 steps; values are scaled to
    the range of the finished runs, since they need be no errors. It knows nothing of loss weights, plans, signals and
    graphs.

    Args:
        seed: of the starts and of the batches.
    """

    name: ClassVar[str] = "dpl"
    min_finished: ClassVar[int] = 3

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._configs: UnitConfigs | None = None
        self._ensembles: dict[str, _Ensemble] = {}

    @isolated()
    def fit(self, table: RunTable) -> Self:
        """Train the networks of every metric."""
        done = finished_runs(table, at_least=self.min_finished)
        done = done.select(sorted(done.run_ids))  # the order of the logs must not matter
        self._configs, arrays = UnitConfigs.fit(done.configs), curve_arrays(done)
        places, longest = self._configs.encode(done.configs), int(done.runs["horizon"].max())
        self._ensembles = {
            metric.key: _Ensemble.fit(arrays, k, places, longest, self.seed)
            for k, metric in enumerate(arrays.metrics)
            if (arrays.lengths[:, k] > 0).sum() >= self.min_finished
        }
        return self

    @isolated()
    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast each curve; one of a metric that too few finished runs have gets its last value."""
        if self._configs is None:
            raise NotEnoughDataError("call fit before predict")
        epochs, arrays = query_epochs(table, at), curve_arrays(table)
        places = self._configs.encode(table.configs)
        quantiles = last_values_as_quantiles(arrays, epochs)
        for r, k in np.argwhere(np.isin(curve_status(table, arrays), ("ok", "too_short"))).tolist():
            ensemble = self._ensembles.get(arrays.metrics[k].key)
            if ensemble is not None:
                seen, values = points(arrays, r, k, OWN)
                quantiles[r, k] = ensemble.quantiles(places[r], seen, values, epochs[r])
        return assemble(table, arrays, epochs, quantiles)


@dataclass(frozen=True, eq=False)
class _Points:
    """Points of curves as tensors: places [N, P], logarithms of shares of the longest horizon, scaled values [N]."""

    places: Tensor
    log_shares: Tensor
    values: Tensor

    def rows(self, index: Tensor) -> _Points:
        """Some of them, an index of any shape."""
        return _Points(self.places[index], self.log_shares[index], self.values[index])


@dataclass(frozen=True, eq=False)
class _Ensemble:
    """The networks of one metric.

    Attributes:
        weights: of the layers and their biases in turn, one of each per member along the first axis.
        known: the points of the finished runs.
        low, width: of the values.
        longest: horizon of the finished runs.
        seed: of the batches.
    """

    weights: tuple[Tensor, ...]
    known: _Points
    low: float
    width: float
    longest: int
    seed: int

    @classmethod
    def fit(cls, arrays: CurveArrays, metric: int, places: Array, longest: int, seed: int) -> _Ensemble:
        """Train on a metric of finished runs, at places [R, P]."""
        run, slot = np.nonzero(arrays.present[:, metric])
        values = arrays.values[run, metric, slot]
        low, high = np.quantile(values, [0.01, 0.99]).tolist()
        width = (high - low) or 1.0
        known = _points(places[run], _log_shares(arrays.epochs[run, metric, slot], longest), (values - low) / width)
        generator = torch.Generator().manual_seed(seed)
        weights = _start(places.shape[1], generator)
        steps = min(STEPS, PASSES * -(-len(values) // BATCH))
        batches = torch.randint(len(values), (steps, MEMBERS, BATCH), generator=generator)
        _train(weights, known, batches)
        return cls(tuple(weight.detach() for weight in weights), known, low, width, longest, seed)

    def quantiles(self, place: Array, seen: NDArray[np.int64], values: Array, at: NDArray[np.int64]) -> Array:
        """Quantiles in natural units of a run at a place [P], seen at epochs [S], asked for at [Q]: [Q, 21]."""
        weights = self.weights
        if len(seen):
            weights = tuple(weight.clone().requires_grad_() for weight in weights)
            own = _points(
                np.tile(place, (len(seen), 1)), _log_shares(seen, self.longest), (values - self.low) / self.width
            )
            generator = torch.Generator().manual_seed(self.seed)
            shape = (REFINING, MEMBERS, BATCH)
            _train(weights, self.known, torch.randint(len(self.known.values), shape, generator=generator), own)
        with torch.no_grad():
            laws = _laws(weights, torch.from_numpy(place).float()[None]).double()
            paths = _power_law(laws, torch.from_numpy(_log_shares(at, self.longest))).numpy()
        path = paths.mean(axis=0)[:, None] + paths.std(axis=0)[:, None] * ndtri(LEVELS)
        return np.asarray(self.low + self.width * path)


def _start(inputs: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Weights and biases of three layers, as torch starts them, drawn from this generator."""
    drawn = []
    for wide, out in ((inputs, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 5)):
        for shape in ((MEMBERS, wide, out), (MEMBERS, 1, out)):
            uniform = torch.rand(shape, generator=generator, dtype=torch.float32)
            drawn.append(((2 * uniform - 1) / max(wide, 1) ** 0.5).requires_grad_())
    return tuple(drawn)


def _laws(weights: tuple[Tensor, ...], places: Tensor) -> Tensor:
    """α, β and γ of each member, [E, B, 3], at places [E, B, P] or the same [B, P] for all."""
    state = places.expand(MEMBERS, *places.shape[-2:])
    for layer in (0, 2):
        state = torch.nn.functional.leaky_relu(torch.baddbmm(weights[layer + 1], state, weights[layer]))
    out = torch.baddbmm(weights[5], state, weights[4])
    return torch.cat([out[..., :1], out[..., 1:3] * out[..., 3:].sigmoid()], -1)


def _train(weights: tuple[Tensor, ...], known: _Points, batches: Tensor, own: _Points | None = None) -> None:
    """Adam steps on batches of known points, [steps, E, B]; points of a run's own are in each, and count as much."""
    optimiser = torch.optim.Adam(weights, lr=RATE, fused=True)
    for batch in batches:
        loss = _loss(weights, known.rows(batch))
        loss = loss if own is None else loss + _loss(weights, own)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()


def _loss(weights: tuple[Tensor, ...], batch: _Points) -> Tensor:
    """Mean absolute error of each member, summed: no member's slope depends on another."""
    return (_power_law(_laws(weights, batch.places), batch.log_shares) - batch.values).abs().mean(-1).sum()


def _power_law(laws: Tensor, log_shares: Tensor) -> Tensor:
    """Values at the logarithms of shares of the longest horizon, [E, B], by coefficients [E, B, 3]."""
    alpha, beta, gamma = laws.unbind(-1)
    return alpha + beta * (-gamma * log_shares).clamp(max=LARGEST).exp()


def _log_shares(epochs: NDArray[np.int64], longest: int) -> Array:
    """An epoch 0 counts as 1: a power of 0 has no value."""
    return np.log(np.maximum(epochs, 1) / longest)


def _points(places: Array, log_shares: Array, values: Array) -> _Points:
    return _Points(*(torch.from_numpy(a).float() for a in (places, log_shares, values)))
