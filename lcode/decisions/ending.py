"""How the metrics of a run will end, as it was forecast last: any objective can score it, also one that comes later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lcode.forecast import LEVELS, Forecast
from lcode.table import Metric


@dataclass(frozen=True)
class Ending:
    """Final values of the metrics of one run, known or forecast, as plain values.

    Attributes:
        metrics: keys of the K metrics that have a value or a forecast.
        quantiles: of each metric the values at `lcode.forecast.LEVELS`, in natural units, K × 21.
        correlation: see `Forecast`, K × K; None where none is known.
    """

    metrics: tuple[str, ...]
    quantiles: tuple[tuple[float, ...], ...]
    correlation: tuple[tuple[float, ...], ...] | None = None

    @classmethod
    def of(cls, forecast: Forecast) -> Self:
        """The end of the first run of a forecast, at its horizon."""
        values = forecast.final().quantiles[0, :, 0]
        known = np.asarray(np.isfinite(values).all(1))
        joint = None if forecast.correlation is None else forecast.correlation[0][np.ix_(known, known)]
        keys = [metric.key for metric, there in zip(forecast.metrics, known, strict=True) if there]
        return cls(tuple(keys), _tuples(values[known]), None if joint is None else _tuples(joint))

    @classmethod
    def certain(cls, values: NDArray[np.float64], metrics: Sequence[Metric]) -> Self:
        """The end of a run that has ended with these values, [K]; NaN where it has none."""
        known = np.isfinite(values)
        keys = [metric.key for metric, there in zip(metrics, known, strict=True) if there]
        return cls(tuple(keys), _tuples(np.repeat(values[known, None], len(LEVELS), axis=1)))

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        joint = plain["correlation"]
        quantiles = np.array(plain["quantiles"], dtype=float).reshape(-1, len(LEVELS))
        return cls(tuple(plain["metrics"]), _tuples(quantiles), None if joint is None else _tuples(np.array(joint)))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def medians(self, metrics: Sequence[Metric]) -> NDArray[np.float64]:
        """What is expected of these metrics, [K]; NaN for one without a forecast."""
        middle = dict(zip(self.metrics, self.quantiles, strict=True))
        return np.array([middle[m.key][len(LEVELS) // 2] if m.key in middle else np.nan for m in metrics])


def joint_samples(ends: Sequence[Ending], metrics: Sequence[Metric], *, n: int, seed: int) -> NDArray[np.float64]:
    """Samples of the final values of R runs, [n, R, K], as `Forecast.sample` draws them: independent runs.

    NaN where a run has no forecast of a metric.
    """
    runs, places = len(ends), {metric.key: k for k, metric in enumerate(metrics)}
    quantiles = np.full((runs, len(metrics), 1, len(LEVELS)), np.nan)
    correlation = np.tile(np.eye(len(metrics)), (runs, 1, 1))
    for i, end in enumerate(ends):
        there = [j for j, key in enumerate(end.metrics) if key in places]
        at = [places[end.metrics[j]] for j in there]
        quantiles[i, at, 0] = np.array(end.quantiles).reshape(-1, len(LEVELS))[there]
        if end.correlation is not None:
            correlation[i][np.ix_(at, at)] = np.array(end.correlation)[np.ix_(there, there)]
    joined = any(end.correlation is not None for end in ends)
    forecast = Forecast(
        run_ids=tuple(map(str, range(runs))),
        metrics=tuple(metrics),
        epochs=np.ones((runs, 1), dtype=np.int64),
        quantiles=quantiles,
        status=np.full((runs, len(metrics)), "ok"),
        observed=np.zeros((runs, len(metrics)), dtype=np.int64),
        horizons=np.ones(runs, dtype=np.int64),
        correlation=correlation if joined else None,
    )
    return forecast.sample(n, seed=seed)[..., 0]


def _tuples(values: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in values.tolist())
