"""Whether a run has anything left to gain: will a metric, at any epoch to come, be better than it has been so far?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from lcode.errors import UsageError
from lcode.forecast import LEVELS, Forecast
from lcode.table import Metric

LOOKS = 12
"""Epochs to come that are asked for: evenly on the scale of logarithms, from close to the present to the horizon."""

NEAREST = 1 / 64
"""Share of what is left to train at which the first of them lies."""

SHARE = 0.02
"""Share of a metric's improvement so far that one more must exceed where nobody says what counts.

Every curve may become a little better by chance. With 0.02, at a confidence of 0.9, runs on their own save 8.2 % of
their epochs and lose 0.0012 of their metrics' ranges; if any improvement counts, 1.6 %. To wait for 10 epochs without
one saves 7.6 % and loses 0.0026. (Means over 15 sources: the corpus's test runs and `cifar10_cnn`, 40 runs of each.)
"""


@dataclass(frozen=True)
class GainRule:
    """Stop a run when no metric is expected to become better than its best value so far.

    For each metric and each of `LOOKS` epochs to come, the forecast says how probable it is that the value there beats
    the best one so far by more than `min_delta`. The largest of these is the metric's chance; the run is stopped when
    the chances of all metrics are below 1 - `confidence`. So one metric on a plateau stops nothing while another
    improves, and a curve that will rise and fall again goes on until it is over its peak. Needs no other run.

    Attributes:
        confidence: that nothing more is to be gained, 0 to 1.
        min_delta: what counts as an improvement, ≥ 0, in the metric's unit; as a mapping, by metric key. None, and for
            a metric that the mapping lacks: `SHARE` of what the metric has improved since its first value; of the value
            itself where that is nothing, and of 1 where the value is 0.
    """

    confidence: float = 0.9
    min_delta: float | Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.confidence, Real) or isinstance(self.confidence, bool) or not 0 <= self.confidence <= 1:
            raise UsageError(f"confidence is {self.confidence!r}; it is a probability between 0 and 1, such as 0.9")
        deltas = self.min_delta if isinstance(self.min_delta, Mapping) else {"": self.min_delta}
        for name, delta in deltas.items() if self.min_delta is not None else ():
            if not isinstance(delta, Real) or isinstance(delta, bool) or not delta >= 0:
                of = f" of '{name}'" if name else ""
                raise UsageError(f"min_delta{of} is {delta!r}; it is at least 0, in the unit of the metric")

    def epochs(self, last: int, end: int) -> NDArray[np.int64]:
        """The epochs to ask for, ascending: after `last` up to `end`, both in ticks."""
        ahead = max(end - last, 1)
        return last + np.unique(np.ceil(ahead * np.geomspace(NEAREST, 1.0, LOOKS))).astype(np.int64)

    def chances(self, forecast: Forecast, seen: Mapping[str, tuple[float, float]]) -> dict[str, float]:
        """Chance of each metric to improve, 0 to 1, by its key; NaN for one that has no forecast.

        Args:
            forecast: of one run, at the epochs to ask for.
            seen: the first and the best value of each metric so far, by its key; one without a value is missing.
        """
        return {
            metric.key: self._chance(metric, forecast.quantiles[0, k], *seen.get(metric.key, (np.nan, np.nan)))
            for k, metric in enumerate(forecast.metrics)
        }

    def stops(self, chances: Sequence[float]) -> bool:
        """Whether there is nothing left to gain; a metric of which nothing is known yet may improve."""
        return len(chances) > 0 and all(chance < 1 - self.confidence for chance in chances)

    def told(self, chance: float) -> str:
        """A chance as text, with as many digits as show on which side of the bar it lies, two at least."""
        if np.isnan(chance):
            return "not known"
        bar = round(1 - self.confidence, 9)
        digits = next((n for n in range(2, 6) if (round(chance, n) < bar) == (chance < bar)), 6)
        return f"{chance:.{digits}f}"

    def _chance(self, metric: Metric, quantiles: NDArray[np.float64], first: float, best: float) -> float:
        if not np.isfinite(quantiles).all() or not np.isfinite(best):
            return float("nan")
        delta = self.min_delta.get(metric.key) if isinstance(self.min_delta, Mapping) else self.min_delta
        delta = SHARE * (abs(best - first) or abs(best) or 1.0) if delta is None else delta
        # As if larger were better. Ascending, as `np.interp` wants it; of equal quantiles it takes the last, so that
        # a value that only equals the bar does not beat it.
        values, levels = (quantiles, LEVELS) if metric.sign > 0 else (-quantiles[:, ::-1], 1 - LEVELS[::-1])
        bar = metric.sign * best + delta
        return max(1 - float(np.interp(bar, at, levels, left=0.0, right=1.0)) for at in values)
