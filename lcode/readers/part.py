"""What a reader hands over: the runs and points of one source, before directions and graphs are settled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lcode.graphs.arch import ArchGraph
from lcode.table.axis import finer_unit
from lcode.table.metric import Direction
from lcode.table.schedule import Schedule
from lcode.table.table import empty_points

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class LogPart:
    """Runs of one file, or of one folder of run logs.

    Attributes:
        sources: run -> the file it comes from.
        runs: indexed by run; columns `status, horizon, arch, seed`, None where not given, and `first, last`: the first
            and the last epoch of which the log says anything, NaN where there is none. A column `ends_there` may say
            of which runs the horizon is the last epoch wherever they begin: it is one more for those that begin at 0.
        points: columns `run, epoch, metric, value`, `run` and `metric` categorical, without duplicates.
        metrics: key of each curve -> its direction, None where the file does not say.
        configs: run -> hyper-parameter -> value as it stands in the file.
        signals: auxiliary curves in the form of `points`.
        schedules: run -> learning rate as it was planned beforehand.
        rates: run -> learning rate as the rows say it, of epochs that were trained or that are to come.
        graphs: architecture graphs that the logs carry.
        notes: remarks for the user.
        epoch_unit: what one tick of `epoch` and `horizon` stands for, in epochs; see `RunTable`.
        by_tools: keys of the curves that a tool logs by itself: the user may not know them.
    """

    sources: Mapping[str, Path]
    runs: pd.DataFrame
    points: pd.DataFrame
    metrics: Mapping[str, Direction | None]
    configs: Mapping[str, Mapping[str, Any]]
    signals: pd.DataFrame = field(default_factory=empty_points)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    rates: Mapping[str, Schedule] = field(default_factory=dict)
    graphs: Mapping[str, ArchGraph] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    epoch_unit: float = 1.0
    by_tools: frozenset[str] = frozenset()


def join(parts: Sequence[LogPart]) -> LogPart:
    """The runs of several parts, none of which has a run of another."""
    if len(parts) == 1:
        return parts[0]
    unit = reduce(finer_unit, (part.epoch_unit for part in parts))
    parts = [in_unit(part, unit) for part in parts]
    return LogPart(
        sources={run: path for part in parts for run, path in part.sources.items()},
        runs=pd.concat([part.runs for part in parts]),
        points=stacked([part.points for part in parts]),
        metrics={key: direction for part in parts for key, direction in part.metrics.items()},
        configs={run: config for part in parts for run, config in part.configs.items()},
        signals=stacked([part.signals for part in parts]),
        schedules={run: plan for part in parts for run, plan in part.schedules.items()},
        rates={run: plan for part in parts for run, plan in part.rates.items()},
        graphs={name: graph for part in parts for name, graph in part.graphs.items()},
        notes=tuple(note for part in parts for note in part.notes),
        epoch_unit=unit,
        by_tools=frozenset().union(*(part.by_tools for part in parts)),
    )


def with_distinct_names(parts: Mapping[str, LogPart]) -> list[LogPart]:
    """The parts by what wrote them; a run that has the name of another part's is called after its writer as well."""
    owners = Counter(run for part in parts.values() for run in part.sources)
    return [
        _renamed(part, {run: f"{run} ({source})" for run in part.sources if owners[run] > 1})
        for source, part in parts.items()
    ]


def _renamed(part: LogPart, names: Mapping[str, str]) -> LogPart:
    return _of_runs(part, {run: names.get(run, run) for run in part.sources}) if names else part


def without_runs(part: LogPart, runs: Collection[str]) -> LogPart:
    """The other runs, and the curves that they have."""
    if not runs:
        return part
    rest = _of_runs(part, {run: run for run in part.sources if run not in runs})
    gone = set(part.points["metric"].unique()) - set(rest.points["metric"].unique())
    metrics = {key: direction for key, direction in part.metrics.items() if key not in gone}
    points = rest.points.assign(metric=rest.points["metric"].cat.remove_categories(list(gone)))
    return replace(rest, points=points, metrics=metrics, by_tools=part.by_tools & set(metrics))


