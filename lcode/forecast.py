"""What is predicted: the joint distribution of future values, in natural units, with a status per curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from lcode.arguments import check_kind, found
from lcode.errors import UsageError
from lcode.show import SHOWN, counted, html_table, intervals
from lcode.table import Metric, RunTable, as_epochs
from lcode.table.given import check_table

LEVELS: NDArray[np.float64] = np.array([0.01, *np.round(np.arange(0.05, 0.951, 0.05), 2), 0.99])
"""The 21 quantile levels that every forecaster predicts."""

Q05, Q50, Q95 = 1, len(LEVELS) // 2, len(LEVELS) - 2
"""Places of 5 %, 50 % and 95 % among `LEVELS`: the ends of the 90 % interval, and the median between them."""

ForecastStatus = Literal["ok", "diverged", "too_short", "finished"]
"""`ok`: forecast from the observed prefix, or, for a candidate that has not begun, from what is known of it before;
`diverged`: the curve went to NaN or infinity, so there is nothing to
forecast and the values are NaN; `too_short`: nothing of this curve was observed, the forecast rests on the
configuration and the other curves alone; `finished`: the horizon was reached, the value is the observed one."""

NO_EPOCH = 0
"""Padding in `Forecast.epochs`: this run has fewer query epochs than the longest."""

FULL_EPOCHS, GRID = 10_000, 1000
"""A full forecast has every epoch of a run up to so many; of a longer future it has a grid of so many epochs. Nobody
reads more, and 10,000 epochs of a metric are 1.7 MB of quantiles: steps to a horizon of 10⁹ would not fit anywhere."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """Future values of R runs × K metrics at up to Q epochs each, as quantiles with a Gaussian copula between them.

    Attributes:
        run_ids: names of the runs, length R.
        metrics: the metrics, length K.
        epochs: the epochs forecast for each run, ascending, padded with `NO_EPOCH`, shape [R, Q]; as `observed` and
            `horizons` in whole ticks of `epoch_unit`, as the table counts them.
        quantiles: value at each of `LEVELS`, in natural units, ascending along the last axis; NaN where there is
            no forecast. Shape [R, K, Q, 21].
        status: `ForecastStatus` of each curve, shape [R, K].
        observed: last epoch observed of each curve, -1 if none, shape [R, K].
        horizons: planned last epoch of each run, shape [R].
        correlation: correlation of the metrics' normal scores within each run, shape [R, K, K]; identity if not known.
        persistence: correlation of the normal scores between epochs of one curve, 0 to 1: the share of the
            uncertainty that belongs to the trend rather than to epoch-to-epoch noise.
        notes: remarks for the user.
        epoch_unit: what one tick stands for, in epochs; see `RunTable`. `to_frame` is in the user's epochs.

    Examples:
        >>> import lcode
        >>> table = lcode.read_logs("logs.csv")
        >>> forecast = lcode.forecaster("power").fit(table).predict(table)
        >>> forecast.quantile(0.5).shape  # medians: runs, metrics, epochs
        (12, 2, 1)
        >>> forecast.to_frame().columns[:6].tolist()
        ['run', 'task', 'metric', 'observed', 'epoch', 'mean']
    """

    run_ids: tuple[str, ...]
    metrics: tuple[Metric, ...]
    epochs: NDArray[np.int64]
    quantiles: NDArray[np.float64]
    status: NDArray[np.str_]
    observed: NDArray[np.int64]
    horizons: NDArray[np.int64]
    correlation: NDArray[np.float64] | None = None
    persistence: float = 0.9
    notes: tuple[str, ...] = field(default=())
    epoch_unit: float = 1.0

    def mean(self) -> NDArray[np.float64]:
        """Expected value, the integral of the quantile function (constant beyond the outer levels), [R, K, Q]."""
        middle = self.quantiles[..., Q50, None]
        return middle[..., 0] + _integrate(self.quantiles - middle)  # so that equal quantiles have that mean exactly

    def std(self) -> NDArray[np.float64]:
        """Standard deviation, [R, K, Q]."""
        centred = self.quantiles - self.mean()[..., None]
        low, high = centred[..., :-1], centred[..., 1:]
        # The square of a linear piece integrates to (a² + ab + b²) / 3.
        pieces = (low * low + low * high + high * high) / 3
        inner = (pieces * np.diff(LEVELS)).sum(-1)
        tails = LEVELS[0] * centred[..., 0] ** 2 + (1 - LEVELS[-1]) * centred[..., -1] ** 2
        return np.sqrt(inner + tails)

    def quantile(self, level: float) -> NDArray[np.float64]:
        """The value that is not exceeded with probability `level` (0.01 to 0.99), [R, K, Q]."""
        above = int(np.clip(np.searchsorted(LEVELS, level), 1, len(LEVELS) - 1))
        share = np.clip((level - LEVELS[above - 1]) / (LEVELS[above] - LEVELS[above - 1]), 0, 1)
        return (1 - share) * self.quantiles[..., above - 1] + share * self.quantiles[..., above]

    def final(self) -> Forecast:
        """The forecast at each run's horizon alone: Q = 1."""
        column = self._horizon_column()
        rows = np.arange(len(self.run_ids))
        return replace(
            self, epochs=self.epochs[rows, column][:, None], quantiles=self.quantiles[rows, :, column][:, :, None]
        )

    def sample(self, n: int = 256, *, seed: int = 0) -> NDArray[np.float64]:
        """Joint samples in natural units, shape [n, R, K, Q].

        Runs are independent; the metrics of a run are joined by `correlation`, the epochs of a curve by
        `persistence`. The same seed gives the same samples. All runs have the same normal scores, each in an order of
        its own (Latin hypercube sampling, McKay et al. 1979): runs of equal forecasts have the same samples, and what
        is counted on them does not differ by chance.
        """
        runs, tasks, queries, _ = self.quantiles.shape
        generator = np.random.default_rng(seed)
        score = generator.standard_normal((n, tasks, 1))
        if queries > 1:
            noise = generator.standard_normal((n, tasks, queries))
            score = np.sqrt(self.persistence) * score + np.sqrt(1 - self.persistence) * noise
        order = generator.permuted(np.broadcast_to(np.arange(n), (runs, n)), axis=1).T
        score = ndtri(even_levels(score))[order]
        if self.correlation is not None and tasks > 1:
            root = np.linalg.cholesky(self.correlation + 1e-6 * np.eye(tasks))
            score = np.einsum("rjk,nrkq->nrjq", root, score)
        return self._at_level(ndtr(score))

    def to_frame(self) -> pd.DataFrame:
        """One row per run × metric × epoch, in the columns of `lcode predict`."""
        runs, tasks, queries, _ = self.quantiles.shape
        row, task, query = (axis.ravel() for axis in np.indices((runs, tasks, queries)))
        kept = self.epochs[row, query] != NO_EPOCH
        kept |= query == 0  # a run without a query epoch still has its row
        row, task, query = row[kept], task[kept], query[kept]
        at = (row, task, query)
        names = np.array(self.run_ids, dtype=object)
        observed = self.observed[row, task]
        known = observed >= 0
        nothing = np.where((self.observed < 0).all(axis=1), 0, -1)[row]  # 0: a candidate, whose run has not begun
        return pd.DataFrame(
            {
                "run": names[row],
                "task": np.array([m.task for m in self.metrics], dtype=object)[task],
                "metric": np.array([m.name for m in self.metrics], dtype=object)[task],
                "observed": np.where(known, as_epochs(observed, self.epoch_unit), nothing),
                "epoch": as_epochs(self.epochs[row, query], self.epoch_unit),
                "mean": self.mean()[at],
                "std": self.std()[at],
                **{f"q{round(100 * level):02d}": self.quantile(level)[at] for level in (0.05, 0.25, 0.5, 0.75, 0.95)},
                "status": self.status[row, task],
            }
        )

    def _repr_html_(self) -> str:
        """What a notebook shows: the forecast at each run's horizon, of the first runs."""
        final = self.final()
        values = np.stack([final.quantile(level)[:SHOWN, :, 0] for level in (0.5, 0.05, 0.95)], axis=-1)
        columns = [intervals(list(map(tuple, values[:, k].tolist()))) for k in range(len(self.metrics))]
        rows = [
            [run, *("diverged" if lost == "diverged" else text for lost, text in zip(status, texts, strict=True))]
            for run, status, *texts in zip(self.run_ids, self.status, *columns, strict=False)
        ]
        caption = f"Forecast of {counted(len(self.run_ids), 'run')} at the horizon: median [5 %, 95 %]"
        headings = ["run", *(metric.key for metric in self.metrics)]
        return html_table(headings, rows, caption=caption, more=len(self.run_ids) - SHOWN)

    def _horizon_column(self) -> NDArray[np.int64]:
        """Index of the last query epoch of each run: the horizon, for queries that reach it."""
        return np.maximum((self.epochs != NO_EPOCH).sum(1) - 1, 0)

    def _at_level(self, level: NDArray[np.float64]) -> NDArray[np.float64]:
        """Quantile function at the levels [n, R, K, Q], linear between the given ones."""
        above = np.clip(np.searchsorted(LEVELS, level), 1, len(LEVELS) - 1)
        share = np.clip((level - LEVELS[above - 1]) / (LEVELS[above] - LEVELS[above - 1]), 0.0, 1.0)
        table = np.broadcast_to(self.quantiles, (*level.shape, len(LEVELS)))
        low = np.take_along_axis(table, above[..., None] - 1, -1)[..., 0]
        high = np.take_along_axis(table, above[..., None], -1)[..., 0]
        return low + share * (high - low)


