"""Values to and from the space in which the model works: log or logit, then standardised, then half-way to normal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from lcode.curves.arrays import CurveArrays
from lcode.table import Metric
from lcode.table.metric_names import MetricFacts, known_metric

TAIL, BEST, WORST = -6.0, -40.0, 8.0
"""In deviations; less is better. Below the first, scaled values fall with the root of the distance, down to the second:
where the few known runs learned nothing, one that learns is tens of deviations away, and cut off there its forecasts
were far above its last value (TaskSet, 10 runs). Above the third they are cut off: one exploding run must not drown the
others."""

ROOM = 1.02
"""How much more than its last value a metric may become, whatever the ceiling: on a plateau it goes up and down."""

NEAR_ZERO = 0.1
"""Of the smallest distance from the ends of a share, seen so far: what is added to keep these ends finite."""

SEEN_ZERO, UNSEEN_ZERO = 1e-3, 1e-8
"""Of the smallest positive value: what is added before the logarithm, where exact zeros were seen and where not."""

ROUNDING = 1e-6
"""By how much a share may exceed 1, since numbers are rounded."""

LEAST_EPS = float(np.finfo(np.float64).tiny)
"""A share of one of the smallest numbers there are would be 0, and its logarithm infinite."""

LOW, LOW_SHARE = 0.05, 0.02
"""Below this share of this quantile of the values, differences between logarithms no longer count."""

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
        tails: whether far values are drawn in, see `TAIL`.
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
    tails: bool = True
    knots: tuple[tuple[float, float], ...] = ()

    @classmethod
    def fit(cls, metric: Metric, values: NDArray[np.float64]) -> MetricScale:
        """Choose the space from the metric's name and the training values, finite, any shape."""
        raw = cls._raw(metric, values)
        values = values[np.isfinite(values)]
        raw = replace(raw, eps=raw._fitted_eps(values))
        inner = raw.scale(values if len(values) else np.ones(1), compress=False)
        low, high = np.quantile(inner, [0.005, 0.995])
        inner = np.clip(inner, low, high)
        size = 1.0 if raw.space != "linear" else float(np.median(np.abs(inner))) or 1.0
        centre, deviation = float(inner.mean()), float(max(inner.std(), LEAST * size))
        scale = replace(raw, centre=centre, deviation=deviation, knots=_knots((inner - centre) / deviation))
        return replace(scale, ceiling=_ceiling(scale, values)) if scale.space == "log" and len(values) else scale

    @classmethod
    def relative(cls, metric: Metric, seen: NDArray[np.float64]) -> MetricScale:
        """Without training runs: the space from the name and all values seen so far, any shape.

        One unit is a factor e in a loss or an error, and in the odds of a share; for a metric that can be negative it
        is the typical size of its values. Where zero lies does not matter: each curve is put on a scale of its own.
        """
        raw = cls._raw(metric, seen)
        inner = raw.scale(seen[np.isfinite(seen)], compress=False)
        if not len(inner) or raw.space == "logit":  # how far it is to the ends of a share matters
            return replace(raw, tails=False)
        size = float(np.median(np.abs(inner))) if raw.space == "linear" else 1.0
        return replace(raw, centre=float(np.median(inner)), deviation=size or 1.0, tails=False)

    @classmethod
    def _raw(cls, metric: Metric, values: NDArray[np.float64]) -> MetricScale:
        """The space, without centre and deviation."""
        values = values[np.isfinite(values)]
        if not len(values):
            values = np.ones(1)
        facts = known_metric(metric.key)
        share = facts is not None and facts.share and (facts.lower, facts.upper) == (0, 1) and values.min() >= 0
        beyond = values.max() > 1 + ROUNDING
        unit = 100.0 if share and facts and (facts.percent or beyond) and values.max() <= 100 + ROUNDING else 1.0
        scaled = values / unit
        lower, upper = _bounds(metric, facts, scaled)
        positive = scaled[scaled > 0]
        if share and scaled.max() <= 1 + ROUNDING:
            inner = np.concatenate([positive, 1 - scaled[scaled < 1]])
            eps = float(np.clip(NEAR_ZERO * inner.min(initial=1.0), 1e-6, 1e-3))
            return cls("logit", unit, eps, 0.0, 1.0, lower, upper, -metric.sign)
        if lower < 0 or not len(positive):
            return cls("linear", unit, 0.0, 0.0, 1.0, lower, upper, -metric.sign)
        least = (SEEN_ZERO if (scaled == 0).any() else UNSEEN_ZERO) * float(positive.min())
        eps = max(least, LEAST_EPS)
        return cls("log", unit, eps, 0.0, 1.0, lower, upper, -metric.sign)

    def _fitted_eps(self, values: NDArray[np.float64]) -> float:
        """What keeps exact zeros finite where all runs share a scale: much less than the low values of the runs."""
        positive = values[values > 0] / self.unit
        if self.space == "log" and len(positive):
            return max(LOW_SHARE * float(np.quantile(positive, LOW)), LEAST_EPS)
        return 1e-3 if self.space == "logit" else self.eps

    def scale(self, values: NDArray[np.float64], *, compress: bool = True) -> NDArray[np.float64]:
        """Natural units to model space; NaN stays NaN."""
        v = values / self.unit
        if self.space == "log":
            v = np.log(np.maximum(v, 0) + self.eps)
        elif self.space == "logit":
            v = np.clip(v, 0, 1)
            v = np.log((v + self.eps) / (1 - v + self.eps))
        v = self._warp((self.sign * v - self.centre) / self.deviation)
        return _compressed(v) if compress and self.tails else v

    def unscale(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Model space to natural units."""
        inner = _decompressed(scaled) if self.tails else scaled
        v = self.sign * (self._unwarp(inner) * self.deviation + self.centre)
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


def _bounds(metric: Metric, facts: MetricFacts | None, seen: NDArray[np.float64]) -> tuple[float, float]:
    """Between which values a metric stays: what its name says, unless values beyond were seen.

    Of a name that says nothing, what is to grow and lies in 0..1 is taken for a share of something, and what was never
    negative is taken to stay so.
    """
    low = 0.0 if seen.min() >= 0 else -np.inf
    high = 1.0 if metric.sign > 0 and low == 0 and seen.max() <= 1 else np.inf
    if facts is not None:
        # A loss may be negative, as those of densities are, but one that was not so far is hardly going to be; a return
        # of 0.3 so far may be -100.
        low = facts.lower if facts.lower is not None else low if metric.sign < 0 else -np.inf
        rate = metric.name.lower().endswith(("err", "error")) and seen.max() <= 1  # a share, as far as one can see
        high = facts.upper if facts.upper is not None else 1.0 if rate else np.inf
    return (low if seen.min() >= low else -np.inf), (high if seen.max() <= high + ROUNDING else np.inf)


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
        """Spaces by the names and what was seen so far, for a table without training runs."""
        return cls(tuple(MetricScale.relative(m, arrays.values[:, k]) for k, m in enumerate(arrays.metrics)))

    def scale(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Natural units [R, K, …] to model space."""
        return np.stack([s.scale(values[:, k]) for k, s in enumerate(self.scales)], axis=1)

    def unscale(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Model space [R, K, …] to natural units."""
        return np.stack([s.unscale(scaled[:, k]) for k, s in enumerate(self.scales)], axis=1)

    def bounded(self, scaled: NDArray[np.float64], last: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Quantiles in natural units, no larger than what is worth a forecast, [R, K, Q, 21].

        Args:
            scaled: in model space.
            last: last values in natural units, NaN where there is none, [R, K]: a run that stands higher may go on so,
                and one that has left the bounds of all others, as a loss below 0 does, goes on from where it stands.
        """
        limits = self.ceilings if last is None else np.fmax(self.ceilings, ROOM * last)
        beyond = 0.0 if last is None else self._beyond(last)[..., None, None]
        return np.minimum(self.unscale(scaled) + beyond, limits[..., None, None])

    def _beyond(self, last: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far last values [R, K] lie outside of what their metrics were taken to be bounded by, [R, K]."""
        lower, upper = (np.array([getattr(s, side) * s.unit for s in self.scales]) for side in ("lower", "upper"))
        outside = np.minimum(last - lower, 0.0) + np.maximum(last - upper * (1 + ROUNDING), 0.0)
        return np.nan_to_num(outside, nan=0.0)

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
