"""Empirical Gaussian process: mean and covariance of the curves are learned from finished ones, by no kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.scaling import ValueScaler
from lcode.errors import NotEnoughDataError
from lcode.forecast import LEVELS, Forecast, query_epochs
from lcode.forecasters.assemble import assemble, curve_status, last_values_as_quantiles
from lcode.forecasters.base import At, Forecaster, finished_runs
from lcode.isolation import isolated
from lcode.table import RunTable

Array = NDArray[np.float64]

PLACES = 16
"""At most so many epochs carry the prior; between them curves are linear in the logarithm of the epoch. With 8 or 32
CRPS was .2 % larger (phoneme, shuttle, cnae-9 and bank-marketing of LCBench's design half; 10, 30 and 200 finished
runs, 1 and 5 evaluations seen, 1 division)."""

ROUNDS = 30
"""Steps of the EM algorithm."""

PRIOR_RUNS = 5.0
"""How many runs the smooth covariance counts for that the learned one is drawn to. On the same tables CRPS was .1 %
larger with 1 and 1.1 % with 16; of 10 finished runs' intervals of 90 %, 80 % held the value with 1, 84 % with 5."""

LEAST_NOISE = 1e-4
"""Variance of the noise at least, where values have variance 1: curves without noise leave nothing to invert."""


class EmpiricalGPForecaster(Forecaster):
    """Gaussian process whose prior is learned from past curves (Lin et al. 2026, arXiv 2602.12082).

    One process a metric, of curves over log epochs. Mean and covariance are values at a few places, free of any
    kernel, that maximise the likelihood of the finished runs: by EM, whose steps have closed forms and which takes
    curves seen at other epochs each. A forecast is the posterior given the run's own points.

    Built from the paper's abstract; what is ours: values are scaled as for `lcode` (`ValueScaler`), since losses are
    far from normal; and with few runs, where no covariance of `PLACES` values can be learned, it is drawn to a smooth
    one (an inverse Wishart prior) and grows by what the mean is uncertain. It knows nothing of configurations, and its
    forecasts are those of curves as they were; nothing of it is random.

    Args:
        seed: not used; every forecaster is made with one.
    """

    name: ClassVar[str] = "egp"
    min_finished: ClassVar[int] = 3

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._scaler: ValueScaler | None = None
        self._priors: dict[str, CurvePrior] = {}

    def fit(self, table: RunTable) -> Self:
        """Learn the prior of every metric."""
        done = finished_runs(table, at_least=self.min_finished)
        arrays = curve_arrays(done.select(sorted(done.run_ids)))  # the order of the logs must not matter
        self._scaler, self._priors, self._metrics = ValueScaler.fit(arrays), {}, arrays.metrics
        scaled = self._scaler.scale(arrays.values)
        with isolated():
            for k, metric in enumerate(arrays.metrics):
                rows = np.flatnonzero((arrays.diverged_at[:, k] < 0) & (arrays.lengths[:, k] > 0)).tolist()
                if len(rows) >= self.min_finished:
                    self._priors[metric.key] = CurvePrior.learned([_points(arrays, scaled, r, k) for r in rows])
        return self

    def predict(self, table: RunTable, at: At = "horizon") -> Forecast:
        """Forecast each curve; one of a metric that too few finished runs have gets its last value."""
        if self._scaler is None:
            raise NotEnoughDataError("call fit before predict")
        epochs, arrays = query_epochs(table, at), curve_arrays(table)
        known = curve_arrays(table, metrics=self._metrics)
        quantiles = last_values_as_quantiles(arrays, epochs)
        scaled, found = self._scaler.scale(known.values), np.full((*known.lengths.shape, *quantiles.shape[2:]), np.nan)
        with isolated():
            for r, k in np.argwhere(np.isin(curve_status(table, known), ("ok", "too_short"))).tolist():
                prior = self._priors.get(known.metrics[k].key)
                if prior is not None:
                    mean, variance = prior.posterior(*_points(known, scaled, r, k), epochs[r])
                    found[r, k] = mean[:, None] + np.sqrt(variance)[:, None] * ndtri(LEVELS)
        found = np.sort(self._scaler.bounded(found, known.last_values), axis=-1)
        for k, metric in enumerate(known.metrics):
            if metric in arrays.metrics:
                ours = arrays.metrics.index(metric)
                quantiles[:, ours] = np.where(np.isnan(found[:, k]), quantiles[:, ours], found[:, k])
        return assemble(table, arrays, epochs, quantiles)


