"""What a run ends with: of a finished one the values that it had, of a live one the values that are forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.decisions.best_epoch import best_epoch_values
from lcode.decisions.objective import Objective
from lcode.decisions.paths import PATHS, JointPaths, path_places, values_at
from lcode.errors import UsageError
from lcode.forecast import FULL_EPOCHS, LEVELS, NO_EPOCH, Forecast, sample_quantiles
from lcode.table import Metric, RunTable
from lcode.table.axis import epoch_text

FORMS = "horizon, best, last:5 (mean of the last 5 epochs), best-epoch (of all metrics at once, by the objective)"
"""How final values are written."""


@dataclass(frozen=True)
class FinalValue:
    """Which value of a curve counts as its final one.

    Attributes:
        window: the mean of the values at the last so many epochs, ≥ 1; 1 is the value at the horizon. None: the best
            value of the whole curve.
        together: of a best value: whether all metrics are taken at one epoch, that of the best score, as where one
            checkpoint is kept for all tasks; or else each has its own best, whatever its epoch.
    """

    window: int | None = 1
    together: bool = False

    @classmethod
    def parse(cls, spec: str | FinalValue) -> Self:
        """The setting that `horizon`, `best`, `best-epoch` or `last:K` stands for; `last:1` is `horizon`.

        Raises:
            UsageError: none of these.
        """
        if isinstance(spec, FinalValue):
            return cls(spec.window, spec.together)
        if isinstance(spec, str):
            if spec in ("horizon", "best", "best-epoch"):
                return cls(1 if spec == "horizon" else None, together=spec == "best-epoch")
            kind, _, epochs = spec.partition(":")
            if kind == "last" and epochs.isdecimal() and int(epochs) >= 1:
                return cls(int(epochs))
        raise UsageError(f"no final value {spec!r}; there are: {FORMS}")

    def __str__(self) -> str:
        if self.together:
            return "the values at the epoch of the best score, one epoch for all metrics"
        if self.window is None:
            return "the best value of each metric's curve"
        return "the value at the horizon" if self.window == 1 else f"the mean of the last {self.window} epochs"

    @property
    def at(self) -> Literal["horizon", "full"]:
        """The epochs that a forecast must have for it, as `Forecaster.predict` takes them."""
        return "horizon" if self.window == 1 else "full"

    @property
    def measured_by(self) -> FinalValue:
        """The final value that references and scales are made of: an objective must be had to choose an epoch by."""
        return HORIZON if self.together else self

    def of_table(self, table: RunTable, objective: Objective | None = None) -> NDArray[np.float64]:
        """Final value of each curve as measured, in natural units, [R, K]; NaN if it diverged or has no point.

        The last epochs are those up to the curve's last point; where it has gaps, the measured ones among them count.

        Args:
            table: R runs × K metrics.
            objective: chooses the epoch, if one is chosen for all metrics.
        """
        return self.of_arrays(curve_arrays(table), table.epoch_unit, objective, architectures(table))

    def of_arrays(
        self,
        arrays: CurveArrays,
        unit: float = 1.0,
        objective: Objective | None = None,
        archs: Sequence[str | None] | None = None,
    ) -> NDArray[np.float64]:
        """The same of curves that are arrays already, with epochs in ticks of `unit`."""
        if self.together:
            chooser = _chooser(objective)
            final = np.full(arrays.values.shape[:2], np.nan)
            for i, curves in enumerate(arrays.values):
                arch = None if archs is None else archs[i]
                final[i] = best_epoch_values(curves, arrays.epochs[i], arrays.metrics, chooser, arch)
        else:
            final = self._of_values(arrays.values, arrays.epochs, arrays.last_epochs, arrays.metrics, unit)
        return np.where(arrays.diverged_at >= 0, np.nan, final)

    def of_forecast(
        self, forecast: Forecast, table: RunTable | None = None, objective: Objective | None = None
    ) -> Forecast:
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
            objective: chooses the epoch, if one is chosen for all metrics.

        Raises:
            UsageError: no table, one that lacks a run, a forecast that leaves out epochs that count, or an objective by
                which no epoch can be chosen.
        """
        last = forecast.final()
        if self.window == 1:
            return last
        if table is None:
            raise UsageError(f"{self} needs what was observed as well: give the table that the forecast was made from")
        unit = forecast.epoch_unit
        mine = table.select(forecast.run_ids)
        arrays, archs = curve_arrays(mine.in_unit(unit), metrics=forecast.metrics), architectures(mine)
        seen = np.where(arrays.epochs <= forecast.observed[..., None], arrays.values, np.nan)
        finished = forecast.status == "finished"
        ends = np.where(finished, forecast.observed, last.epochs)
        there = forecast.epochs != NO_EPOCH
        leads = np.maximum(forecast.epochs - forecast.observed.max(1, initial=0)[:, None], 1)
        longest = leads[int(there.sum(1).argmax())] if len(there) else np.zeros(0, np.int64)
        joint = JointPaths.of(longest, forecast.persistence, len(forecast.metrics)) if self.together else None
        shared = path_places(longest, forecast.persistence)
        quantiles = np.empty_like(last.quantiles)
        for i, asked in enumerate(there):
            if self.window is not None:
                asked = asked & (forecast.epochs[i] > last.epochs[i] - self._ticks(unit))
            epochs = forecast.epochs[i, asked]
            self._check(forecast, i, epochs)
            own = leads[i, there[i]]
            if joint is not None:
                places = joint.places(own, None if forecast.correlation is None else forecast.correlation[i])
            else:
                known = np.array_equal(own, longest[: len(own)])  # most runs are asked at every epoch ahead
                places = shared[: len(own)] if known else path_places(own, forecast.persistence)
            future = values_at(forecast.quantiles[i][:, asked], places[..., asked[there[i]], :])
            to_come = (epochs > forecast.observed[i][:, None]) & ~finished[i][:, None]
            paths = np.concatenate(
                [np.broadcast_to(seen[i], (PATHS, *seen[i].shape)), np.where(to_come, future, np.nan)], axis=-1
            )
            path_epochs = np.concatenate([arrays.epochs[i], np.broadcast_to(epochs, to_come.shape)], axis=-1)
            if self.together:
                final = best_epoch_values(paths, path_epochs, forecast.metrics, _chooser(objective), archs[i])
            else:
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
        """The window in ticks of `unit`; the value at the horizon is one value, however often an epoch is evaluated."""
        assert self.window is not None
        return max(round(self.window / unit), 1) if self.window > 1 else 1

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


def architectures(table: RunTable) -> list[str | None]:
    """Key of each run's architecture, None for one without."""
    return [arch if isinstance(arch, str) else None for arch in table.runs["arch"]]


def _chooser(objective: Objective | None) -> Objective:
    """The objective that an epoch is chosen by."""
    if objective is None or objective.relative:
        what = "no objective" if objective is None else f"one of runs among each other ({objective.unit})"
        raise UsageError(
            f"the best epoch of a run is chosen by an objective that scores it on its own, and {what} is given; "
            "choose delta_m, mean, weights or worst, or --final best"
        )
    return objective


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
