"""The table of runs: the only thing that goes into a forecaster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lcode.errors import UsageError
from lcode.graphs.arch import ArchGraph
from lcode.table.axis import as_ticks, check_horizon, finer_unit
from lcode.table.gaps import NotFinite
from lcode.table.metric import Metric, as_metrics
from lcode.table.notebook import runs_html
from lcode.table.points import before, check_points, empty_points, given_points, plain, restrict, tidied
from lcode.table.reading import Reading
from lcode.table.run_rows import RunStatus, run_index, run_rows, settings_of
from lcode.table.schedule import Schedule


@dataclass(frozen=True)
class Curve:
    """One metric of one run against the epoch.

    Attributes:
        metric: what is measured.
        epochs: strictly increasing epochs (ticks, in a table with an `epoch_unit`), shape [S].
        values: the finite values at those epochs, in the metric's natural units, shape [S].
        diverged_at: first epoch from which on every value was NaN or infinite, if there is one; the curve holds what
            came before it.
        gaps: first and last epoch of each stretch of such values that ended in a finite one.
    """

    metric: Metric
    epochs: NDArray[np.int64]
    values: NDArray[np.float64]
    diverged_at: int | None = None
    gaps: tuple[tuple[int, int], ...] = ()

    def prefix(self, cutoff: int) -> Curve:
        """The part of the curve with epoch ≤ cutoff; one that is cut inside a gap has diverged, as was known then."""
        seen = self.epochs <= cutoff
        last = self.epochs[seen].max(initial=-1)
        lost = [first for first, _ in self.gaps if last < first <= cutoff]
        if self.diverged_at is not None and self.diverged_at <= cutoff:
            lost = [self.diverged_at]
        return Curve(
            self.metric,
            self.epochs[seen],
            self.values[seen],
            diverged_at=lost[0] if lost else None,
            gaps=tuple(gap for gap in self.gaps if gap[1] < last),
        )


@dataclass(frozen=True)
class RunTable:
    """Runs, their measured points, and what is known of them before training.

    Build one with `lcode.read_logs`, or with `RunTable.from_points`.

    Epochs are whole numbers everywhere. Where the logs have 0.5, 1.0, 1.5 …, they are counted in units of half an
    epoch: tick 3 is epoch 1.5 (`lcode.table.as_epochs`). What is shown or written is in the user's epochs.

    Attributes:
        runs: one row per run, indexed by the run's name (string), in the order of the logs. Columns: `status`
            (running | finished | failed | stopped), `horizon` (planned last epoch, int), `arch` (key into
            `graphs`, or None), `seed` (of the training, or None).
        points: the measured values, sorted by run, metric and epoch, without duplicates. Columns: `run` and
            `metric` (categorical; the metric's key), `epoch` (int), `value` (float, natural units). A value that
            is NaN or infinite means: diverged from this epoch on, or a gap where a later one is finite.
        metrics: what is measured, in column order.
        configs: hyper-parameters, indexed like `runs`, one column each; numbers stay numbers, NaN/None = not given.
        graphs: architecture graphs by key.
        signals: auxiliary curves that are read but never forecast (training loss, gradient norm, weight, cosine),
            in the form of `points`; `metric` is `task/signal`, or `task|other/signal` for a pair of tasks.
        schedules: learning rate per run, as far as it is known: a plan if it reaches the horizon, which a run keeps
            whole when it is cut. A rate that reacts to the training is no plan and belongs to the signals.
        notes: remarks of the reader that the user should see (inferred directions, skipped torn lines, …).
        epoch_unit: what one tick of `epoch`, `horizon` and the schedules stands for, in epochs, > 0.
        reading: how the logs were understood; None for a table that was not read from logs.

    Examples:
        >>> import lcode
        >>> table = lcode.read_logs("logs.csv")
        >>> table.runs["status"].value_counts().to_dict()
        {'finished': 8, 'running': 4}
        >>> int(table.prefix(3).last_epochs.max())  # as if every run were at epoch 3
        3
    """

    runs: pd.DataFrame
    points: pd.DataFrame
    metrics: tuple[Metric, ...]
    configs: pd.DataFrame
    graphs: Mapping[str, ArchGraph] = field(default_factory=dict)
    signals: pd.DataFrame = field(default_factory=empty_points)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    epoch_unit: float = 1.0
    reading: Reading | None = None

    @classmethod
    def from_points(
        cls,
        points: pd.DataFrame,
        metrics: Sequence[Metric],
        *,
        runs: pd.DataFrame | None = None,
        configs: pd.DataFrame | None = None,
        graphs: Mapping[str, ArchGraph] | None = None,
        signals: pd.DataFrame | None = None,
        schedules: Mapping[str, Schedule | Sequence[float] | NDArray[np.float64]] | None = None,
        notes: Iterable[str] = (),
        epoch_unit: float = 1.0,
        reading: Reading | None = None,
    ) -> RunTable:
        """Assemble a table, filling in what is not given.

        Args:
            points: columns `run, epoch, metric, value`, in any order; a row that is there twice counts once.
            metrics: one per key that occurs in `points`.
            runs: columns `status, horizon, arch, seed`, indexed by run; what is missing is filled: the horizon with
                the largest epoch of the table, the status with `finished` where the horizon was reached and
                `running` elsewhere.
            configs: hyper-parameters indexed by run.
            graphs: architecture graphs by the key named in `runs.arch`, or by the run's name.
            signals: auxiliary curves in the form of `points`; of several values at one epoch the last counts.
            schedules: learning rate per run: a schedule, or a rate for each of the epochs 1, 2, …, up to the horizon if
                it is planned, else up to now.
            notes: remarks for the user.
            epoch_unit: what one of the whole numbers `epoch` and `horizon` stands for, in epochs.
            reading: how the logs were understood.

        Raises:
            UsageError: a part has not the form above: a column is missing, or is none of `runs`; an epoch or a horizon
                that is no whole number of at least 0, a value that is no number, no such status; two values of one
                run, metric and epoch; a run without a row in `runs`, or a metric that is not among `metrics`; two
                runs, metrics or hyper-parameters of one name; settings for none of the runs.
        """
        check_points("points", points)
        measured = as_metrics(metrics)
        index = run_index(points, runs)
        order = index.to_list()
        tidy = given_points("points", points, order, [metric.key for metric in measured])
        if signals is None:
            extra = tidied(empty_points(), order, [])
        else:
            check_points("signals", signals)
            named = sorted({str(name) for name in signals["metric"].unique()})
            extra = given_points("signals", signals, order, named, last_counts=True)
        known = dict(graphs or {})
        return cls(
            runs=run_rows(runs, index, tidy, known),
            points=tidy,
            metrics=measured,
            configs=settings_of(configs, index),
            graphs=known,
            signals=extra,
            schedules={str(run): Schedule.of(plan) for run, plan in (schedules or {}).items()},
            notes=tuple(notes),
            epoch_unit=epoch_unit,
            reading=reading,
        )

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Names of the runs, in the order of the logs."""
        return tuple(str(run) for run in self.runs.index)

    @property
    def last_epochs(self) -> pd.Series:
        """Last epoch at which anything was measured, per run; 0 for a run without a point."""
        last = np.zeros(len(self.runs), dtype=np.int64)
        np.maximum.at(last, self.points["run"].array.codes, self.points["epoch"].to_numpy())
        return pd.Series(last, index=self.runs.index, name="epoch")

    def __len__(self) -> int:
        return len(self.runs)

    def _repr_html_(self) -> str:
        return runs_html(self)

    def metric(self, key: str) -> Metric:
        """The metric with this key.

        Raises:
            UsageError: no such metric; the message lists those there are.
        """
        for metric in self.metrics:
            if key in (metric.key, f"{metric.task}/{metric.name}"):
                return metric
        raise UsageError(f"no metric '{key}' in these logs; there are: {', '.join(m.key for m in self.metrics)}")

    def select(self, run_ids: Iterable[str]) -> RunTable:
        """The table with these runs only, each once, in the given order.

        Raises:
            UsageError: a run is not in the table.
        """
        wanted = list(dict.fromkeys(str(run) for run in run_ids))
        unknown = [run for run in wanted if run not in self.runs.index]
        if unknown:
            raise UsageError(f"no run '{unknown[0]}' in this table of {len(self)} runs")
        if tuple(wanted) == self.run_ids:
            return self
        return replace(
            self,
            runs=self.runs.loc[wanted],
            points=restrict(self.points, wanted),
            configs=self.configs.loc[wanted],
            signals=restrict(self.signals, wanted),
            schedules={run: self.schedules[run] for run in wanted if run in self.schedules},
        )

    def rows(self, places: ArrayLike) -> RunTable:
        """The table with the runs at these places only, each once, in the given order; whole numbers [R], from 0."""
        return self.select(self.runs.index[np.asarray(places, dtype=np.int64)])

    def with_status(self, *statuses: RunStatus) -> RunTable:
        """The table with the runs of these statuses only."""
        return self.select(self.runs.index[self.runs["status"].isin(statuses)])

    def prefix(self, cutoff: int | Mapping[str, int]) -> RunTable:
        """What was known when each run had reached its cutoff.

        Points and signals after the cutoff are gone; a run that was cut counts as running. The configuration, the
        architecture, the horizon and the planned schedule were known all along and stay.

        Args:
            cutoff: one epoch for all runs, or one per run (runs without one are left whole); in ticks, as `points`.
        """
        whole = np.iinfo(np.int64).max
        if isinstance(cutoff, Mapping):
            limits = pd.Series({run: cutoff.get(run, whole) for run in self.run_ids}, dtype=np.int64)
        else:
            limits = pd.Series(int(cutoff), index=self.runs.index, dtype=np.int64)
        cut = self.last_epochs.to_numpy() > limits.to_numpy()
        runs = self.runs.copy()
        runs.loc[cut, "status"] = "running"
        return replace(self, runs=runs, points=before(self.points, limits), signals=before(self.signals, limits))

    def with_horizon(self, horizon: float) -> RunTable:
        """The table with another planned last epoch; a run that has not reached it counts as running.

        A run that already went further keeps its last epoch as its horizon; failed and stopped runs stay what they are.

        Args:
            horizon: as the user counts epochs, > 0.

        Raises:
            UsageError: no such number.
        """
        check_horizon(horizon)
        table = self.in_unit(finer_unit(self.epoch_unit, horizon))
        planned = int(as_ticks(horizon, table.epoch_unit))
        last = table.last_epochs.to_numpy()
        runs = table.runs.copy()
        runs["horizon"] = np.maximum(planned, last)
        resumed = (runs["status"] == "finished").to_numpy() & (last < planned)
        runs.loc[resumed, "status"] = "running"
        return replace(table, runs=runs)

    def in_unit(self, unit: float) -> RunTable:
        """The same runs with epochs counted in a finer unit, of which the table's own is a whole multiple."""
        factor = round(self.epoch_unit / unit)
        if factor == 1:
            return self
        return replace(
            self,
            runs=self.runs.assign(horizon=self.runs["horizon"] * factor),
            points=self.points.assign(epoch=self.points["epoch"] * factor),
            signals=self.signals.assign(epoch=self.signals["epoch"] * factor),
            schedules={run: plan.finer(factor) for run, plan in self.schedules.items()},
            epoch_unit=unit,
        )

    def concat(self, other: RunTable) -> RunTable:
        """Both tables' runs, this one's first; metrics, configuration columns and units of the epoch are united.

        Raises:
            UsageError: a run is in both, or the two disagree on a metric's direction.
        """
        twice = set(self.run_ids) & set(other.run_ids)
        if twice:
            raise UsageError(f"run '{min(twice)}' is in both tables; rename it in one of them")
        metrics = tuple(dict.fromkeys((*self.metrics, *other.metrics)))
        keys = [metric.key for metric in metrics]
        disputed = [key for key in keys if keys.count(key) > 1]
        if disputed:
            raise UsageError(f"the tables disagree on the direction of '{disputed[0]}'; state it when reading the logs")
        unit = finer_unit(self.epoch_unit, other.epoch_unit)
        one, two = self.in_unit(unit), other.in_unit(unit)
        return RunTable.from_points(
            pd.concat([plain(one.points), plain(two.points)], ignore_index=True),
            metrics,
            runs=pd.concat([one.runs, two.runs]),
            configs=pd.concat([one.configs, two.configs]),
            graphs={**one.graphs, **two.graphs},
            signals=pd.concat([plain(one.signals), plain(two.signals)], ignore_index=True),
            schedules={**one.schedules, **two.schedules},
            notes=(*one.notes, *two.notes),
            epoch_unit=unit,
        )

    def curve(self, run: str, key: str) -> Curve:
        """One curve of the table.

        Raises:
            UsageError: no such run or metric.
        """
        metric = self.metric(key)
        if run not in self.runs.index:
            raise UsageError(f"no run '{run}' in this table of {len(self)} runs")
        rows = self.points[(self.points["run"] == run) & (self.points["metric"] == metric.key)]
        epochs, values = rows["epoch"].to_numpy(np.int64), rows["value"].to_numpy(float)
        found = NotFinite.of(np.zeros(len(rows), dtype=np.int64), epochs, values)
        finite, lost = np.isfinite(values), epochs[found.lost]
        ends = np.flatnonzero(finite & (found.since >= 0))  # where a gap is over
        gaps = zip(found.since[ends].tolist(), epochs[ends - 1].tolist(), strict=True)
        return Curve(metric, epochs[finite], values[finite], int(lost[0]) if len(lost) else None, tuple(gaps))
