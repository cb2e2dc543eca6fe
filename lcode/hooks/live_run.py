"""What a monitor knows of one live run: plain values, kept in epoch order, however they were reported."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import gcd, isfinite, isnan
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.arguments import as_config
from lcode.curves.arrays import CurveArrays
from lcode.decisions import FinalValue, Objective
from lcode.graphs import ArchGraph, graph_from_json
from lcode.table import Metric, RunStatus, RunTable, Schedule, as_epochs, as_ticks
from lcode.table.horizon import MIN_EVALUATIONS, last_evaluation

Epoch = int | float
"""As the user counts: whole, or a fraction such as 2.5."""

Epochs = dict[Epoch, dict[str, float]]
"""epoch -> name -> value, in epoch order."""


class Undefined(NamedTuple):
    """A metric whose last values are NaN or infinite: epoch of the first of them, the metric, the first, how many."""

    since: Epoch
    metric: str
    value: float
    reports: int


@dataclass
class LiveRun:
    """One run that reports to a monitor.

    Attributes:
        name: the run's name.
        horizon: planned last epoch, as the user states it.
        from_zero: whether a horizon of N means the epochs 0 … N − 1 if epoch 0 is reported.
        config: hyper-parameters.
        arch: key of its architecture, if it has one.
        graph: its architecture, if known.
        schedule: planned learning rate, if known, and `schedule_unit`, what its epochs stand for.
        values: the reported metrics by epoch; later reports of a metric overwrite earlier ones.
        signals: the reported auxiliary values by epoch.
        status: `running`, or how it ended.
        announced_again: whether it was announced with another configuration after it had ended, so that its next report
            may be the first of another training.
        apart: the least epochs from one report to the next; None before the second.
        largest: by metric the largest finite value so far.
    """

    name: str
    horizon: Epoch
    from_zero: bool = True
    config: dict[str, Any] = field(default_factory=dict)
    arch: str | None = None
    graph: ArchGraph | None = None
    schedule: Schedule | None = None
    schedule_unit: float = 1.0
    values: Epochs = field(default_factory=dict)
    signals: Epochs = field(default_factory=dict)
    status: RunStatus = "running"
    announced_again: bool = field(default=False, init=False, repr=False)
    apart: Epoch | None = field(init=False, repr=False)
    largest: dict[str, float] = field(init=False, repr=False)
    _followed: Epoch | None = field(init=False, repr=False)
    _undefined: dict[str, Undefined] = field(init=False, repr=False)
    _fractions: bool = field(init=False, repr=False)
    _step: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._look_through()

    @classmethod
    def from_history(cls, table: RunTable, run: str) -> Self:
        """The run as a table knows it; the curves of a finished one are left behind, for it is trained anew.

        A table's horizon is the last epoch, also where epochs count from 0.
        """
        row = table.runs.loc[run]
        arch = row["arch"] if isinstance(row["arch"], str) else None
        config = table.configs.loc[run]
        again = row["status"] == "finished"
        return cls(
            name=run,
            horizon=as_epochs(row["horizon"], table.epoch_unit).item(),
            from_zero=False,
            config=as_config({str(name): value for name, value in config.items() if not pd.isna(value)}, run),
            arch=arch,
            graph=table.graphs.get(arch) if arch is not None else None,
            schedule=table.schedules.get(run),
            schedule_unit=table.epoch_unit,
            values={} if again else _epochs(table.points, run, table),
            signals={} if again else _epochs(table.signals, run, table),
        )

    @property
    def last_epoch(self) -> Epoch:
        """Last epoch with a value; 0 before the first report."""
        return next(reversed(self.values), 0)

    @property
    def previous_epoch(self) -> Epoch:
        """The last epoch with a value but one; -1 where there is none."""
        return next(itertools.islice(reversed(self.values), 1, None), -1)

    @property
    def end(self) -> Epoch:
        """The last planned epoch: one less than the horizon where epochs count from 0, as in `for epoch in range(N)`.

        A fraction among the epochs (0, 0.5, …) says that epoch 0 is the state before the training. Where only every
        fifth epoch is reported (0, 5, …), the last of these is the end.
        """
        if not self.from_zero or self._fractions or next(iter(self.values), None) != 0:
            return self.horizon
        step = self._step if len(self.values) >= MIN_EVALUATIONS else 0
        return last_evaluation(self.horizon - 1, step).item()

    def restarts(self, epoch: Epoch, values: Mapping[str, float]) -> bool:
        """Whether a report of these values says that the run was started again from this epoch, see `record`."""
        known = self.values.get(epoch, {})
        other = any(name in known and not _same(known[name], value) for name, value in values.items())
        first = self.announced_again and epoch <= next(iter(self.values), epoch)
        return (other or first) and epoch < self.last_epoch

    def record(self, epoch: Epoch, values: Mapping[str, float], signals: Mapping[str, float]) -> bool:
        """Merge a report into what is known of its epoch; whether it says that the run was started again.

        A report for an epoch before the last one may come late, or twice. If the epoch was reported before with other
        values, or the run was announced anew after its end and begins with its first epoch, it was started again from
        there, and its later epochs belong to an attempt that was given up.
        """
        known = self.values.get(epoch, {})
        adds = epoch >= self.last_epoch and not known.keys() & values.keys()
        restarted = self.restarts(epoch, values)
        if restarted:
            for kept in (self.values, self.signals):
                for later in [at for at in kept if at > epoch]:
                    del kept[later]
        self.values = _with(self.values, epoch, values)
        self.signals = _with(self.signals, epoch, signals)
        if adds:
            self._follow(epoch, values)
        else:
            self._look_through()
        self.announced_again = False
        return restarted

    @property
    def undefined(self) -> list[Undefined]:
        """The metrics whose last values are NaN or infinite, in the order in which they became so."""
        return sorted(self._undefined.values(), key=lambda one: one[:2])

    def best(self, metric: Metric) -> tuple[Epoch, float] | None:
        """Epoch and value of the best finite value so far, the first of equal ones; None if there is none."""
        return max(self._finite(metric), key=lambda point: metric.sign * point[1], default=None)

    def first(self, metric: Metric) -> float:
        """The first finite value; NaN if there is none."""
        return next((value for _, value in self._finite(metric)), np.nan)

    def _finite(self, metric: Metric) -> Iterator[tuple[Epoch, float]]:
        for epoch, values in self.values.items():
            value = values.get(metric.key, np.nan)
            if isfinite(value):
                yield epoch, value

    def final_values(
        self, metrics: Sequence[Metric], final: FinalValue, unit: float, objective: Objective | None = None
    ) -> NDArray[np.float64]:
        """Final value of each metric, shape [K]; NaN for one that was never reported, all NaN if one is undefined.

        Args:
            metrics: the K metrics.
            final: which value counts.
            unit: of the epochs.
            objective: chooses the epoch where one is chosen for all metrics; None: the value that references are made
                of.
        """
        if self._undefined:
            return np.full(len(metrics), np.nan)
        final = final if objective is not None else final.measured_by
        return final.of_arrays(self._arrays(metrics, unit), unit, objective, [self.arch])[0]

    def is_over(self, metrics: Sequence[Metric]) -> bool:
        """Whether the run has reached its last epoch, and every metric has been reported there (or after it)."""
        end = self.end
        last = itertools.takewhile(lambda epoch: epoch >= end, reversed(self.values))
        reported = {name for epoch in last for name in self.values[epoch]}
        return bool(reported) and all(metric.key in reported for metric in metrics)

    def to_table(self, metrics: Sequence[Metric], unit: float) -> RunTable:
        """A table of this run alone, as a forecaster reads it; the run counts as running. See `live_table`."""
        return live_table([self], metrics, unit, status="running")

    def planned_rates(self, unit: float) -> Schedule | None:
        """The learning rates of the run's own epochs, in ticks of the unit; None where none are planned."""
        plan = self.schedule
        if plan is None:
            return None
        if self.end < self.horizon == plan.last:  # one rate per epoch, of which the first is that of epoch 0
            plan = replace(plan, epochs=plan.epochs - 1)
        return plan.finer(round(self.schedule_unit / unit))

    def to_json(self) -> dict[str, Any]:
        """The run as plain values. JSON has no integer keys, so epochs become pairs."""
        return {
            "name": self.name,
            "horizon": self.horizon,
            "from_zero": self.from_zero,
            "config": self.config,
            "arch": self.arch,
            "graph": None if self.graph is None else self.graph.to_json(),
            "schedule": None if self.schedule is None else self.schedule.to_json(),
            "schedule_unit": self.schedule_unit,
            "values": [[epoch, dict(values)] for epoch, values in self.values.items()],
            "signals": [[epoch, dict(values)] for epoch, values in self.signals.items()],
            "status": self.status,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        graph = plain["graph"]
        return cls(
            name=plain["name"],
            horizon=plain["horizon"],
            from_zero=plain.get("from_zero", True),  # states of version 0.1 have none
            config=dict(plain["config"]),
            arch=plain["arch"],
            graph=None if graph is None else graph_from_json(graph, where=plain["name"]),
            schedule=None if plain["schedule"] is None else Schedule.from_json(plain["schedule"]),
            schedule_unit=plain.get("schedule_unit", 1.0),
            values={epoch: dict(values) for epoch, values in plain["values"]},
            signals={epoch: dict(values) for epoch, values in plain["signals"]},
            status=plain["status"],
        )

    def _arrays(self, metrics: Sequence[Metric], unit: float) -> CurveArrays:
        """The finite points of this run: what `curve_arrays` makes of its table, without making the table."""
        curves = [
            [(epoch, values[m.key]) for epoch, values in self.values.items() if isfinite(values.get(m.key, np.nan))]
            for m in metrics
        ]
        lengths = np.array([[len(curve) for curve in curves]], dtype=np.int64)
        size = int(lengths.max(initial=0))
        epochs = np.zeros((1, len(metrics), size), dtype=np.int64)
        values = np.full((1, len(metrics), size), np.nan)
        for k, curve in enumerate(curves):
            if curve:
                at, measured = zip(*curve, strict=True)
                epochs[0, k, : len(curve)], values[0, k, : len(curve)] = as_ticks(at, unit), measured
        return CurveArrays(tuple(metrics), epochs, values, lengths, np.full(lengths.shape, -1))

    def _look_through(self) -> None:
        """Find out what `_follow` keeps up to date where values are only added at the end."""
        self._undefined, self._fractions, self._step = {}, False, 0
        self.apart, self.largest, self._followed = None, {}, None
        for epoch, values in self.values.items():
            self._follow(epoch, values)

    def _follow(self, epoch: Epoch, values: Mapping[str, float]) -> None:
        self._fractions |= isinstance(epoch, float)
        self._step = gcd(self._step, int(epoch))  # of no use where there are fractions
        if self._followed is not None and epoch > self._followed:
            gap = epoch - self._followed
            self.apart = gap if self.apart is None else min(self.apart, gap)
        self._followed = epoch
        for name, value in values.items():
            if isfinite(value):
                self.largest[name] = max(self.largest.get(name, value), value)
            before = self._undefined.pop(name, None)
            if not isfinite(value):
                self._undefined[name] = (
                    Undefined(epoch, name, value, 1) if before is None else before._replace(reports=before.reports + 1)
                )


def live_table(runs: Sequence[LiveRun], metrics: Sequence[Metric], unit: float, *, status: RunStatus) -> RunTable:
    """A table of live runs, as a forecaster reads it.

    Values that are not finite are left out: the monitor knows whether they mean a divergence.

    Args:
        runs: at least one.
        metrics: the K metrics.
        unit: of the epochs.
        status: what the runs count as.
    """
    keys = {metric.key for metric in metrics}
    names = pd.Index([run.name for run in runs], name="run", dtype=object)
    plans = {run.name: plan for run in runs if (plan := run.planned_rates(unit)) is not None}
    known = {
        "status": status,
        "horizon": [int(as_ticks(run.end, unit)) for run in runs],
        "arch": [run.arch for run in runs],
    }
    return RunTable.from_points(
        _points({run.name: run.values for run in runs}, unit, keys),
        metrics,
        runs=pd.DataFrame(known, index=names, dtype=object),
        configs=pd.DataFrame([run.config for run in runs], index=names),
        graphs={run.name if run.arch is None else run.arch: run.graph for run in runs if run.graph is not None},
        signals=_points({run.name: run.signals for run in runs}, unit),
        schedules=plans,
        epoch_unit=unit,
    )


def _with(epochs: Epochs, epoch: Epoch, reported: Mapping[str, float]) -> Epochs:
    """The epochs with a report merged in, in order."""
    if reported:
        last = next(reversed(epochs), epoch)
        epochs.setdefault(epoch, {}).update(reported)
        if epoch < last:
            return dict(sorted(epochs.items()))
    return epochs


def _same(one: float, other: float) -> bool:
    return one == other or (isnan(one) and isnan(other))


def _points(runs: Mapping[str, Epochs], unit: float, keys: set[str] | None = None) -> pd.DataFrame:
    """The finite values of the runs as points of a table, of these metrics or of all."""
    rows = [
        (run, epoch, name, value)
        for run, epochs in runs.items()
        for epoch, values in epochs.items()
        for name, value in values.items()
        if isfinite(value) and (keys is None or name in keys)
    ]
    run, epoch, metric, value = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pd.DataFrame(
        {
            "run": pd.Series(run, dtype=object),
            "epoch": as_ticks(np.array(epoch, dtype=float), unit),
            "metric": pd.Series(metric, dtype=object),
            "value": np.array(value, dtype=float),
        }
    )


def _epochs(points: pd.DataFrame, run: str, table: RunTable) -> Epochs:
    """What a table has of a run, by epoch."""
    codes = points["run"].cat.codes.to_numpy()  # ascending
    begin, end = np.searchsorted(codes, table.run_ids.index(run) + np.arange(2)).tolist()
    rows = points.iloc[begin:end]
    epochs: Epochs = {}
    at = as_epochs(rows["epoch"], table.epoch_unit).tolist()
    for epoch, key, value in zip(at, rows["metric"], rows["value"].tolist(), strict=True):
        whole = int(epoch) if epoch == int(epoch) else epoch
        epochs.setdefault(whole, {})[str(key)] = value
    return dict(sorted(epochs.items()))
