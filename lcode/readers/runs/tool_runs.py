"""From rows as a tool's reader hands them over to the runs of a log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from lcode.errors import InputError
from lcode.readers.choices import Choices
from lcode.readers.logged.base import Logged, says_epochs
from lcode.readers.loggers.hydra import with_job_settings
from lcode.readers.raw import RawTable
from lcode.readers.runs.left_out_rows import without_left_out_rows
from lcode.readers.runs.planned_ends import ends_by_settings, measured_at_the_end
from lcode.readers.runs.resumed import one_table
from lcode.readers.runs.table_part import read_table
from lcode.readers.runs.understood import Understood
from lcode.readers.understanding.column_words import EPOCHS
from lcode.readers.understanding.columns import settle_roles
from lcode.readers.understanding.parts_of_data import by_part
from lcode.readers.understanding.run_names import names_of_runs, names_of_tool
from lcode.table.reading import listed


def understood_runs(
    logged: Sequence[Logged], tool: str, root: Path, choices: Choices, stated: Collection[str]
) -> Understood:
    """The runs that a tool's reader found. Later rows count where there are several for one epoch: tools append.

    Raises:
        InputError: no run has a row yet, or no column counts the epochs.
    """
    runs = [run for run in logged if run.columns and len(next(iter(run.columns.values())))]
    if not runs:
        raise InputError(f"holds no value yet of a run of {tool}; try again when an epoch was logged", path=root)
    empty = len(logged) - len(runs)
    runs, told_of_evaluations = _without_evaluations(with_job_settings(runs), tool)
    names = names_of_tool([run.run for run in runs], names_of_runs([run.file for run in runs], root))
    axes = {run.axis for run in runs}
    if choices.epoch is None and len(axes) == 1:
        choices = replace(choices, epoch=next(iter(axes)))
    table = one_table([_table_of(run, name) for run, name in zip(runs, names, strict=True)])
    raw = by_part(_filled(replace(table, path=root), choices.epoch))
    try:
        roles = settle_roles(raw, choices, stated=stated, logged=True)
        part, _ = read_table(roles.apply(without_left_out_rows(raw, roles), ""), "last")
    except InputError as error:
        message = f"is read as {tool}; {error.message}"
        raise InputError(message, path=error.path, line=error.line, column=error.column) from error
    told = dict(zip(names, runs, strict=True))
    frame = part.runs
    # What a tool plans is counted as the tool counts, not as the user may want it.
    counts = roles.axis if roles.axis.strip().lower() not in EPOCHS else None
    counted = [told[name] if told[name].axis in (counts, roles.axis) else None for name in map(str, frame.index)]
    from_zero = (frame["first"] == 0).to_numpy()
    ends = np.array([_stated(run, bool(zero)) for run, zero in zip(counted, from_zero, strict=True)])
    is_last = np.array([run is not None and run.total is None and run.horizon is not None for run in counted])
    configs = {name: {**part.configs.get(name, {}), **told[name].config} for name in map(str, frame.index)}
    finished = [told[name].status == "finished" for name in configs]
    planned = ends_by_settings(part, configs, roles.axis, finished)
    at_last = np.isnan(ends) & measured_at_the_end(
        part, planned, roles.axis, [told[name].measures_last for name in configs]
    )
    ticks = np.where(np.isnan(ends), planned + (at_last & from_zero), ends) / part.epoch_unit
    frame = frame.assign(
        ends_there=is_last | at_last,
        horizon=np.fmax(frame["horizon"].to_numpy(float), ticks).round(),
        status=[told[str(name)].status or status for name, status in frame["status"].items()],
    )
    directions = {column: way for run in runs for column, way in run.directions.items()}
    metrics = {key: directions.get(key, way) for key, way in part.metrics.items()}
    notes = tuple(dict.fromkeys(note for run in runs for note in run.notes))
    notes += told_of_evaluations
    if empty:
        notes += (f"{empty} runs of {tool} have logged no value yet.",)
    part = replace(
        part,
        sources={name: told[name].file for name in map(str, frame.index)},
        runs=frame,
        metrics=metrics,
        configs=configs,
        notes=(*notes, *part.notes),
        by_tools=frozenset(metrics),
    )
    return Understood(part, (roles.axis,), roles.left_out)


def _without_evaluations(runs: list[Logged], tool: str) -> tuple[list[Logged], tuple[str, ...]]:
    """The trainings, and a remark on what was only evaluated: a row without an epoch, beside runs that count epochs."""
    counting = [run.axis is None and says_epochs(run.columns) for run in runs]
    alone = [
        not counts and len(next(iter(run.columns.values()))) == 1 for run, counts in zip(runs, counting, strict=True)
    ]
    if not any(counting) or not any(alone):
        return runs, ()
    kept = [run for run, is_alone in zip(runs, alone, strict=True) if not is_alone]
    names = listed([run.run or run.file.name for run, is_alone in zip(runs, alone, strict=True) if is_alone])
    return kept, (f"left out, since they hold one evaluation without an epoch and no curve: {names} ({tool}).",)


def _stated(run: Logged | None, from_zero: bool) -> float:
    """The horizon of a run as it is stated of logs: N where its epochs are those of `range(N)`; NaN: none is."""
    if run is not None and run.total is not None:
        return run.total
    return np.nan if run is None or run.horizon is None else run.horizon + from_zero


def _filled(raw: RawTable, axis: str | None) -> RawTable:
    """The table, in whose rows the epochs count on where some do not say them, as when only the training does.

    A run that never says them keeps its empty cells, so that its steps can count.
    """
    run = raw.names("run")[0]
    wanted = [axis] if axis is not None else [name for name in raw.columns if name.strip().lower() in EPOCHS]
    filled = {}
    for name in wanted:
        column = raw.columns.get(name)
        if column is not None and column.null_count:
            by_run = pd.Series(column.to_numpy(zero_copy_only=False)).groupby(run)
            cells = by_run.ffill().fillna(by_run.transform("first"))
            filled[name] = pa.chunked_array([pa.array(cells, from_pandas=True)])
    return replace(raw, columns={**raw.columns, **filled})


def _table_of(run: Logged, name: str) -> RawTable:
    """The rows of a run, with a column of its name."""
    lines = run.lines
    columns = {column: pa.chunked_array([cells]) for column, cells in run.columns.items()}
    size = len(next(iter(columns.values())))
    return RawTable(
        run.file,
        {**columns, "run": pa.chunked_array([pa.array([name] * size)])},
        line_of=lambda row: row + 1 if lines is None else lines[row],
    )
