"""The runs that text files hold: those named, those printed one after another, and parts of one in several files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lcode.readers.logged.base import Logged
from lcode.readers.printed.runs.appended_runs import by_writer, measured_again, other_starts
from lcode.readers.raw import as_text
from lcode.readers.understanding.column_words import EPOCHS, STEPS, is_counter
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS
from lcode.table.other_languages import name_in_english
from lcode.table.reading import listed

FEWEST_COUNTS = 3
"""Values of the counter that a training must have had before one is taken to begin anew."""

FEWEST_FOR_SECOND = 6
"""Values of the counter after which a training that goes back to the second one begins anew: nothing was gained by
keeping what came of one epoch."""

_ROUND = 5
"""Trainings are planned for multiples of so many epochs: of 299 behind a count from 0, 300 were."""

_NEARLY_ALL = 0.9
"""Part of the new epochs at which a counter of steps goes on, where it counts them through all epochs."""


_ENDINGS = frozenset(("log", "logs", "txt", "out", "dat", "csv", "tsv", "json", "jsonl"))

_KINDS = _ENDINGS | SPLITS.keys() | {"metrics", "metric", "timing", "console", "output", "stdout", "history", "results"}
"""Words in a file's name that say what it tells of a run, not of which run it tells."""


def counter_of(run: Logged) -> str | None:
    """The column that a run is counted by: epochs before steps; None where none counts."""
    if run.axis is not None:
        return run.axis
    by_lower = {name_in_english(name).strip().lower(): name for name in reversed(list(run.columns))}
    return next((by_lower[name] for name in (*EPOCHS, *STEPS) if name in by_lower), None)


def runs_in(logged: Logged, totals: Sequence[float | None] = ()) -> list[Logged]:
    """The runs of what a file says: those that a column names, or else those that were logged one after another.

    Args:
        logged: all rows of the file.
        totals: the last value of the counter as it is said in each row; empty: nothing is said of it.
    """
    runs = _by_name(logged)
    if len(runs) > 1 and totals:
        return [part for run in runs for part in trainings_in(replace(run, total=_total(run, totals)))]
    if len(runs) > 1:
        return runs
    return trainings_in(runs[0], totals)


def _by_name(logged: Logged) -> list[Logged]:
    """The runs of a table in which a column names them; the table itself where none does."""
    names = logged.columns.get("run")
    if names is None:
        return [logged]
    runs = []
    for name in pc.unique(names).to_pylist():
        rows = pc.equal(names, name) if name is not None else pc.is_null(names)
        mine = {column: cells.filter(rows) for column, cells in logged.columns.items() if column != "run"}
        lines = (
            None
            if logged.lines is None
            else [n for n, is_mine in zip(logged.lines, rows.to_pylist(), strict=True) if is_mine]
        )
        runs.append(replace(logged, columns=mine, run="" if name is None else as_text(name), lines=lines))
    return runs


def trainings_in(run: Logged, totals: Sequence[float | None] = ()) -> list[Logged]:
    """The runs, those apart that were logged one after another: folds, trials, another start with other settings.

    A training that is resumed goes back a little; one that begins anew goes back to where the last one began.
    """
    axis = counter_of(run)
    if axis is not None and (axis not in run.columns or pa.types.is_string(run.columns[axis].type)):
        axis = None  # a damaged head or count, which is told of where epochs are read
    order = None if axis is None else by_writer(run.columns[axis].to_pylist(), run.columns)
    if order is not None:
        run, totals = _in_order(run, order), [totals[row] for row in order] if totals else totals
        note = f"{run.file.name}: several trainings have written into it by turns and were told apart by their {axis}s."
        run = replace(run, notes=(*run.notes, note))
    end = None if axis is None else measured_again(run.columns[axis].to_pylist(), run.columns)
    if end is not None:
        run, totals = _in_order(run, range(end)), totals[:end]
        note = f"{run.file.name}: what saved models were measured to at the end is no point of the training: left out."
        run = replace(run, notes=(*run.notes, note))
    starts = [0] if axis is None else _starts(run, axis, totals)
    if axis is None or len(starts) == 1:
        return [replace(run, total=_total(run, totals) if totals else run.total)]
    parts = []
    for start, end in zip(starts, [*starts[1:], len(run.columns[axis])], strict=True):
        columns = {name: cells.slice(start, end - start) for name, cells in run.columns.items()}
        part = replace(run, columns=columns, lines=None if run.lines is None else run.lines[start:end], notes=())
        parts.append(replace(part, total=_total(part, totals[start:end]) if totals else run.total, status=None))
    curves = {name for part in parts for name, cells in part.columns.items() if _is_curve(cells, part.columns)}
    # What each training tells once, at its end, sums it up.
    parts = [replace(part, columns={n: cells for n, cells in part.columns.items() if n in curves}) for part in parts]
    note = f"{run.file.name}: {axis}s begin anew {len(starts) - 1} times, so it holds {len(starts)} runs."
    parts[0] = replace(parts[0], notes=(*run.notes, note))
    parts[-1] = replace(parts[-1], status=run.status)
    return parts


