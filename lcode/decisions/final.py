"""What a run ends with: of a finished one the values that it had, of a live one the values that are forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.decisions.objective import Objective
from lcode.errors import UsageError
from lcode.forecast import FULL_EPOCHS, LEVELS, NO_EPOCH, Forecast, even_levels, sample_quantiles
from lcode.table import Metric, RunTable
from lcode.table.axis import epoch_text

PATHS = 512
"""Paths of each curve that the distribution of a best or mean value is counted on."""


@dataclass(frozen=True)
class FinalValue:
    """Which value of a curve counts as its final one.

    Attributes:
        window: the mean of the values at the last so many epochs, ≥ 1; 1 is the value at the horizon. None: the best
            value of the whole curve, of each metric on its own, whatever its epoch.
    """

    window: int | None = 1

    @classmethod
    def parse(cls, spec: str | FinalValue) -> Self:
        """The setting that `horizon`, `best` or `last:K` stands for; `last:1` is `horizon`.

        Raises:
            UsageError: none of these.
        """
        if isinstance(spec, FinalValue):
            return cls(spec.window)
        if not isinstance(spec, str):
            raise UsageError(f"no final value {spec!r}; there are: horizon, best, last:5 (mean of the last 5 epochs)")
        if spec in ("horizon", "best"):
            return cls(1 if spec == "horizon" else None)
        kind, _, epochs = spec.partition(":")
        if kind == "last" and epochs.isdecimal() and int(epochs) >= 1:
            return cls(int(epochs))
        raise UsageError(f"no final value '{spec}'; there are: horizon, best, last:5 (mean of the last 5 epochs)")

    def __str__(self) -> str:
        if self.window is None:
            return "the best value of each metric's curve"
        return "the value at the horizon" if self.window == 1 else f"the mean of the last {self.window} epochs"

    @property
    def at(self) -> Literal["horizon", "full"]:
        """The epochs that a forecast must have for it, as `Forecaster.predict` takes them."""
        return "horizon" if self.window == 1 else "full"

    def of_table(self, table: RunTable) -> NDArray[np.float64]:
        """Final value of each curve as measured, in natural units, [R, K]; NaN if it diverged or has no point.

        The last epochs are those up to the curve's last point; where it has gaps, the measured ones among them count.
        """
        return self.of_arrays(curve_arrays(table), table.epoch_unit)

    def of_arrays(self, arrays: CurveArrays, unit: float = 1.0) -> NDArray[np.float64]:
        """The same of curves that are arrays already, with epochs in ticks of `unit`."""
        final = self._of_values(arrays.values, arrays.epochs, arrays.last_epochs, arrays.metrics, unit)
        return np.where(arrays.diverged_at >= 0, np.nan, final)

    def of_forecast(self, forecast: Forecast, table: RunTable | None = None) -> Forecast:
        """The distribution of each curve's final value, as a forecast with Q = 1.

        Best values and means are taken over what was observed together with joint samples of what is to come; those of
        several metrics are joined by the forecast's correlation. A run's distribution does not depend on the other
        runs. The value at the horizon is `forecast.final()` itself.

        Medians of the best value are too good where little was seen: on five sources by 0.16 to 0.42 deviations
        (standard, of the true bests) after one epoch, by 0.00 to 0.19 after a fifth of the horizon.

        Args:
            forecast: R runs × K metrics; the last query epoch of each run is taken as its horizon.
            table: holds what was observed of these runs; what lies after `forecast.observed` is not looked at. The
                value at the horizon needs none.

        Raises:
            UsageError: no table, one that lacks a run, or a forecast that leaves out epochs that count.
        """
        last = forecast.final()
        if self.window == 1:
            return last
        if table is None:
            raise UsageError(f"{self} needs what was observed as well: give the table that the forecast was made from")
        unit = forecast.epoch_unit
        arrays = curve_arrays(table.select(forecast.run_ids).in_unit(unit), metrics=forecast.metrics)
        seen = np.where(arrays.epochs <= forecast.observed[..., None], arrays.values, np.nan)
        finished = forecast.status == "finished"
        ends = np.where(finished, forecast.observed, last.epochs)
        there = forecast.epochs != NO_EPOCH
        leads = np.maximum(forecast.epochs - forecast.observed.max(1, initial=0)[:, None], 1)
        longest = leads[int(there.sum(1).argmax())] if len(there) else np.zeros(0, np.int64)
        shared = path_places(longest, forecast.persistence)
        quantiles = np.empty_like(last.quantiles)
        for i, asked in enumerate(there):
            if self.window is not None:
                asked = asked & (forecast.epochs[i] > last.epochs[i] - self._ticks(unit))
            epochs = forecast.epochs[i, asked]
            self._check(forecast, i, epochs)
            mine = leads[i, there[i]]
            known = np.array_equal(mine, longest[: len(mine)])  # most runs are asked at every epoch ahead
            places = shared[: len(mine)] if known else path_places(mine, forecast.persistence)
            future = _between(forecast.quantiles[i][:, asked], places[asked[there[i]]])
            to_come = (epochs > forecast.observed[i][:, None]) & ~finished[i][:, None]
            paths = np.concatenate(
                [np.broadcast_to(seen[i], (PATHS, *seen[i].shape)), np.where(to_come, future, np.nan)], axis=-1
            )
            path_epochs = np.concatenate([arrays.epochs[i], np.broadcast_to(epochs, to_come.shape)], axis=-1)
            final = self._of_values(paths, path_epochs, ends[i], forecast.metrics, unit)
            quantiles[i, :, 0] = sample_quantiles(final, LEVELS).T
        # Where the horizon has no forecast (a diverged curve), what was seen is not the final value either.
        return replace(last, quantiles=np.where(np.isnan(last.quantiles), np.nan, quantiles))

    def _of_values(
        self,
        values: NDArray[np.float64],
        epochs: NDArray[np.int64],
        ends: NDArray[np.int64],
        metrics: Sequence[Metric],
        unit: float,
    ) -> NDArray[np.float64]:
        """Final value of curves: values [..., K, S], NaN where there is none; their epochs; last epochs [..., K]."""
        known = np.isfinite(values)
        if self.window is None:
            signs = np.array([metric.sign for metric in metrics], dtype=float)
            best = np.where(known, signs[:, None] * values, -np.inf).max(-1, initial=-np.inf)
            return np.where(known.any(-1), signs * best, np.nan)
        known &= epochs > ends[..., None] - self._ticks(unit)
        count = known.sum(-1)
        total = np.where(known, values, 0.0).sum(-1)
        return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)

    def _ticks(self, unit: float) -> int:
        """The window in ticks of `unit`."""
        assert self.window is not None
        return max(round(self.window / unit), 1)

    def _check(self, forecast: Forecast, i: int, epochs: NDArray[np.int64]) -> None:
        """Every epoch that counts and is still to come must have been asked for, unless the run is over."""
        if (forecast.status[i] == "finished").all() or (forecast.status[i] == "diverged").any():
            return
        end = int(epochs.max(initial=0))
        first = int(forecast.observed[i].max(initial=0)) + 1
        if self.window is not None and end - first < FULL_EPOCHS:
            first = max(first, end - self._ticks(forecast.epoch_unit) + 1)
        if end - first >= FULL_EPOCHS:
            return  # a full forecast of so many epochs is a grid
        if (epochs >= first).sum() < end - first + 1:
            missing = " to ".join(epoch_text(epoch, forecast.epoch_unit) for epoch in (first, end))
            raise UsageError(
                f"{self} needs a forecast of every epoch, and run '{forecast.run_ids[i]}' lacks some of {missing}: "
                "forecast with predict(table, 'full')"
            )


def path_places(leads: NDArray[np.int64], persistence: float) -> NDArray[np.float64]:
    """Joint paths over the epochs to come, as places among `LEVELS`, 0 to 20, shape [Q, n].

    Normal scores at leads a < b are given the correlation (a/b)^(1/persistence - 1), whose mean over all pairs is the
    forecast's persistence: errors of forecasts far ahead hardly change from one epoch to the next. With the same
    correlation between all epochs, as in `Forecast.sample`, the best of many epochs comes out far too good. The paths
    are the same for every curve, so that no final value depends on which other runs are forecast.

    Args:
        leads: how far ahead each query epoch lies, ≥ 1, ascending, shape [Q].
        persistence: see `Forecast`.
    """
    noise = np.random.default_rng(0).standard_normal((len(leads), PATHS))
    score = noise.copy()
    for at in range(1, len(leads)):
        kept = (leads[at - 1] / leads[at]) ** (1 / max(persistence, 1e-3) - 1)
        score[at] = kept * score[at - 1] + np.sqrt(1 - kept**2) * noise[at]
    # Ranks in place of the scores spread the values at each epoch evenly over its distribution.
    return np.interp(even_levels(score, axis=-1), LEVELS, np.arange(len(LEVELS)))


def _between(quantiles: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values at places between quantiles, linear: quantiles [K, Q, 21], places [Q, n], to [n, K, Q]."""
    low = np.minimum(place.astype(np.int64), len(LEVELS) - 2)
    share = place - low
    index = np.broadcast_to(low, (len(quantiles), *low.shape))
    below, above = (np.take_along_axis(quantiles, index + step, -1) for step in (0, 1))
    return ((1 - share) * below + share * above).transpose(2, 0, 1)


HORIZON = FinalValue()
"""The value at the horizon: the final value unless something else is asked for."""


def final_values(table: RunTable) -> NDArray[np.float64]:
    """Last value of each curve in natural units, shape [R, K]; NaN for a curve that diverged or has no point."""
    return HORIZON.of_table(table)


def score_samples(
    forecast: Forecast,
    objective: Objective,
    *,
    n: int,
    seed: int,
    archs: Sequence[str | None] | None = None,
) -> NDArray[np.float64]:
    """Samples of each run's score at its horizon, shape [n, R]; NaN where a metric has no forecast."""
    samples = forecast.final().sample(n, seed=seed)[..., 0]
    return objective.score(samples, forecast.metrics, archs)


def forecast_rows(forecast: Forecast, index: NDArray[np.intp]) -> Forecast:
    """The forecast of these runs alone, in this order."""
    return replace(
        forecast,
        run_ids=tuple(forecast.run_ids[i] for i in index),
        epochs=forecast.epochs[index],
        quantiles=forecast.quantiles[index],
        status=forecast.status[index],
        observed=forecast.observed[index],
        horizons=forecast.horizons[index],
        correlation=None if forecast.correlation is None else forecast.correlation[index],
    )