def _points(arrays: CurveArrays, scaled: Array, run: int, metric: int) -> tuple[NDArray[np.int64], Array]:
    """Epochs and scaled values of a curve."""
    count = int(arrays.lengths[run, metric])
    return arrays.epochs[run, metric, :count], scaled[run, metric, :count]


@dataclass(frozen=True, eq=False)
class CurvePrior:
    """A normal distribution of curves, linear in log epochs between P places, and noise on top.

    Attributes:
        places: log(1 + epoch), ascending, [P].
        mean: of the curves at the places, [P].
        covariance: of a new curve there, [P, P].
        noise: variance of each value around its curve.
    """

    places: Array
    mean: Array
    covariance: Array
    noise: float

    @classmethod
    def learned(cls, curves: Sequence[tuple[NDArray[np.int64], Array]]) -> CurvePrior:
        """The prior under which curves are likeliest, together with what is believed of covariances before.

        Args:
            curves: epochs of each, at least one, and values of variance 1 or so.
        """
        epochs, values = zip(*curves, strict=True)
        seen = np.unique(np.concatenate(epochs))
        places = np.unique(np.log1p(seen)[np.rint(_spread(np.log1p(seen))).astype(np.int64)])
        designs = [_weights(np.log1p(at), places) for at in epochs]
        squares = np.stack([design.T @ design for design in designs])
        sums = np.stack([design.T @ value for design, value in zip(designs, values, strict=True)])
        length = float(np.concatenate(values) @ np.concatenate(values))
        count, total, smooth = len(values), sum(map(len, values)), _smooth(places)
        mean, covariance, noise = np.full(len(places), np.concatenate(values).mean()), smooth, 0.1
        for _ in range(ROUNDS):
            precision = np.linalg.inv(covariance)
            spread = np.linalg.inv(precision + squares / noise)
            at_places = np.einsum("npq,nq->np", spread, precision @ mean + sums / noise)
            mean = at_places.mean(axis=0)
            away = at_places - mean
            scatter = away.T @ away + spread.sum(axis=0)
            covariance = (scatter + PRIOR_RUNS * smooth) / (count + PRIOR_RUNS)
            # Squares of values − design @ curve, multiplied out, and what is not known of the curves.
            rest = length - 2 * np.sum(sums * at_places) + np.einsum("np,npq,nq->", at_places, squares, at_places)
            noise = max(float(rest + np.einsum("npq,nqp->", squares, spread)) / total, LEAST_NOISE)
        return cls(places, mean, covariance * (1 + 1 / count), noise)

    def posterior(self, seen: NDArray[np.int64], values: Array, at: NDArray[np.int64]) -> tuple[Array, Array]:
        """Mean and variance, noise included, of a curve seen at epochs [S], asked for at epochs [Q], both [Q]."""
        design, asked = (_weights(np.log1p(np.maximum(epochs, 0)), self.places) for epochs in (seen, at))
        across = design @ self.covariance
        gain = np.linalg.solve(across @ design.T + self.noise * np.eye(len(seen)), across).T
        mean = self.mean + gain @ (values - design @ self.mean)
        covariance = self.covariance - gain @ across
        return asked @ mean, np.einsum("qp,pr,qr->q", asked, covariance, asked) + self.noise


def _spread(axis: Array) -> Array:
    """Places, as fractional indices, of at most `PLACES` points that are evenly spread on an ascending axis."""
    return np.interp(np.linspace(axis[0], axis[-1], PLACES), axis, np.arange(len(axis)))


def _weights(at: Array, places: Array) -> Array:
    """Weights of the places [P] in values at [N], linear between them and constant beyond the ends, [N, P]."""
    return np.stack([np.interp(at, places, one) for one in np.eye(len(places))], axis=1)


def _smooth(places: Array) -> Array:
    """The covariance, with variance 1, of curves that go their way by chance: exponential in the distance, [P, P]."""
    return np.exp(-np.abs(places[:, None] - places) / max(np.ptp(places), 1e-9))