def even_levels(scores: NDArray[np.float64], axis: int = 0) -> NDArray[np.float64]:
    """Levels in the order of the n scores along an axis, spread evenly over (0, 1): 1/2n, 3/2n and so on."""
    return (scores.argsort(axis).argsort(axis) + 0.5) / scores.shape[axis]


def sample_quantiles(samples: NDArray[np.float64], levels: Sequence[float] | NDArray[np.float64]) -> Any:
    """Quantiles of n samples, [n, …] to [L, …]: the i-th smallest is that at the level (i - 1/2)/n (Hazen's rule).

    It is the inverse of `even_levels`, so that samples of a forecast have its own quantiles.
    """
    return np.quantile(samples, levels, axis=0, method="hazen")


def check_forecast(name: str, value: object) -> None:
    """Refuse what is no forecast, such as the table that it was made of.

    Raises:
        UsageError: the text says what was found and how a forecast is had.
    """
    check_kind(name, value, Forecast, "a forecast, such as lcode.load().predict(table)")


def query_epochs(table: RunTable, at: Literal["horizon", "full"] | dict[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """Epochs to forecast per run, padded with `NO_EPOCH`, shape [R, Q].

    Args:
        table: the runs, cut to what was observed.
        at: `horizon`: the planned last epoch alone; `full`: every epoch after the last observed one up to the
            horizon (for a run that reached it: the horizon), or an even grid that ends there, where these are more
            than `FULL_EPOCHS`; or ascending epochs by run. In ticks, as the table counts them.

    Raises:
        UsageError: no table, or no such epochs; the text says what was found.
    """
    check_table("table", table)
    horizons = np.maximum(table.runs["horizon"].to_numpy(np.int64), 1)
    if at == "horizon":
        return horizons[:, None]
    if at == "full":
        first = np.minimum(table.last_epochs.to_numpy(np.int64) + 1, horizons)
        ahead = horizons - first
        count = np.where(ahead < FULL_EPOCHS, ahead + 1, GRID)
        offset = np.arange(int(count.max(initial=1)))
        steps = np.rint(offset * (ahead / np.maximum(count - 1, 1))[:, None]).astype(np.int64)
        return np.where(offset < count[:, None], first[:, None] + steps, NO_EPOCH)
    check_at(table, at)
    queries = [np.asarray(at.get(run, []), dtype=np.int64) for run in table.run_ids]
    padded = np.full((len(queries), max([1, *map(len, queries)])), NO_EPOCH, dtype=np.int64)
    for row, epochs in zip(padded, queries, strict=True):
        row[: len(epochs)] = epochs
    return padded


def check_at(table: RunTable, at: object) -> None:
    """Refuse what no epochs can be read from, see `query_epochs`.

    Raises:
        UsageError: another word or type, a run that the table has not, or epochs that are not ascending whole numbers.
    """
    if isinstance(at, str) and at in ("horizon", "full"):
        return
    if not isinstance(at, Mapping):
        raise UsageError(f"at is {found(at)}; give 'horizon', 'full', or epochs by run, such as {{'a17': [20, 30]}}")
    runs = set(table.run_ids)
    for run, epochs in at.items():
        if run not in runs:
            raise UsageError(f"at names the run '{run}', which is not among the {len(runs)} of the table")
        try:
            asked = np.asarray(epochs, dtype=np.float64)
        except (TypeError, ValueError):
            asked = np.full(1, np.nan)
        if asked.ndim != 1 or not (asked == np.floor(asked)).all() or (np.diff(asked, prepend=0) <= 0).any():
            raise UsageError(f"at['{run}'] is {found(epochs)}; give ascending whole numbers above 0, such as [20, 30]")


def grid_note(epochs: NDArray[np.int64]) -> tuple[str, ...]:
    """The remark on query epochs [R, Q] that leave epochs out, since there are too many."""
    thinned = ((epochs != NO_EPOCH).sum(1) == GRID) & (epochs.max(1) - epochs[:, 0] >= FULL_EPOCHS)
    note = f"full forecasts of more than {FULL_EPOCHS} epochs are on a grid of {GRID} epochs that ends at the horizon."
    return (note,) if thinned.any() else ()


def _integrate(quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    inner = ((quantiles[..., 1:] + quantiles[..., :-1]) / 2 * np.diff(LEVELS)).sum(-1)
    return inner + LEVELS[0] * quantiles[..., 0] + (1 - LEVELS[-1]) * quantiles[..., -1]
