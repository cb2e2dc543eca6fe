"""Finished runs of related problems: examples as they are, and on the scale of the problem's own runs.

Two problems may measure the same on other scales, as losses of two data sets do, or on one, as two implementations of a
workload do. Which it is the runs of the problem itself say: each way is a base model, and left-out runs weigh them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.prefix import Known, PrefixReader, Prospects
from lcode.curves.scaling import MetricScale, ValueScaler
from lcode.ensemble.folds import NEVER_OUT
from lcode.ensemble.history import History
from lcode.ensemble.problems import MOST_EXAMPLES
from lcode.table import RunTable
from lcode.table.archive import pack, unpack
from lcode.table.pool import pooled

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RelatedRuns:
    """Finished runs of other problems that measure the same metrics.

    Attributes:
        runs: M of them.
        problems: number of the problem that each is from, [M].
    """

    runs: RunTable
    problems: NDArray[np.int64]

    @classmethod
    def of(cls, runs: RunTable, problems: NDArray[np.int64], seed: int) -> RelatedRuns:
        """Some of the runs of each other problem, as many of one as of the other.

        The network reads up to `MOST_EXAMPLES` at a time, own and related ones alike. The own ones are filled up to so
        many, and half as many related ones are held at least.

        Args:
            runs: finished ones of the problem itself and of others.
            problems: which problem each is of, 0 = the one to forecast, [N].
            seed: of the choice.
        """
        own, numbers = int((problems == 0).sum()), np.unique(problems[problems > 0])
        each = max(max(MOST_EXAMPLES - own, MOST_EXAMPLES // 2) // len(numbers), 1)
        draw = np.random.default_rng(seed)
        rows = np.concatenate([np.sort(draw.permutation(np.flatnonzero(problems == one))[:each]) for one in numbers])
        return cls(runs.rows(rows), problems[rows])

    def in_unit(self, unit: float) -> RelatedRuns:
        """The same with epochs counted in a finer unit."""
        return replace(self, runs=self.runs.in_unit(unit))

    def pack(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """JSON values and arrays for a checkpoint."""
        meta, arrays = pack(self.runs)
        return meta, {**arrays, "problems": self.problems}

    @classmethod
    def unpack(cls, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> RelatedRuns:
        """The inverse of `pack`."""
        return cls(unpack(meta, arrays), arrays["problems"])

    def __len__(self) -> int:
        return len(self.runs)

    def without(self, own: RunTable) -> RelatedRuns:
        """The same without those that have the curves of an own run, which would tell how it ends when left out."""
        known = set(curve_keys(own).values())
        keys = curve_keys(self.runs)
        new = np.array([run not in keys or keys[run] not in known for run in self.runs.run_ids], dtype=np.bool_)
        return self if new.all() else RelatedRuns(self.runs.rows(np.flatnonzero(new)), self.problems[new])

    def rescaled(self, own: RunTable) -> RelatedRuns:
        """The same runs with each problem's values put where those of the own runs lie, metric by metric.

        Of a left-out run no more is told by this than a part in N of a scale: with four own runs, three times its
        future moved its own forecast no further than that of the in-context network.
        """
        points = self.runs.points
        problem_of = dict(zip(self.runs.run_ids, self.problems.tolist(), strict=True))
        problem = points["run"].astype(str).map(problem_of).to_numpy()
        values, metric_of = points["value"].to_numpy(np.float64).copy(), points["metric"].astype(str).to_numpy()
        scales = ValueScaler.fit(curve_arrays(own)).scales
        for metric, to in zip(own.metrics, scales, strict=True):
            for number in np.unique(self.problems).tolist():
                there = (problem == number) & (metric_of == metric.key)
                if np.isfinite(values[there]).any():
                    values[there] = to.unscale(MetricScale.fit(metric, values[there]).scale(values[there]))
        return replace(self, runs=replace(self.runs, points=points.assign(value=values)))


@dataclass(frozen=True, eq=False)
class Beside:
    """N own runs from a cutoff, and behind them related ones.

    Attributes:
        as_they_are: with the related runs' own values.
        rescaled: with those of `RelatedRuns.rescaled`.
        alike: share of the own runs that ended where nine in ten of a related problem did, mean over the problems, by
            metric, [K].
    """

    as_they_are: History
    rescaled: History
    alike: Array


class RelatedExamples:
    """Own and related runs side by side, read alike.

    Args:
        own: N finished runs of the problem itself.
        folds: fold of each, [N].
        related: of other problems.
        values: scales of the own runs' metrics.
        prospects: what configurations promise; None: nothing is known of them.
    """

    def __init__(
        self,
        own: RunTable,
        folds: NDArray[np.int64],
        related: RelatedRuns,
        values: ValueScaler,
        prospects: Prospects | None,
    ) -> None:
        both = pooled([own, related.runs]), pooled([own, related.rescaled(own).runs])
        self._tables = [(table, curve_arrays(table, metrics=own.metrics)) for table in both]
        self._folds = np.r_[folds, np.full(len(related), NEVER_OUT)]
        self._problems = np.r_[np.zeros(len(own), dtype=np.int64), related.problems]
        self._values, self._reader = values, PrefixReader(both[0], values, prospects)

    def at(self, own: History) -> Beside:
        """Own runs from a cutoff and behind them related ones."""
        folds = self._folds.copy()
        folds[own.rows] = own.folds
        as_they_are, rescaled = (
            History.of(table, arrays, folds, own.cutoff, self._values, self._reader, own.grid)
            for table, arrays in self._tables
        )
        problems = self._problems[as_they_are.rows[len(own) :]]
        ours, theirs = own.values[..., -1], as_they_are.values[len(own) :, :, -1, None]
        alike = np.array([_among(ours[:, k], theirs[:, k], problems) for k in range(ours.shape[1])])
        return Beside(as_they_are, rescaled, alike)

    def read(self, table: RunTable, arrays: CurveArrays, cutoff: int) -> Known:
        """See `PrefixReader.at`."""
        return self._reader.at(table, arrays, cutoff)


STOOD = (0.05, 0.95)
"""Quantiles between which nine in ten related runs stood."""


def standing_alike(table: RunTable, related: RelatedRuns, *, by_share: bool) -> Array:
    """Share of the runs in progress that stand where nine in ten runs of a related problem stood, by metric, [K].

    Mean over the problems; compared at equal shares of the horizons. The metrics are those of the related runs.

    Args:
        table: the runs in progress.
        related: what they are compared with.
        by_share: whether forecasts by the related runs are made at equal shares too. If not, it is times the ratio of
            the shorter typical horizon to the longer one: what trainings of another length did is another thing.
    """
    arrays, others = (curve_arrays(one, metrics=related.runs.metrics) for one in (table, related.runs))
    horizons = np.maximum(table.runs["horizon"].to_numpy(np.float64), 1)
    places = np.maximum(related.runs.runs["horizon"].to_numpy(np.float64), 1)[:, None]
    result = np.zeros(len(related.runs.metrics))
    for k in range(len(result)):
        rows = np.flatnonzero(np.isfinite(arrays.last_values[:, k]))
        at = np.rint(places * (arrays.last_epochs[rows, k] / horizons[rows])).astype(np.int64)
        result[k] = _among(arrays.last_values[rows, k], others.interpolate(at)[:, k], related.problems)
    if by_share or not len(table):
        return result
    lengths = np.median(horizons), np.median(places)
    return result * min(lengths) / max(lengths)


def curve_keys(table: RunTable) -> dict[str, tuple[float, float, float]]:
    """By what the curves of runs are told apart, whatever their names: number, last epoch and sum of their points."""
    points = table.points.groupby("run", observed=True)
    told = points.agg(size=("value", "size"), last=("epoch", "max"), total=("value", "sum"))
    rows = zip(told["size"].tolist(), told["last"].tolist(), told["total"].astype(np.float32).tolist(), strict=True)
    return {str(run): row for run, row in zip(told.index, rows, strict=True)}


def _among(values: Array, others: Array, problems: NDArray[np.int64]) -> float:
    """Share of values [R] where nine in ten others [M, R or 1] of a problem lie, mean over the problems [M].

    Drawn to 1/2 by one run on either side.
    """
    kept, known = np.isfinite(values), np.isfinite(others).all(1)
    shares = []
    for number in np.unique(problems[known]).tolist():
        low, high = np.quantile(others[known & (problems == number)], STOOD, axis=0)
        inside = ((low <= values) & (values <= high))[kept]
        shares.append((inside.sum() + 1) / (len(inside) + 2))
    return float(np.mean(shares)) if shares else 0.5
