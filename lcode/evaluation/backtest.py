"""How well would forecasts have done on runs that are finished by now? Cut them, forecast, compare; no look-ahead."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.errors import NotEnoughDataError, UsageError
from lcode.evaluation import metrics as measure
from lcode.evaluation.splits import split_runs
from lcode.forecast import LEVELS, NO_EPOCH, Forecast
from lcode.forecasters import FORECASTERS, ForecasterFactory
from lcode.forecasters.base import finished_runs
from lcode.table import Metric, RunTable
from lcode.table.given import check_table

DEFAULT_FORECASTERS = ("lcode", "last", "power", "trees")

MEASURES = (
    "mape",
    "rmse",
    "final_mae",
    "kendall",
    "spearman",
    "top1_regret",
    "top10_regret",
    "crps",
    "coverage90",
    "fit_seconds",
    "predict_seconds",
)
COUNTS = ("curves", "diverged", "not_forecast")
"""Test curves that were scored, that diverged, and that the forecaster had nothing to say about."""

MIN_TRAIN, MIN_TEST = 3, 2

NEAR_ZERO, OFTEN = 0.1, 0.1
"""A value is near 0 if it is below this share of its metric's standard deviation, and a metric is if this share of its
values is. A relative error then says how near 0 the value was, rather than how good the forecast."""

Progress = Callable[[int, int, str], None]
"""Called with (steps done, all steps, what comes next)."""


@dataclass(frozen=True, eq=False)
class Backtest:
    """Scores of forecasters on the same splits and cutoffs.

    Attributes:
        observe: share of the horizon that was observed of the test runs.
        train_fraction: share of the finished runs that was learned from.
        seeds: number of splits.
        runs: number of finished runs.
        records: one row per seed × forecaster × metric: columns `seed`, `forecaster`, `metric` (key), `MEASURES`
            (natural units; MAPE and coverage as shares) and `COUNTS`.
        near_zero: keys of the metrics whose values lie near 0 so often that MAPE says little of them.

    Examples:
        >>> import lcode
        >>> result = lcode.backtest(lcode.read_logs("logs.csv"), seeds=1, forecasters=("last",))
        >>> result.runs, sorted(result.to_json()["forecasters"])
        (8, ['last'])
    """

    observe: float
    train_fraction: float
    seeds: int
    runs: int
    records: pd.DataFrame
    near_zero: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Mean over the seeds: one row per metric and forecaster (index), columns `MEASURES` and `COUNTS`."""
        return self._grouped().mean()[[*MEASURES, *COUNTS]]

    def to_json(self) -> dict[str, Any]:
        """Plain values for `lcode backtest --json`; a score that is not defined (constant ranks) is None."""
        mean, std = self._grouped().mean(), self._grouped().std(ddof=0)
        scores: dict[str, dict[str, dict[str, dict[str, float | None]]]] = {}
        for metric, name in mean.index:
            scores.setdefault(name, {})[metric] = {
                column: {"mean": _plain(mean.at[(metric, name), column]), "std": _plain(std.at[(metric, name), column])}
                for column in (*MEASURES, *COUNTS)
            }
        return {
            "observe": self.observe,
            "train_fraction": self.train_fraction,
            "seeds": self.seeds,
            "runs": self.runs,
            "near_zero": list(self.near_zero),
            "forecasters": scores,
        }

    def paired(self, a: str, b: str, name: str) -> pd.DataFrame:
        """Difference a - b of one measure on the same splits.

        Args:
            a: name of a forecaster.
            b: name of another one.
            name: one of `MEASURES`.

        Returns:
            One row per metric key: `mean` and `standard_error` over the seeds (NaN with a single seed).
        """
        wide = self.records.pivot(index=["metric", "seed"], columns="forecaster", values=name)
        unknown = [forecaster for forecaster in (a, b) if forecaster not in wide]
        if unknown:
            raise UsageError(f"no forecaster '{unknown[0]}' in this backtest; there are: {', '.join(wide.columns)}")
        difference = (wide[a] - wide[b]).groupby(level="metric", sort=False)
        return pd.DataFrame({"mean": difference.mean(), "standard_error": difference.sem()})

    def _grouped(self) -> Any:
        numbers = self.records.drop(columns="seed")
        return numbers.groupby(["metric", "forecaster"], sort=False)


