"""What a monitor knows of one live run: plain values, kept in epoch order, however they were reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.decisions import FinalValue
from lcode.graphs import ArchGraph, graph_from_json
from lcode.table import Metric, RunStatus, RunTable, Schedule

Epochs = dict[int, dict[str, float]]
"""epoch -> name -> value."""


@dataclass
class LiveRun:
    """One run that reports to a monitor.

    Attributes:
        name: the run's name.
        horizon: planned last epoch.
        config: hyper-parameters.
        arch: key of its architecture, if it has one.
        graph: its architecture, if known.
        schedule: planned learning rate, if known.
        values: the reported metrics by epoch; later reports of a metric overwrite earlier ones.
        signals: the reported auxiliary values by epoch.
        status: `running`, or how it ended.
    """

    name: str
    horizon: int
    config: dict[str, Any] = field(default_factory=dict)
    arch: str | None = None
    graph: ArchGraph | None = None
    schedule: Schedule | None = None
    values: Epochs = field(default_factory=dict)
    signals: Epochs = field(default_factory=dict)
    status: RunStatus = "running"

    @classmethod
    def from_history(cls, table: RunTable, run: str) -> Self:
        """The run as a table knows it; the curves of a finished one are left behind, for it is trained anew."""
        one = table.select([run])
        row = one.runs.loc[run]
        arch = row["arch"] if isinstance(row["arch"], str) else None
        live = cls(
            name=run,
            horizon=int(one.runs["horizon"].iloc[0]),
            config=plain_config({str(name): v for name, v in one.configs.loc[run].items() if not pd.isna(v)}),
            arch=arch,
            graph=one.graphs.get(arch) if arch is not None else None,
            schedule=one.schedules.get(run),
        )
        if row["status"] != "finished":
            live.values, live.signals = _epochs(one.points), _epochs(one.signals)
        return live

    @property
    def last_epoch(self) -> int:
        """Last epoch with a value; 0 before the first report."""
        return max(self.values, default=0)

    def record(self, epoch: int, values: Mapping[str, float], signals: Mapping[str, float]) -> None:
        """Merge a report into what is known of its epoch."""
        for kept, reported in ((self.values, values), (self.signals, signals)):
            if reported:
                kept.setdefault(epoch, {}).update({name: float(value) for name, value in reported.items()})

    def divergence(self) -> tuple[int, str, float] | None:
        """First epoch with a NaN or infinite value, the metric and the value; None while all are finite."""
        bad = (
            (epoch, key, value)
            for epoch, values in self.values.items()
            for key, value in values.items()
            if not isfinite(value)
        )
        return min(bad, key=lambda found: found[:2], default=None)

    def final_values(self, metrics: Sequence[Metric], final: FinalValue) -> NDArray[np.float64]:
        """Final value of each metric, shape [K]; NaN for one that was never reported, and all NaN if one diverged."""
        if self.divergence() is not None:
            return np.full(len(metrics), np.nan)
        return final.of_table(self.to_table(metrics))[0]

    def is_complete(self, metrics: Sequence[Metric]) -> bool:
        """Whether every metric has been reported at the horizon (or after it)."""
        at_horizon = {key for epoch, values in self.values.items() if epoch >= self.horizon for key in values}
        return all(metric.key in at_horizon for metric in metrics)

    def to_table(self, metrics: Sequence[Metric]) -> RunTable:
        """A table of this run alone, as a forecaster reads it; the run counts as running."""
        arch = self.arch if self.arch is not None else self.name
        return RunTable.from_points(
            _points(self.name, self.values),
            metrics,
            runs=pd.DataFrame(
                {"status": ["running"], "horizon": [self.horizon], "arch": [self.arch]}, index=[self.name], dtype=object
            ),
            configs=pd.DataFrame([self.config], index=[self.name]),
            graphs={} if self.graph is None else {arch: self.graph},
            signals=_points(self.name, self.signals),
            schedules={} if self.schedule is None else {self.name: self.schedule},
        )

    def to_json(self) -> dict[str, Any]:
        """The run as plain values. JSON has no integer keys, so epochs become pairs."""
        return {
            "name": self.name,
            "horizon": self.horizon,
            "config": self.config,
            "arch": self.arch,
            "graph": None if self.graph is None else self.graph.to_json(),
            "schedule": None if self.schedule is None else self.schedule.to_json(),
            "values": [[epoch, dict(values)] for epoch, values in sorted(self.values.items())],
            "signals": [[epoch, dict(values)] for epoch, values in sorted(self.signals.items())],
            "status": self.status,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        graph = plain["graph"]
        return cls(
            name=plain["name"],
            horizon=plain["horizon"],
            config=dict(plain["config"]),
            arch=plain["arch"],
            graph=None if graph is None else graph_from_json(graph, where=plain["name"]),
            schedule=None if plain["schedule"] is None else Schedule.from_json(plain["schedule"]),
            values={epoch: dict(values) for epoch, values in plain["values"]},
            signals={epoch: dict(values) for epoch, values in plain["signals"]},
            status=plain["status"],
        )


def _points(run: str, epochs: Epochs) -> pd.DataFrame:
    rows = [(run, epoch, key, value) for epoch, values in epochs.items() for key, value in values.items()]
    frame = pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"])
    return frame.astype({"run": object, "epoch": np.int64, "metric": object, "value": float})


def _epochs(points: pd.DataFrame) -> Epochs:
    epochs: Epochs = {}
    for epoch, key, value in zip(points["epoch"].tolist(), points["metric"], points["value"].tolist(), strict=True):
        epochs.setdefault(epoch, {})[str(key)] = value
    return epochs


def plain_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Hyper-parameters with numpy's numbers as Python's, which JSON can write."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in config.items()}