def _in_order(run: Logged, order: Sequence[int]) -> Logged:
    """The run with its rows in this order."""
    lines = None if run.lines is None else [run.lines[row] for row in order]
    return replace(run, columns={name: cells.take(pa.array(order)) for name, cells in run.columns.items()}, lines=lines)


def _starts(run: Logged, axis: str, totals: Sequence[float | None]) -> list[int]:
    """The rows at which a training begins, by what counts through all epochs where steps do."""
    counts = run.columns[axis].to_pylist()
    numbers = [name for name, cells in run.columns.items() if not pa.types.is_string(cells.type)]
    steps = [name for name in numbers if name.lower() in STEPS and name != axis]
    told: list[float | None] = next((run.columns[name].to_pylist() for name in steps if axis.lower() in EPOCHS), [])
    said = [(epoch, step) for epoch, step in zip(counts, told, strict=False) if epoch is not None and step is not None]
    rises = [now > before for (epoch, before), (later, now) in pairwise(said) if later > epoch]
    falls = sum(now < before for (_, before), (_, now) in pairwise(said))  # or evaluations have steps of their own
    if len(rises) >= FEWEST_COUNTS and sum(rises) >= _NEARLY_ALL * len(rises) and 2 * falls <= len(rises):
        counts = told
    return sorted({*starts_of(counts), *other_starts(counts, totals, run.columns)})


def _is_curve(cells: pa.Array, columns: Mapping[str, pa.Array]) -> bool:
    """Whether there are values at several counts of epochs or steps."""
    given = cells.is_valid()
    counters = [counts for name, counts in columns.items() if is_counter(name)]
    return any(pc.count_distinct(counts.filter(given)).as_py() > 1 for counts in counters)


def starts_of(counts: Sequence[float | None]) -> list[int]:
    """The rows at which a training begins: a resume goes back a little, another training to where the first began.

    Args:
        counts: epoch or step of each row, in the order of logging; None: the row does not say it.
    """
    starts: list[int] = [0]
    first = second = last = None
    seen = 0
    for row, count in enumerate(counts):
        if count is None or count == last:  # a row that says only the other counter, or more of the same
            continue
        fewest = FEWEST_COUNTS if len(starts) == 1 else 1  # where one has begun anew, others may have ended at once
        anew = first is not None and seen >= fewest and count <= first
        # Of the first start alone something may be told before it is counted on, such as at step 0.
        anew = anew or (second is not None and seen >= FEWEST_FOR_SECOND and count <= second)
        if anew and last is not None and count < last:
            starts.append(row)
            first = second = None
            seen = 0
        elif first is not None and second is None and count > first:
            second = count
        first, last, seen = (count if first is None else first), count, seen + 1
    return starts


def _total(run: Logged, totals: Sequence[float | None]) -> float | None:
    """The number behind the mark in `Epoch 3/50`, as it was said last, unless more epochs came."""
    said = [total for total in totals if total is not None]
    if not said or run.axis is None:
        return None
    first, last = (at(run.columns[run.axis]).as_py() for at in (pc.min, pc.max))
    if last is None or said[-1] < last:
        return None
    # `range(N)` with N - 1 behind the mark: `Epoch 0/299`
    is_last = first == 0 and not (said[-1] + 1) % _ROUND and said[-1] % _ROUND
    return said[-1] + 1 if is_last else said[-1]


