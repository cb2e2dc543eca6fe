"""From the run logs of a folder to their runs and points."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.errors import InputError
from lcode.graphs.arch import ArchGraph
from lcode.json_text import as_float
from lcode.readers.damaged import without_damaged
from lcode.readers.part import LogPart, distinct_points, frame_of_points, place_of, run_frame
from lcode.readers.run_logs.log import Log, is_run_log, read_log
from lcode.readers.run_logs.resumed import one_log
from lcode.readers.runs.repeats import OnRepeat, find_conflicts, latest_attempts, repeats_text
from lcode.readers.understanding.rates import rates_of_runs
from lcode.table.metric import Direction
from lcode.table.schedule import Schedule
from lcode.table.table import empty_points


class RunLogReader:
    """Reads run logs: `.jsonl` files whose first line is a header."""

    suffix = ".jsonl"

    def sniff(self, path: Path) -> bool:
        """Whether the file is of this format."""
        return path.suffix.lower() == self.suffix and is_run_log(path)

    def read(self, paths: Sequence[Path], on_repeat: OnRepeat = "error") -> LogPart:
        """The runs of these logs; a damaged log is left out, with a note, if there are others.

        Raises:
            InputError: all logs are damaged, or two contradict each other; the message says where and how to mend it.
        """
        return without_damaged(paths, read_log, partial(_together, on_repeat=on_repeat))


def _together(logs: Sequence[Log], on_repeat: OnRepeat) -> LogPart:
    """The runs of several logs.

    Raises:
        InputError: a value that is no number, a value given twice, a graph that is none, or logs that contradict each
            other.
    """
    by_run: dict[str, list[Log]] = {}
    for log in logs:
        by_run.setdefault(log.header.run, []).append(log)
    logs = [mine[0] if len(mine) == 1 else one_log(mine) for mine in by_run.values()]
    if on_repeat == "last":
        logs = [_latest(log) for log in logs]
    names = list(by_run)
    points, merged = _points(logs, names, on_repeat)
    signals = _signals(logs, names)
    graphs, archs = _graphs(logs)
    notes = [note for log in logs for note in log.notes]
    if merged:
        notes.append(f"{merged} repeated values in the run logs were merged.")
    return LogPart(
        sources={log.header.run: log.path for log in logs},
        runs=run_frame(
            names,
            horizon=[log.header.horizon for log in logs],
            first=[min((entry["epoch"] for entry in log.epochs), default=np.nan) for log in logs],
            last=[max((entry["epoch"] for entry in log.epochs), default=np.nan) for log in logs],
            status=[log.status for log in logs],
            arch=archs,
            seed=[log.header.seed for log in logs],
        ),
        points=points,
        metrics=_metrics(logs),
        configs={log.header.run: log.header.config for log in logs},
        signals=signals,
        schedules={log.header.run: Schedule.of(log.header.schedule) for log in logs if log.header.schedule is not None},
        rates=_rates(signals, names),
        graphs=graphs,
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class _Flat:
    """Numbers of all logs in one row each; `entry` is the epoch line of each, and `places` where the lines stand."""

    run: NDArray[np.int64]
    epoch: NDArray[np.int64]
    entry: NDArray[np.int64]
    key: NDArray[np.int64]
    value: NDArray[np.float64]
    keys: list[str]
    places: list[tuple[Path, int]]


def _flatten(logs: Sequence[Log], cells: Callable[[dict[str, Any]], Mapping[str, Any]]) -> _Flat:
    """The numbers that `cells` finds in each epoch line; null means not measured."""
    found = [[cells(entry) for entry in log.epochs] for log in logs]
    sizes = [len(epoch) for log in found for epoch in log]
    names = [name for log in found for epoch in log for name in epoch]
    values = [value for log in found for epoch in log for value in epoch.values()]
    run = np.repeat(np.repeat(np.arange(len(logs)), [len(log.epochs) for log in logs]), sizes)
    epoch = np.repeat(np.array([entry["epoch"] for log in logs for entry in log.epochs], dtype=np.int64), sizes)
    entry = np.repeat(np.arange(len(sizes)), sizes)
    places = [place for log in logs for place in log.places]
    index = {name: i for i, name in enumerate(dict.fromkeys(names))}
    key = np.array([index[name] for name in names], dtype=np.int64)
    for i, value in _no_numbers(values):
        raise InputError(
            f"{json.dumps(value)} is not a number; write null where nothing was measured, NaN where the run diverged",
            path=places[entry[i]][0],
            line=places[entry[i]][1],
            column=names[i],
        )
    try:
        number = np.array(values, dtype=float)
    except OverflowError:
        number = np.array([value if value is None else as_float(value) for value in values], dtype=float)
    kept = np.ones(len(values), dtype=bool)
    if None in set(values):
        kept = np.array([value is not None for value in values])
    return _Flat(run[kept], epoch[kept], entry[kept], key[kept], number[kept], list(index), places)


def _no_numbers(values: Sequence[Any]) -> Iterable[tuple[int, Any]]:
    if {type(value) for value in values} <= {int, float, type(None)}:
        return ()
    return ((i, value) for i, value in enumerate(values) if type(value) not in (int, float, type(None)))


def _latest(log: Log) -> Log:
    """The log without the epochs that a resume trained again, or has not come to yet."""
    epoch = np.array([entry["epoch"] for entry in log.epochs], dtype=np.int64)
    kept = latest_attempts(np.zeros(len(epoch), dtype=np.int64), epoch)
    if kept.all():
        return log
    note = f"{log.path.name}: left out {(~kept).sum()} epochs from before a resume that went back."
    epochs = [entry for entry, stays in zip(log.epochs, kept, strict=True) if stays]
    places = [place for place, stays in zip(log.places, kept, strict=True) if stays]
    return replace(log, epochs=epochs, places=places, notes=(*log.notes, note))


def _points(logs: Sequence[Log], names: Sequence[str], on_repeat: OnRepeat) -> tuple[pd.DataFrame, int]:
    """The measured values, each once, and how many were repeated."""
    flat = _flatten(logs, lambda entry: entry["values"])
    place = place_of(flat.run, flat.key, flat.epoch)
    conflicts = find_conflicts(place, flat.value, None)
    if len(conflicts) and on_repeat == "error":
        first, second = int(conflicts.first[0]), int(conflicts.second[0])
        (path, line), (before, number) = flat.places[flat.entry[second]], flat.places[flat.entry[first]]
        problem = (
            f"epoch {flat.epoch[second]} has {flat.value[second]:.12g} here, but {flat.value[first]:.12g} on line "
            f"{number}{f' of {before}' if before != path else ''}"
        )
        later = conflicts.second
        runs, epochs = [names[code] for code in flat.run[later]], [str(epoch) for epoch in flat.epoch[later]]
        raise InputError(
            repeats_text(problem, runs, epochs, [flat.places[at][1] for at in flat.entry[later]]),
            path=path,
            line=line,
            column=flat.keys[flat.key[second]],
        )
    kept = distinct_points(place)
    return _frame(flat, kept, names), len(flat.run) - len(kept)


def _signals(logs: Sequence[Log], names: Sequence[str]) -> pd.DataFrame:
    def cells(entry: dict[str, Any]) -> Mapping[str, Any]:
        found = dict(entry.get("signals") or {})
        found.update({f"main/{name}": entry[name] for name in ("lr", "seconds") if name in entry})
        return found

    flat = _flatten(logs, cells)
    return _frame(flat, distinct_points(place_of(flat.run, flat.key, flat.epoch)), names)


def _rates(signals: pd.DataFrame, names: Sequence[str]) -> dict[str, Schedule]:
    """The learning rate of each run as its epochs tell it."""
    rows = signals[signals["metric"] == "main/lr"]
    if not len(rows):
        return {}
    code = rows["run"].cat.codes.to_numpy().astype(np.int64)  # ascending, and the epochs within a run
    found = rates_of_runs(code, rows["epoch"].to_numpy(np.int64), rows["value"].to_numpy(float))
    return {names[run]: rate for run, rate in found.items()}


def _frame(flat: _Flat, kept: NDArray[np.int64], names: Sequence[str]) -> pd.DataFrame:
    if not len(kept):
        return empty_points()
    return frame_of_points(flat.run[kept], names, flat.epoch[kept], flat.key[kept], flat.keys, flat.value[kept])


def _metrics(logs: Sequence[Log]) -> dict[str, Direction | None]:
    stated: dict[str, tuple[Direction, Path]] = {}
    for log in logs:
        for metric in log.header.metrics:
            direction, path = stated.setdefault(metric.key, (metric.direction, log.path))
            if direction != metric.direction:
                raise InputError(
                    f"says that {metric.key} is to be {metric.direction}imised, but {path} says {direction}; "
                    "correct one of the headers",
                    path=log.path,
                    line=1,
                    column="metrics",
                )
    return {key: direction for key, (direction, _) in stated.items()}


def _graphs(logs: Sequence[Log]) -> tuple[dict[str, ArchGraph], list[str | None]]:
    """Graphs by key, and the key of each log's graph: its architecture's name, or the run's where names clash."""
    texts: dict[str, str] = {}
    graphs: dict[str, ArchGraph] = {}
    keys: list[str | None] = []
    for log in logs:
        key = log.header.arch
        if log.graph is not None:
            from lcode.graphs.file import graph_from_json

            text = json.dumps(log.graph, sort_keys=True)
            key = log.header.arch or log.header.run
            if texts.setdefault(key, text) != text:
                key = log.header.run
                texts[key] = text
            if key not in graphs:
                graphs[key] = graph_from_json(log.graph, where=key, path=log.path)
        keys.append(key)
    return graphs, keys
