"""Values to and from the space in which the model works: log or logit, then standardised, then half-way to normal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from lcode.table import Metric
from lcode.table.metric import is_unit_interval_name
from lcode.tensors.arrays import CurveArrays

TAIL, BEST, WORST = -6.0, -40.0, 8.0
"""In deviations; less is better. Below the first, scaled values fall with the root of the distance, down to the second:
where the few known runs learned nothing, one that learns is tens of deviations away, and cut off there its forecasts
were far above its last value (TaskSet, 10 runs). Above the third they are cut off: one exploding run must not drown the
others."""

ROOM = 1.02
"""How much more than its last value a metric may become, whatever the ceiling: on a plateau it goes up and down."""

LEAST = 2e-3
"""Of a deviation in `log` and `logit` space, and in `linear` space beside the typical value."""

Space = Literal["log", "logit", "linear"]

RANK_SHARE = 0.5
"""How far values are drawn towards normal scores of their rank. Where most runs sit on a plateau (85 to 96 % of the
runs of a TaskSet task never learn), a linear scale leaves their order invisible to any loss; ranks alone would not
see by how much the others differ."""

_KNOT_LEVELS = np.linspace(0.01, 0.99, 33)


@dataclass(frozen=True)
class MetricScale:
    """How one metric's values are scaled: x = (± T(value / unit) - centre) / deviation, T by `space`, then a warp.

    Attributes:
        space: `log` = log(v + eps), `logit` = log((v + eps) / (1 - v + eps)), `linear` = v.
        unit: 100 for a share that is given in per cent, else 1.
        eps: keeps exact zeros (and ones) finite, in units of value / unit.
        centre, deviation: mean and standard deviation of the winsorised training values in that space.
        lower, upper: what an inverse is clipped to, in units of value / unit.
        sign: -1 for a metric of which more is better: in model space every curve falls as it gets better, so that what
            was learned of losses and errors serves accuracies as well.
        ceiling: largest value worth a forecast, for a run that has not passed it already: in `log` space wide tails
            would become astronomical values.
        knots: the piecewise linear, increasing `warp` as pairs (x, warped x); outside it goes on with the slope
            1 - `RANK_SHARE`. Empty: no warp.
    """

    space: Space
    unit: float
    eps: float
    centre: float
    deviation: float
    lower: float
    upper: float
    sign: int = 1
    ceiling: float = np.inf
    knots: tuple[tuple[float, float], ...] = ()

    @classmethod
    def fit(cls, metric: Metric, values: NDArray[np.float64]) -> MetricScale:
        """Choose the space from the metric's name and the training values, finite, any shape."""
        raw = cls._raw(metric, values)
        values = values[np.isfinite(values)]
        inner = raw.scale(values if len(values) else np.ones(1), compress=False)
        low, high = np.quantile(inner, [0.005, 0.995])
        inner = np.clip(inner, low, high)
        size = 1.0 if raw.space != "linear" else float(np.median(np.abs(inner))) or 1.0
        centre, deviation = float(inner.mean()), float(max(inner.std(), LEAST * size))
        scale = replace(raw, centre=centre, deviation=deviation, knots=_knots((inner - centre) / deviation))
        return replace(scale, ceiling=_ceiling(scale, values)) if scale.space == "log" and len(values) else scale

    @classmethod
    def relative(cls, metric: Metric, first: NDArray[np.float64]) -> MetricScale:
        """Without training runs: the space from the name and the runs' first values, centred on their median.

        One unit is a factor e in a loss, an error or the odds of a share; for a metric that can be negative it is
        the typical size of the first values.
        """
        raw = cls._raw(metric, first)
        first = first[np.isfinite(first)]
        inner = raw.scale(first if len(first) else np.ones(1), compress=False)
        size = float(np.median(np.abs(inner))) or 1.0
        return replace(raw, centre=float(np.median(inner)), deviation=size if raw.space == "linear" else 1.0)

    @classmethod
    def _raw(cls, metric: Metric, values: NDArray[np.float64]) -> MetricScale:
        """The space, without centre and deviation."""
        values = values[np.isfinite(values)]
        if not len(values):
            values = np.ones(1)
        share = is_unit_interval_name(metric.name) and values.min() >= 0
        unit = 100.0 if share and 1.5 < values.max() <= 100 else 1.0
        scaled = values / unit
        share = share and scaled.max() <= 1
        bounded = scaled.min() >= 0 and scaled.max() <= 1
        if share:
            space: Space = "logit"
            eps = 1e-3
        elif scaled.min() >= 0 and scaled.max() > 0:
            space = "log"
            eps = 0.02 * float(np.median(scaled)) or 1e-6
        else:
            space, eps = "linear", 0.0
        lower = 0.0 if space != "linear" else -np.inf
        # An error rate cannot pass 1, a loss can: only a name says which it is. What is to grow and lies in 0..1 is a
        # share of something.
        rate = metric.name.lower().endswith(("err", "error")) or metric.sign > 0
        upper = 1.0 if share or (bounded and rate) else np.inf
        return cls(space, unit, eps, 0.0, 1.0, lower, upper, -metric.sign)

    def scale(self, values: NDArray[np.float64], *, compress: bool = True) -> NDArray[np.float64]:
        """Natural units to model space; NaN stays NaN."""
        v = values / self.unit
        if self.space == "log":
            v = np.log(np.maximum(v, 0) + self.eps)
        elif self.space == "logit":
            v = np.clip(v, 0, 1)
            v = np.log((v + self.eps) / (1 - v + self.eps))
        v = self._warp((self.sign * v - self.centre) / self.deviation)
        return _compressed(v) if compress else v

    def unscale(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Model space to natural units."""
        v = self.sign * (self._unwarp(_decompressed(scaled)) * self.deviation + self.centre)
        if self.space == "log":
            v = np.exp(np.minimum(v, 80)) - self.eps
        elif self.space == "logit":
            odds = 1 / (1 + np.exp(-np.clip(v, -80, 80)))
            v = odds * (1 + 2 * self.eps) - self.eps
        return np.clip(v, self.lower, self.upper) * self.unit

    def _warp(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        if not self.knots:
            return x
        at, to = np.array(self.knots).T
        return np.interp(x, at, to) + (1 - RANK_SHARE) * (np.minimum(x - at[0], 0) + np.maximum(x - at[-1], 0))

    def _unwarp(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        if not self.knots:
            return y
        at, to = np.array(self.knots).T
        return np.interp(y, to, at) + (np.minimum(y - to[0], 0) + np.maximum(y - to[-1], 0)) / (1 - RANK_SHARE)


def _compressed(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The root of the distance below `TAIL`, with the same slope where it begins; from `BEST` to `WORST`."""
    beyond = np.maximum(TAIL - x, 0)
    return np.clip(np.maximum(x, TAIL) - 2 * (np.sqrt(1 + beyond) - 1), BEST, WORST)


def _decompressed(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `_compressed`."""
    beyond = np.maximum(TAIL - np.maximum(y, BEST), 0)
    return np.clip(y, TAIL, WORST) - (1 + beyond / 2) ** 2 + 1


def _ceiling(scale: MetricScale, values: NDArray[np.float64]) -> float:
    """Of a loss, more than all but the worst values; of what is to grow, twice the best."""
    return float(np.quantile(values, 0.995)) if scale.sign > 0 else 2 * float(values.max())


def _knots(x: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """Half-way between the values and the normal scores of their ranks, at some quantiles."""
    at = np.quantile(x, _KNOT_LEVELS)
    score = ndtri(_KNOT_LEVELS)
    # Equal values (a plateau) share the mean of their scores.
    at, group = np.unique(at, return_inverse=True)
    score = np.bincount(group, score) / np.bincount(group)
    if len(at) < 3:
        return ()
    to = (1 - RANK_SHARE) * at + RANK_SHARE * score
    return tuple((float(a), float(b)) for a, b in zip(at, to, strict=True))


@dataclass(frozen=True)
class ValueScaler:
    """One `MetricScale` per metric; arrays have the metric on axis 1: [R, K, …]."""

    scales: tuple[MetricScale, ...]

    @classmethod
    def fit(cls, arrays: CurveArrays) -> ValueScaler:
        """Read the scales off the training runs' curves."""
        return cls(tuple(MetricScale.fit(m, arrays.values[:, k]) for k, m in enumerate(arrays.metrics)))

    @classmethod
    def relative(cls, arrays: CurveArrays) -> ValueScaler:
        """Scales relative to the runs' first values, for a table without training runs."""
        first = arrays.values[..., 0] if arrays.values.shape[-1] else np.full(arrays.lengths.shape, np.nan)
        return cls(tuple(MetricScale.relative(m, first[:, k]) for k, m in enumerate(arrays.metrics)))

    def scale(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Natural units [R, K, …] to model space."""
        return np.stack([s.scale(values[:, k]) for k, s in enumerate(self.scales)], axis=1)

    def unscale(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Model space [R, K, …] to natural units."""
        return np.stack([s.unscale(scaled[:, k]) for k, s in enumerate(self.scales)], axis=1)

    @property
    def ceilings(self) -> NDArray[np.float64]:
        """The largest value worth a forecast of each metric, natural units, [K]."""
        return np.array([scale.ceiling for scale in self.scales])

    def to_json(self) -> list[dict[str, Any]]:
        """The scales as plain values, for the checkpoint."""
        return [asdict(scale) for scale in self.scales]

    @classmethod
    def from_json(cls, scales: list[Mapping[str, Any]]) -> ValueScaler:
        """The inverse of `to_json`."""
        return cls(tuple(MetricScale(**{**s, "knots": tuple(map(tuple, s["knots"]))}) for s in scales))