def of_one_axis(runs: list[Logged]) -> list[Logged]:
    """The runs that count as most do: what counts steps cannot be set beside what counts epochs.

    Where some are counted by epochs and all tell them, epochs count: those counted by steps may have but begun. Else,
    where some are measured on held-out data, these decide.
    """
    axes = [counter_of(run) or "" for run in runs]
    epochs = next((axis for axis in axes if axis.lower() in EPOCHS), "")
    if all(epochs in run.columns for run in runs):
        return [run if axis == epochs else replace(run, axis=epochs) for run, axis in zip(runs, axes, strict=True)]
    deciding = [axis for run, axis in zip(runs, axes, strict=True) if _evaluations(run)] or axes
    common = max(deciding, key=deciding.count)
    others = [run for run, axis in zip(runs, axes, strict=True) if axis != common]
    kept = [run for run, axis in zip(runs, axes, strict=True) if axis == common]
    if not others:
        return runs
    note = f"left out, since they do not count by {common}: {_files(others)}; name one of them to read it."
    return [*kept[:-1], replace(kept[-1], notes=(*kept[-1].notes, note))]


def without_files_beside(runs: list[Logged]) -> list[Logged]:
    """The runs without what other files tell of the same ones: of each run, the file with most held-out metrics counts.

    `train_3.log` and `timing_3.log` tell of the run of `metrics_3.log`.
    """
    about: dict[tuple[Path, tuple[str, ...]], dict[Path, int]] = {}
    for run in runs:
        of = (run.file.parent, tuple(word for word in _words(run.file) if word not in _KINDS))
        about.setdefault(of, {})[run.file] = len(_evaluations(run))
    beside = {
        file
        for told in about.values()
        for file in told
        if any(told.values()) and file != max(told, key=lambda one: told[one])
    }
    others, kept = ([run for run in runs if (run.file in beside) == is_beside] for is_beside in (True, False))
    if not others:
        return runs
    note = f"another file tells more of the same run, so not read: {_files(others)}."
    return [*kept[:-1], replace(kept[-1], notes=(*kept[-1].notes, note))]


def _files(runs: Sequence[Logged]) -> str:
    return listed(list(dict.fromkeys(run.file.name for run in runs)))


def _evaluations(run: Logged) -> list[str]:
    """The metrics of a run that were measured on held-out data."""
    return [name for name in run.columns if split_name(name)[0] in ("val", "test") and known_metric(name) is not None]


def _words(file: Path) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", file.name.lower()) if word]


def joined_parts(runs: list[Logged]) -> list[Logged]:
    """The runs, of which those are one whose files lie side by side as `train.log` and `test.log`."""
    folders: dict[Path, list[Logged]] = {}
    for run in runs:
        folders.setdefault(run.file.parent, []).append(run)
    joined = []
    for members in folders.values():
        splits = ["".join(word for word in _words(run.file) if word not in _ENDINGS) for run in members]
        apart = len(members) > 1 and len(set(splits)) == len(splits) and all(split in SPLITS for split in splits)
        joined += [_joined(members, splits)] if apart and len({counter_of(run) for run in members}) == 1 else members
    return joined


def _joined(runs: Sequence[Logged], splits: Sequence[str]) -> Logged:
    """One run with the rows of several, in order of what counts them; names say on which data was measured."""
    axis = counter_of(runs[0])
    renamed = [
        {
            name if name == axis or split_name(name)[0] else f"{split}/{name}": cells
            for name, cells in run.columns.items()
        }
        for run, split in zip(runs, splits, strict=True)
    ]
    sizes = [len(next(iter(columns.values()))) for columns in renamed]
    columns = {}
    for name in dict.fromkeys(name for columns in renamed for name in columns):
        cells = [own.get(name, pa.nulls(size)) for own, size in zip(renamed, sizes, strict=True)]
        kind = next((one.type for one in cells if not pa.types.is_null(one.type)), pa.null())
        if any(one.type not in (kind, pa.null()) for one in cells):
            kind = pa.float64() if all(not pa.types.is_string(one.type) for one in cells) else pa.string()
        columns[name] = pa.concat_arrays([one.cast(kind) for one in cells])
    order = (
        np.arange(sum(sizes))
        if axis is None
        else np.argsort(columns[axis].to_numpy(zero_copy_only=False), kind="stable")
    )
    totals = [run.total for run in runs if run.total is not None]
    return replace(
        runs[0],
        file=runs[0].file.parent / "run",
        columns={name: cells.take(pa.array(order)) for name, cells in columns.items()},
        total=max(totals, default=None),
        lines=None,
        notes=tuple(note for run in runs for note in run.notes),
    )
