"""A law of learning curves with the configuration's and the run's own coefficients, learned once for all cutoffs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from lcode.curves.prefix import Known
from lcode.ensemble.base_model import Forecasts, Observed
from lcode.ensemble.history import History
from lcode.forecast import LEVELS
from lcode.regressors.curve_law import CurveLaw, Curves, Falls

Array = NDArray[np.float64]

FEWEST = 3
"""Finished runs with two values each that a law is learned from."""

_SCORES = norm.ppf(LEVELS)


class _PerMetric(NamedTuple):
    law: CurveLaw
    without: dict[int, CurveLaw]


@dataclass(frozen=True, eq=False)
class Laws:
    """A `CurveLaw` per metric, and one without each fold, of the same exponents; None: too few runs know the metric."""

    by_metric: tuple[_PerMetric | None, ...]

    @classmethod
    def of(cls, whole: Known, folds: NDArray[np.int64], gap: float) -> Laws:
        """Learned from finished runs.

        Args:
            whole: what is known of them at the end, [N].
            folds: fold of each run, [N].
            gap: epochs between two evaluations.
        """
        return cls(tuple(_learned(curves, folds, gap) for curves in _curves(whole)))


def _learned(curves: Curves, folds: NDArray[np.int64], gap: float) -> _PerMetric | None:
    rows = np.flatnonzero(np.isfinite(curves.values).sum(1) > 1)
    without = {fold: rows[folds[rows] != fold] for fold in np.unique(folds[rows]).tolist()}
    if not without or min(len(others) for others in without.values()) < FEWEST:
        return None
    law = CurveLaw(curves.rows(rows), gap)
    return _PerMetric(law, {fold: CurveLaw(curves.rows(others), gap, law.shape) for fold, others in without.items()})


class Law:
    """The laws as seen from one cutoff."""

    def __init__(self, history: History, laws: Laws) -> None:
        self._history, self._laws = history, laws

    def out_of_fold(self) -> Array:
        """See `BaseModel`."""
        history = self._history
        result = np.full((*history.values.shape, len(LEVELS)), np.nan)
        queries = history.known.clock.passed(history.epochs)
        for k, (learned, curves) in enumerate(zip(self._laws.by_metric, _curves(history.known), strict=True)):
            for fold, law in ({} if learned is None else learned.without).items():
                rows = np.flatnonzero(history.folds == fold)
                if len(rows):
                    result[rows, k] = _quantiles(*law.predict(curves.rows(rows), queries[rows]))
        return result

    def predict(self, observed: Observed, epochs: Array, before: Forecasts) -> Array:
        """See `BaseModel`."""
        queries = observed.known.clock.passed(epochs)
        result = np.full((len(observed), len(self._laws.by_metric), epochs.shape[1], len(LEVELS)), np.nan)
        for k, (learned, curves) in enumerate(zip(self._laws.by_metric, _curves(observed.known), strict=True)):
            if learned is not None:
                result[:, k] = _quantiles(*learned.law.predict(curves, queries))
        return result


def _curves(known: Known) -> list[Curves]:
    """The points of each metric."""
    clock, (runs, metrics, points) = known.clock, known.points_at.shape
    passed = clock.passed(known.points_at.reshape(runs, metrics * points)).reshape(known.points_at.shape)
    falls = Falls(clock.falls, clock.after, clock.when)
    return [Curves(passed[:, k], known.points[:, k], falls, known.side) for k in range(metrics)]


def _quantiles(mean: Array, variance: Array) -> Array:
    return mean[..., None] + np.sqrt(variance)[..., None] * _SCORES
