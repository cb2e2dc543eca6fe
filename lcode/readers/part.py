"""What a reader hands over: the runs and points of one source, before directions and graphs are settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.errors import InputError
from lcode.graphs.arch import ArchGraph
from lcode.table.metric import Direction
from lcode.table.schedule import Schedule
from lcode.table.table import empty_points


@dataclass(frozen=True)
class LogPart:
    """Runs of one file, or of one folder of run logs.

    Attributes:
        sources: run -> the file it comes from.
        runs: indexed by run; columns `status, horizon, arch, seed`, None where not given.
        points: columns `run, epoch, metric, value`, `run` and `metric` categorical, without duplicates.
        metrics: key of each curve -> its direction, None where the file does not say.
        configs: run -> hyper-parameter -> value as it stands in the file.
        signals: auxiliary curves in the form of `points`.
        schedules: run -> planned learning rate.
        graphs: architecture graphs that the logs carry.
        notes: remarks for the user.
    """

    sources: Mapping[str, Path]
    runs: pd.DataFrame
    points: pd.DataFrame
    metrics: Mapping[str, Direction | None]
    configs: Mapping[str, Mapping[str, Any]]
    signals: pd.DataFrame = field(default_factory=empty_points)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    graphs: Mapping[str, ArchGraph] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def join(parts: Sequence[LogPart]) -> LogPart:
    """The runs of several files.

    Raises:
        InputError: a run is in two files, which the message names.
    """
    if len(parts) == 1:
        return parts[0]
    sources: dict[str, Path] = {}
    for part in parts:
        for run, path in part.sources.items():
            if run in sources:
                raise InputError(
                    f"run '{run}' is also in {sources[run]}; a run belongs to one file, so rename one of the two",
                    path=path,
                )
            sources[run] = path
    return LogPart(
        sources=sources,
        runs=pd.concat([part.runs for part in parts]),
        points=_stack([part.points for part in parts]),
        metrics={key: direction for part in parts for key, direction in part.metrics.items()},
        configs={run: config for part in parts for run, config in part.configs.items()},
        signals=_stack([part.signals for part in parts]),
        schedules={run: plan for part in parts for run, plan in part.schedules.items()},
        graphs={name: graph for part in parts for name, graph in part.graphs.items()},
        notes=tuple(note for part in parts for note in part.notes),
    )


def distinct_points(
    run: NDArray[np.int64],
    epoch: NDArray[np.int64],
    metric: NDArray[np.int64],
    value: NDArray[np.float64],
    conflict: Callable[[int, int], InputError] | None,
) -> NDArray[np.int64]:
    """Indices of the points sorted by run, metric and epoch, each (run, metric, epoch) once.

    Args:
        run: code of the run, shape [N].
        epoch: epoch, shape [N].
        metric: code of the metric, shape [N].
        value: measured value, shape [N].
        conflict: makes the error for two points (earlier and later index) that disagree; None: the earlier counts.

    Raises:
        InputError: two values for one run, metric and epoch. Equal values (NaN equals NaN) are one point.
    """
    if not len(run):
        return np.zeros(0, dtype=np.int64)
    place = (run * (int(metric.max()) + 1) + metric) * (int(epoch.max()) + 1) + epoch
    order = np.argsort(place, kind="stable")
    repeated = place[order[1:]] == place[order[:-1]]
    before, after = order[:-1][repeated], order[1:][repeated]
    wrong = (value[before] != value[after]) & ~(np.isnan(value[before]) & np.isnan(value[after]))
    if conflict is not None and wrong.any():
        raise conflict(int(before[wrong][0]), int(after[wrong][0]))
    return order[np.concatenate(([True], ~repeated))]


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


def _stack(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    full = [frame for frame in frames if len(frame)]
    if not full:
        return empty_points()
    stacked = {name: pd.api.types.union_categoricals([frame[name] for frame in full]) for name in ("run", "metric")}
    plain = {name: np.concatenate([frame[name].to_numpy() for frame in full]) for name in ("epoch", "value")}
    return pd.DataFrame({**stacked, **plain})


def run_frame(
    names: Sequence[str],
    *,
    horizon: Sequence[float],
    status: Sequence[Any] | None = None,
    arch: Sequence[Any] | None = None,
    seed: Sequence[Any] | None = None,
) -> pd.DataFrame:
    """The `runs` of a part; None, or a NaN horizon, where a run does not say."""
    index = pd.Index(list(names), dtype=object, name="run")
    columns = {"status": status, "arch": arch, "seed": seed}
    frame = pd.DataFrame({"horizon": np.asarray(horizon, dtype=float)}, index=index)
    for name, values in columns.items():
        frame[name] = pd.Series([None] * len(index) if values is None else list(values), index=index, dtype=object)
    return frame