def _of_runs(part: LogPart, names: Mapping[str, str]) -> LogPart:
    """These runs alone: name so far -> name from now on."""

    def named(values: Mapping[str, _Value]) -> dict[str, _Value]:
        return {names[run]: value for run, value in values.items() if run in names}

    def rows(frame: pd.DataFrame) -> pd.DataFrame:
        if not len(frame):
            return frame
        kept = frame[frame["run"].isin(list(names))]
        run = kept["run"].cat.remove_unused_categories()
        now = pd.Index([names[old] for old in run.cat.categories], dtype=object)
        return kept.assign(run=pd.Categorical.from_codes(run.cat.codes, categories=now))

    return replace(
        part,
        sources=named(part.sources),
        runs=part.runs[part.runs.index.isin(list(names))].rename(index=dict(names)),
        points=rows(part.points),
        configs=named(part.configs),
        signals=rows(part.signals),
        schedules=named(part.schedules),
        rates=named(part.rates),
    )


def in_unit(part: LogPart, unit: float) -> LogPart:
    """The same runs with epochs counted in a finer unit, of which the part's own is a whole multiple."""
    factor = round(part.epoch_unit / unit)
    if factor == 1:
        return part
    return replace(
        part,
        runs=part.runs.assign(**{name: part.runs[name] * factor for name in ("horizon", "first", "last")}),
        points=part.points.assign(epoch=part.points["epoch"] * factor),
        signals=part.signals.assign(epoch=part.signals["epoch"] * factor),
        schedules={run: plan.finer(factor) for run, plan in part.schedules.items()},
        rates={run: plan.finer(factor) for run, plan in part.rates.items()},
        epoch_unit=unit,
    )


def place_of(run: NDArray[np.int64], metric: NDArray[np.int64], epoch: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number per point for its run, metric and epoch, ascending in this order; from codes ≥ 0 of shape [N]."""
    return (run * (int(metric.max(initial=0)) + 1) + metric) * (int(epoch.max(initial=0)) + 1) + epoch


def distinct_points(place: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices of the points by ascending place, each place once: of several points the last one."""
    order = np.argsort(place, kind="stable")
    return order[np.diff(place[order], append=-1) != 0]


def frame_of_points(
    run: NDArray[np.int64],
    run_names: Sequence[str],
    epoch: NDArray[np.int64],
    metric: NDArray[np.int64],
    keys: Sequence[str],
    value: NDArray[np.float64],
) -> pd.DataFrame:
    """A frame of points from codes; `run_names` and `keys` say what the codes stand for."""
    return pd.DataFrame(
        {
            "run": pd.Categorical.from_codes(run, categories=pd.Index(list(run_names), dtype=object)),
            "epoch": epoch,
            "metric": pd.Categorical.from_codes(metric, categories=pd.Index(list(keys), dtype=object)),
            "value": value,
        }
    )


def stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Frames of points one below the other; those without a row add nothing."""
    full = [frame for frame in frames if len(frame)]
    if not full:
        return empty_points()
    names = {name: _union([frame[name] for frame in full]) for name in ("run", "metric")}
    numbers = {name: np.concatenate([frame[name].to_numpy() for frame in full]) for name in ("epoch", "value")}
    return pd.DataFrame({**names, **numbers})


def _union(columns: list[pd.Series]) -> pd.Categorical:
    """One categorical column below the other; pandas alone would turn categories of type object into `str`."""
    union = pd.api.types.union_categoricals(columns)
    return pd.Categorical.from_codes(union.codes, categories=union.categories.astype(object))


def run_frame(
    names: Sequence[str],
    *,
    horizon: ArrayLike,
    first: ArrayLike,
    last: ArrayLike,
    status: Sequence[Any] | None = None,
    arch: Sequence[Any] | None = None,
    seed: Sequence[Any] | None = None,
) -> pd.DataFrame:
    """The `runs` of a part; None, or NaN for horizon, first and last epoch, where a run does not say."""
    index = pd.Index(list(names), dtype=object, name="run")
    columns = {"status": status, "arch": arch, "seed": seed}
    numbers = {"horizon": horizon, "first": first, "last": last}
    frame = pd.DataFrame({name: np.asarray(values, dtype=float) for name, values in numbers.items()}, index=index)
    for name, values in columns.items():
        frame[name] = pd.Series([None] * len(index) if values is None else list(values), index=index, dtype=object)
    return frame
