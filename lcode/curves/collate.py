"""From a table to tensors: everything that is fitted on the training runs, and only on them, lives here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.axis import spread_out, table_gap, ticks
from lcode.curves.batch import PLAN_POINTS, GraphTensors, RunTensors, task_indices
from lcode.curves.config import ConfigEncoder
from lcode.curves.own_scale import OwnScales
from lcode.curves.scaling import ValueScaler
from lcode.graphs.encode import graph_arrays
from lcode.graphs.ops import Vocabulary
from lcode.graphs.statistics import statistics_frame
from lcode.table import MAIN_TASK, Metric, RunTable, Schedule, split_key

COSINE = "cosine"
"""Signal of a pair of tasks, `left|right/cosine`: an edge feature; every other signal belongs to one task."""

WEIGHT_PREFIX = "weight."
"""A configuration column `weight.<task>` is that task's loss weight."""


@dataclass(frozen=True)
class SignalScale:
    """How an auxiliary signal is scaled: log if it is positive, then standardised and clipped to ±4."""

    name: str
    log: bool
    centre: float
    deviation: float

    @classmethod
    def fit(cls, name: str, values: NDArray[np.float64]) -> Self:
        """Read the scale off finite training values."""
        log = bool(values.min() > 0)
        inner = np.log(values) if log else values
        return cls(
            name,
            log,
            float(np.median(inner)),
            float(max(np.std(np.clip(inner, *np.quantile(inner, [0.01, 0.99]))), 1e-6)),
        )

    def scale(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Natural units to about unit size; a value that has no place becomes 0."""
        inner = np.log(np.where(values > 0, values, np.nan)) if self.log else values
        return np.nan_to_num(np.clip((inner - self.centre) / self.deviation, -4, 4))


@dataclass(frozen=True)
class Preprocessor:
    """How tables become tensors: fitted once on the training runs, stored in the checkpoint.

    Attributes:
        metrics: the metrics, in the order of the model's axis K.
        values, config, signals: scales of the curves, the configuration and the auxiliary signals.
        ops: operation vocabulary; None when no training run had a graph.
        tasks: tasks whose heads have a role of their own in the graphs.
        gap: epochs between two evaluations of a training run.
        own_scales: puts curves on scales of their own, where nothing is known of the metrics; None: their scales are
            those of `values`.
    """

    metrics: tuple[Metric, ...]
    values: ValueScaler
    config: ConfigEncoder
    signals: tuple[SignalScale, ...]
    ops: Vocabulary | None
    tasks: tuple[str, ...]
    gap: float = 1.0
    own_scales: OwnScales | None = None

    @classmethod
    def fit(cls, table: RunTable) -> Self:
        """Fit on the training runs: all that is in the table counts as training data."""
        graphs = used_graphs(table)
        names = _signal_names(table.signals)
        values = table.signals["value"].to_numpy(float)
        scales = []
        for name in sorted(set(names[names != ""])):
            chosen = values[(names == name) & np.isfinite(values)]
            if len(chosen) and name not in (COSINE, "seconds"):
                scales.append(SignalScale.fit(name, chosen))
        return cls(
            metrics=table.metrics,
            values=ValueScaler.fit(curve_arrays(table)),
            config=ConfigEncoder.fit(_settings(table)),
            signals=tuple(scales),
            ops=Vocabulary.from_graphs(graphs.values()) if graphs else None,
            tasks=tuple(dict.fromkeys(metric.task for metric in table.metrics)),
            gap=table_gap(curve_arrays(table)),
        )

    @classmethod
    def generic(cls, table: RunTable) -> Self:
        """For a table without a finished run: each curve on a scale of its own, nothing known by name but its kind."""
        tasks = tuple(dict.fromkeys(metric.task for metric in table.metrics))
        arrays = curve_arrays(table)
        values = ValueScaler.relative(arrays)
        own = _own_scales(arrays, values)
        return cls(table.metrics, values, ConfigEncoder(()), (), None, tasks, table_gap(arrays), own)

    @property
    def task_of(self) -> list[int]:
        """Role number of each metric's task, [K]."""
        return task_indices([metric.task for metric in self.metrics], self.tasks)

    def tensors(self, table: RunTable) -> tuple[RunTensors, GraphTensors | None]:
        """All runs of the table as tensors; a metric that the table lacks is missing everywhere."""
        epochs, values = _union_axis(table, self.metrics)
        present = np.isfinite(values)
        scaled = np.where(present, self.values.scale(values), 0.0)
        names = sorted(used_graphs(table))
        graph_of = {name: i for i, name in enumerate(names)}
        index = [graph_of.get(arch, -1) if isinstance(arch, str) else -1 for arch in table.runs["arch"]]
        horizons = table.runs["horizon"].to_numpy(float)
        runs = RunTensors(
            epochs=_float(epochs),
            values=_float(scaled),
            present=torch.from_numpy(present),
            signals=_float(self._signals(table, epochs)),
            cosines=_float(_running_cosines(table, epochs, [metric.task for metric in self.metrics])),
            config=_float(self.config.encode(_settings(table) if self.config.columns else table.configs)),
            weights=_float(_loss_weights(table, [metric.task for metric in self.metrics])),
            plan=_float(_plans(table.schedules, table.run_ids, horizons)),
            graph_index=torch.tensor(index, dtype=torch.long),
            horizons=_float(np.maximum(horizons, 1)),
            ticks=_float(ticks(self.gap, horizons)),
        )
        graphs = None
        if self.ops is not None and names:
            graphs = _graph_tensors([table.graphs[name] for name in names], self.ops, self.tasks)
        return runs, graphs

    def _signals(self, table: RunTable, epochs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Signals of each metric's task at the run's epochs, scaled, [R, K, U, A]."""
        out = np.zeros((len(table), len(self.metrics), epochs.shape[1], len(self.signals)))
        tasks = _signal_tasks(table.signals)
        names = _signal_names(table.signals)
        frame = table.signals
        for a, scale in enumerate(self.signals):
            chosen = names == scale.name
            for k, metric in enumerate(self.metrics):
                rows = chosen & ((tasks == metric.task) | (tasks == MAIN_TASK))
                placed = _place(frame[rows], epochs)
                out[:, k, :, a] = scale.scale(placed)
        return out

    def to_json(self) -> dict[str, Any]:
        """As plain values, for the checkpoint."""
        return {
            "metrics": [[m.task, m.name, m.direction] for m in self.metrics],
            "values": self.values.to_json(),
            "config": self.config.to_json(),
            "signals": [[s.name, s.log, s.centre, s.deviation] for s in self.signals],
            "ops": None if self.ops is None else list(self.ops.ops),
            "tasks": list(self.tasks),
            "gap": self.gap,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            metrics=tuple(Metric(task, name, direction) for task, name, direction in data["metrics"]),
            values=ValueScaler.from_json(data["values"]),
            config=ConfigEncoder.from_json(data["config"]),
            signals=tuple(SignalScale(*signal) for signal in data["signals"]),
            ops=None if data["ops"] is None else Vocabulary(tuple(data["ops"])),
            tasks=tuple(data["tasks"]),
            gap=float(data["gap"]),
        )


FEW = 5
"""With fewer runs it is not known how much the runs of a table differ."""


def _own_scales(arrays: CurveArrays, scaler: ValueScaler) -> OwnScales:
    """What is known of the metrics without a finished run."""
    spaces = np.array([scale.space for scale in scaler.scales])
    zeros = np.array([-scale.centre / scale.deviation for scale in scaler.scales])
    apart = np.full(len(arrays.metrics), np.nan)
    if arrays.values.shape[-1]:
        first = scaler.scale(arrays.values[..., 0])
        for k, values in enumerate(first.T):
            known = values[np.isfinite(values)]
            if len(known) >= FEW:
                apart[k] = np.abs(known - np.median(known)).mean()
    shares, signed = (torch.from_numpy(spaces == space) for space in ("logit", "linear"))
    return OwnScales(shares, signed, _float(zeros), _float(apart))


def used_graphs(table: RunTable) -> dict[str, Any]:
    """The graphs that some run of the table refers to."""
    used = {arch for arch in table.runs["arch"] if isinstance(arch, str)}
    return {name: graph for name, graph in table.graphs.items() if name in used}


def _settings(table: RunTable) -> pd.DataFrame:
    """Configuration columns, joined by a few numbers of the architecture graph where there is one."""
    graphs = used_graphs(table)
    if not graphs:
        return table.configs
    numbers = statistics_frame(graphs).add_prefix("graph.").reindex(table.runs["arch"])
    return table.configs.join(numbers.set_axis(table.runs.index))


def _union_axis(table: RunTable, metrics: Sequence[Metric]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each run's own epochs [R, U] and the values at them [R, K, U], NaN where there is none or after divergence."""
    arrays = curve_arrays(table, metrics=tuple(metrics))
    row, task, slot = np.nonzero(arrays.present)
    curves, horizons = row * len(metrics) + task, np.repeat(table.runs["horizon"].to_numpy(float), len(metrics))
    kept = spread_out(curves, arrays.epochs[row, task, slot], horizons)
    row, task, slot = row[kept], task[kept], slot[kept]
    epoch, value = arrays.epochs[row, task, slot], arrays.values[row, task, slot]
    pairs = np.unique(np.stack([row, epoch], 1), axis=0) if len(row) else np.empty((0, 2), np.int64)
    count = np.bincount(pairs[:, 0], minlength=len(table))
    start = np.cumsum(count) - count
    width = max(int(count.max(initial=0)), 1)
    epochs = np.zeros((len(table), width))
    position = np.arange(len(pairs)) - start[pairs[:, 0]]
    epochs[pairs[:, 0], position] = pairs[:, 1]
    last = np.take_along_axis(epochs, np.maximum(count - 1, 0)[:, None], 1)
    epochs = np.where(np.arange(width) < count[:, None], epochs, last)
    values = np.full((len(table), len(metrics), width), np.nan)
    span = int(epoch.max(initial=0)) + 1
    where = np.searchsorted(pairs[:, 0] * span + pairs[:, 1], row * span + epoch) - start[row]
    values[row, task, where] = value
    return epochs, values


def _signal_tasks(signals: pd.DataFrame) -> NDArray[np.str_]:
    return _of_keys(signals, lambda key: split_key(key)[0])


def _signal_names(signals: pd.DataFrame) -> NDArray[np.str_]:
    return _of_keys(signals, lambda key: split_key(key)[1])


def _of_keys(signals: pd.DataFrame, part: Callable[[str], str]) -> NDArray[np.str_]:
    """A part of each point's key, worked out once per distinct key."""
    keys = signals["metric"].cat
    return np.array([part(str(key)) for key in keys.categories] or [""])[keys.codes.to_numpy()]


def _place(points: pd.DataFrame, epochs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put points on the runs' epochs: [R, U], NaN where there is none; a point at another epoch is left out."""
    out = np.full(epochs.shape, np.nan)
    if not len(points):
        return out
    row = points["run"].cat.codes.to_numpy()
    epoch = points["epoch"].to_numpy(float)
    # The padding repeats the last epoch; side="left" finds the real cell.
    span = max(epochs.max(), epoch.max()) + 1
    keys = (np.arange(len(epochs))[:, None] * span + epochs).reshape(-1)
    found = np.minimum(np.searchsorted(keys, row * span + epoch), len(keys) - 1)
    hit = keys[found] == row * span + epoch
    out.reshape(-1)[found[hit]] = points["value"].to_numpy(float)[hit]
    return out


def _running_cosines(table: RunTable, epochs: NDArray[np.float64], tasks: list[str]) -> NDArray[np.float64]:
    """Mean so far of the gradient cosine of each pair of metrics' tasks, [R, K, K, U]."""
    out = np.zeros((len(table), len(tasks), len(tasks), epochs.shape[1]))
    frame = table.signals[_signal_names(table.signals) == COSINE]
    pairs = _signal_tasks(frame)
    for pair in sorted(set(pairs)):
        first, _, second = pair.partition("|")
        placed = _place(frame[pairs == pair], epochs)
        known = np.isfinite(placed)
        mean = np.nan_to_num(placed).cumsum(1) / np.maximum(known.cumsum(1), 1)
        for a, one in enumerate(tasks):
            for b, other in enumerate(tasks):
                if {one, other} == {first, second} and one != other:
                    out[:, a, b] = mean
    return out


def _loss_weights(table: RunTable, tasks: list[str]) -> NDArray[np.float64]:
    """Log of each metric's task's loss weight relative to the run's mean, [R, K]; 0 where not given."""
    columns = [
        pd.to_numeric(table.configs[WEIGHT_PREFIX + task], errors="coerce").to_numpy(float)
        if WEIGHT_PREFIX + task in table.configs
        else np.full(len(table), np.nan)
        for task in tasks
    ]
    weights = np.stack(columns, 1)
    logs = np.log(np.where(weights > 0, weights, np.nan))
    known = np.isfinite(logs)
    centre = np.nan_to_num(logs).sum(1, keepdims=True) / np.maximum(known.sum(1, keepdims=True), 1)
    return np.clip(np.nan_to_num(logs - centre), -5, 5)


def _plans(
    schedules: Mapping[str, Schedule], runs: Sequence[str], horizons: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Planned learning rates up to the horizon, on a common grid of its shares, [R, 65, 3]."""
    out = np.zeros((len(runs), PLAN_POINTS, 3))
    for row, run in enumerate(runs):
        plan = schedules.get(run)
        if plan is None or not plan.usable or plan.last < horizons[row]:
            continue  # of a rate that is known only up to now, nothing can be told of what is to come
        epoch = np.linspace(0, 1, PLAN_POINTS) * horizons[row]
        rate = plan.at(epoch) / plan.rates.max()
        out[row] = np.stack([np.log(np.maximum(rate, 1e-4)) / 5, plan.done(epoch), np.ones(PLAN_POINTS)], 1)
    return out


def _graph_tensors(graphs: Sequence[Any], ops: Vocabulary, tasks: Sequence[str]) -> GraphTensors:
    arrays = graph_arrays(graphs, ops, tasks)
    op, x, role, edge_index, batch = (torch.from_numpy(arrays[k]) for k in ("op", "x", "role", "edge_index", "batch"))
    return GraphTensors(op, x, role, edge_index, batch, len(graphs))


def _float(values: NDArray[np.float64]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