def backtest(
    table: RunTable,
    *,
    observe: float = 0.2,
    train_fraction: float = 0.75,
    seeds: int = 3,
    forecasters: Sequence[str] | Mapping[str, ForecasterFactory] = DEFAULT_FORECASTERS,
    targets: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Backtest:
    """Split the finished runs, learn from one part, forecast the other from its beginning, and score.

    The point forecast is the median. Errors run over every epoch after the prefix at which the truth has a point, the
    last one included. Forecasters see all metrics of the table, whatever the targets.

    Args:
        table: the runs; only the finished ones are used.
        observe: share of each test run's horizon that is observed, between 0 and 1; at least its first point is.
        train_fraction: share of the runs to learn from, between 0 and 1.
        seeds: number of splits; seed 0, 1, … is that of the split and of the forecaster.
        forecasters: names from `FORECASTERS`, or factories by a name of your own.
        targets: keys of the metrics to score; default: all.
        progress: told before each forecaster's turn.

    Raises:
        UsageError: an argument out of range, an unknown forecaster or metric.
        NotEnoughDataError: too few finished runs to fill both parts, or for one of the forecasters.

    Examples:
        >>> import lcode
        >>> result = lcode.backtest(lcode.read_logs("logs.csv"), observe=0.25, seeds=1, forecasters=("last", "power"))
        >>> sorted(set(result.records["forecaster"]))
        ['last', 'power']
    """
    check_table("table", table)
    if not 0 < observe < 1 or not 0 < train_fraction < 1 or seeds < 1:
        raise UsageError(
            "observe and train_fraction are shares between 0 and 1 (both excluded) and seeds is at least 1; "
            f"got observe={observe:g}, train_fraction={train_fraction:g}, seeds={seeds}"
        )
    factories = _factories(forecasters)
    scored = table.metrics if targets is None else tuple(table.metric(key) for key in targets)
    done = finished_runs(table, at_least=MIN_TRAIN + MIN_TEST)
    records: list[dict[str, Any]] = []
    for seed in range(seeds):
        train, test = split_runs(done, train_fraction, seed)
        if len(train) < MIN_TRAIN or len(test) < MIN_TEST:
            raise NotEnoughDataError(
                f"{len(done)} finished runs split into {len(train)} to learn from and {len(test)} to be judged on; "
                f"at least {MIN_TRAIN} and {MIN_TEST} are needed (runs of one configuration stay together)"
            )
        exam = Exam.of(done.select(test), observe, scored)
        learned = done.select(train)
        for turn, (name, make) in enumerate(factories.items()):
            if progress is not None:
                progress(seed * len(factories) + turn, seeds * len(factories), f"{name}, split {seed + 1} of {seeds}")
            began = time.perf_counter()
            fitted = make(seed).fit(learned)
            ready = time.perf_counter()
            forecast = fitted.predict(exam.observed, exam.queries)
            spent = {"fit_seconds": ready - began, "predict_seconds": time.perf_counter() - ready}
            records += [
                {"seed": seed, "forecaster": name, "metric": metric.key, **exam.score(forecast, metric), **spent}
                for metric in scored
            ]
    if progress is not None:
        progress(seeds * len(factories), seeds * len(factories), "done")
    frame = pd.DataFrame(records, columns=["seed", "forecaster", "metric", *MEASURES, *COUNTS])
    return Backtest(observe, train_fraction, seeds, len(done), frame, near_zero(done, scored))


def near_zero(table: RunTable, metrics: Sequence[Metric]) -> tuple[str, ...]:
    """Keys of the metrics whose values lie near 0 beside their spread: rewards around it, losses that vanish."""
    values = {str(key): group.to_numpy(float) for key, group in table.points.groupby("metric", observed=True)["value"]}
    return tuple(
        metric.key
        for metric in metrics
        if (known := values[metric.key][np.isfinite(values[metric.key])]).size
        and (np.abs(known) < NEAR_ZERO * known.std()).mean() >= OFTEN
    )


@dataclass(frozen=True, eq=False)
class Exam:
    """Test runs cut at their cutoffs, with the truth that follows.

    Attributes:
        observed: what the forecasters may see.
        queries: ascending epochs to forecast, by run.
        truth: the whole curves of the scored metrics.
    """

    observed: RunTable
    queries: dict[str, NDArray[np.int64]]
    truth: CurveArrays

    @classmethod
    def of(cls, table: RunTable, observe: float, metrics: tuple[Metric, ...]) -> Exam:
        """Cut each run at round(observe × horizon), but after its first epoch and before its last one."""
        horizons = table.runs["horizon"]
        return cls.at(table, {run: round(observe * float(horizons[run])) for run in table.run_ids}, metrics)

    @classmethod
    def at(cls, table: RunTable, cutoffs: Mapping[str, int], metrics: tuple[Metric, ...]) -> Exam:
        """Cut each run at its own last observed epoch, moved to where an epoch is seen and one is left."""
        axes = _epochs(table)
        seen = {run: int(np.clip(cutoffs[run], axis[0], axis[-2])) for run, axis in axes.items()}
        queries = {run: axis[axis > seen[run]] for run, axis in axes.items()}
        return cls(table.prefix(seen), queries, curve_arrays(table, metrics=metrics))

    def score(self, forecast: Forecast, metric: Metric, runs: NDArray[np.bool_] | None = None) -> dict[str, float]:
        """All measures of one metric but the times, and the counts.

        Args:
            forecast: of the test runs, in their order.
            metric: one of the metrics of the truth.
            runs: which of the test runs to score, shape [R]; None: all.

        Returns:
            The measures, `mae` (of the whole curves), `nrmse` and `nll` (see `metrics.standardised`; by the spread of
            all true values), `final_coverage90` (share of the values at the horizon in the 90 % interval), the counts.
        """
        k, column = self.truth.metrics.index(metric), forecast.metrics.index(metric)
        chosen = slice(None) if runs is None else runs
        quantiles = forecast.quantiles[chosen, column]
        median = quantiles[..., int(np.argmin(np.abs(LEVELS - 0.5)))]
        truth = self._truth_at(forecast.epochs, k)[chosen]
        alive = np.isfinite(truth).any(axis=1)
        diverged = self.truth.diverged_at[chosen, k] >= 0
        answered = measure.usable_curves(truth, median)
        last = np.where(np.isfinite(truth), np.arange(truth.shape[1]), -1).max(axis=1, initial=-1)
        rows, known = np.arange(len(truth)), self.truth.values[chosen, k]
        mean, std = (part[chosen, column] for part in (forecast.mean(), forecast.std()))
        nrmse, nll = measure.standardised(truth, mean, std, float(np.nanstd(known[np.isfinite(known)])) or 1.0)
        # A curve that diverged later on has errors up to there, but no final value.
        final = np.where(diverged | ~alive, np.nan, truth[rows, last])
        final_median = median[rows, last]
        return {
            "mape": measure.mape(truth, median),
            "mae": measure.mae(truth, median),
            "rmse": measure.rmse(truth, median),
            "nrmse": nrmse,
            "nll": nll,
            "final_mae": measure.final_mae(final, final_median),
            "kendall": measure.kendall(final, final_median),
            "spearman": measure.spearman(final, final_median),
            "top1_regret": measure.top1_regret(final, final_median, metric.direction),
            "top10_regret": measure.top10_regret(final, final_median, metric.direction),
            "crps": measure.crps(truth, quantiles),
            "coverage90": measure.coverage90(truth, quantiles),
            "final_coverage90": measure.coverage90(final[:, None], quantiles[rows, last][:, None]),
            "curves": float(answered.sum()),
            "diverged": float(diverged.sum()),
            "not_forecast": float((alive & ~answered).sum()),
        }

    def _truth_at(self, epochs: NDArray[np.int64], k: int) -> NDArray[np.float64]:
        """True values at the query epochs that have a point, NaN at the others, [R, Q]."""
        # One axis for all runs, so that a single look-up tells which queries have a point.
        span = int(max(self.truth.epochs.max(initial=0), epochs.max(initial=0))) + 1
        row = np.arange(len(epochs))[:, None] * span
        points = (row + self.truth.epochs[:, k])[self.truth.present[:, k]]
        measured = np.isin(row + epochs, points) & (epochs != NO_EPOCH)
        return np.where(measured, self.truth.interpolate(epochs)[:, k], np.nan)


def _epochs(table: RunTable) -> dict[str, NDArray[np.int64]]:
    """The epochs with a point of each run, ascending."""
    epochs = table.points.groupby("run", observed=True)["epoch"].unique()
    return {run: np.sort(np.asarray(epochs[run], dtype=np.int64)) for run in table.run_ids}


def _factories(forecasters: Sequence[str] | Mapping[str, ForecasterFactory]) -> dict[str, ForecasterFactory]:
    if isinstance(forecasters, Mapping):
        return dict(forecasters)
    unknown = [name for name in forecasters if name not in FORECASTERS]
    if unknown or not forecasters:
        what = f"no forecaster '{unknown[0]}'" if unknown else "no forecaster given"
        raise UsageError(f"{what}; there are: {', '.join(FORECASTERS)}")
    return {name: FORECASTERS[name] for name in forecasters}


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
