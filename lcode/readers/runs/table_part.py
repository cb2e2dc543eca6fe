"""From the cells of one table file to its runs and points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.errors import InputError, UsageError
from lcode.readers.part import LogPart, distinct_points, frame_of_points, join, place_of, run_frame
from lcode.readers.raw import RawTable, as_number, as_text
from lcode.readers.runs.blank_rows import BlankRows, explain_blank_rows
from lcode.readers.runs.merged_names import with_names_below
from lcode.readers.runs.repeats import (
    Conflicts,
    OnRepeat,
    find_conflicts,
    latest_attempts,
    repeats_text,
    within_epoch_counter,
)
from lcode.readers.runs.unevaluated import without_unevaluated
from lcode.readers.runs.unstarted import without_candidates
from lcode.readers.understanding.horizons import latest_horizons
from lcode.readers.understanding.layout import CONFIG, RUN_LEVEL, Cells, is_long, read_cells
from lcode.readers.understanding.rates import RATE_SIGNAL, rates_of_runs
from lcode.table.axis import as_ticks, common_step, epoch_text
from lcode.table.metric import infer_direction
from lcode.table.points import empty_points
from lcode.table.reading import listed
from lcode.table.run_rows import STATUSES


def read_table(raw: RawTable, on_repeat: OnRepeat = "error") -> tuple[LogPart, RawTable]:
    """The runs of one table, wide or long, and the table without the torn last line of a growing file.

    Args:
        raw: the table as it stands in its file.
        on_repeat: what to do where a run has two values for one epoch: `error`, or `last`, the later rows count.

    Raises:
        InputError: anything that does not fit; the message names file, line and column, and says how to mend it.
    """
    if not len(raw):
        raise InputError("holds a header but no rows; add one row per run and epoch", path=raw.path)
    try:
        return _with_candidates(raw, on_repeat), raw
    except InputError as error:
        if raw.unterminated and len(raw) > 1 and error.line == raw.line_of(len(raw) - 1):
            whole = raw.without_last_row()
            return _with_candidates(whole, on_repeat), whole
        raise


def _with_candidates(raw: RawTable, on_repeat: OnRepeat) -> LogPart:
    """The runs that have begun, then the candidates."""
    rows, unstarted = without_candidates(raw)
    part = None if rows is None else _read(without_unevaluated(rows), on_repeat)
    if unstarted is None:
        assert part is not None
        return part
    unit = 1.0 if part is None else part.epoch_unit
    latest = np.nan if part is None else part.runs["last"].max()
    run, names = unstarted.names("run")
    horizon = latest_horizons(unstarted, run, names, np.zeros(len(unstarted)))[0] / unit
    of_run, configs = _described(unstarted, run, names)
    # A candidate's learning rate is that of its whole run.
    end = np.nan_to_num(np.maximum(np.where(np.isnan(horizon), latest, horizon), 1), nan=1).round()
    first = np.unique(run, return_index=True)[1]
    cells = read_cells(unstarted)
    rates = rates_of_runs(run[first], end[run[first]].astype(np.int64), cells.rate[first])
    nothing = np.full(len(names), np.nan)
    candidates = LogPart(
        sources=dict.fromkeys(names, raw.path),
        runs=run_frame(names, horizon=horizon, first=nothing, last=nothing, **of_run),
        points=empty_points(),
        # Without a run that has begun, the names of the curves alone say what is to be forecast.
        metrics={} if part is not None else {key: infer_direction(key) for key in cells.keys},
        configs=configs,
        rates={names[code]: plan for code, plan in rates.items()},
        notes=raw.notes if part is None else (),
        epoch_unit=unit,
    )
    return candidates if part is None else join([part, candidates])


def _read(raw: RawTable, on_repeat: OnRepeat, notes: tuple[str, ...] = (), counter: str | None = None) -> LogPart:
    raw = with_names_below(raw)
    run, names = raw.names("run")
    nameless = np.flatnonzero(run < 0)
    if len(nameless):
        raise raw.error(int(nameless[0]), "run", "the cell is empty; name the run in every row")
    epochs = raw.epochs()
    stated, remarks = latest_horizons(raw, run, names, epochs)
    unit = _unit(raw, np.concatenate([epochs, stated[~np.isnan(stated)]]))
    epoch = as_ticks(epochs, unit)
    # Without the rows of given-up attempts nothing may be left to be counted, and the counter is no curve either.
    counter = counter or within_epoch_counter(raw, run, epoch)
    clock = None if counter is None else raw.numbers(counter, remedy="it counts the rows of an epoch")[0]
    curves = raw if counter is None else raw.without_column(counter)
    cells = read_cells(curves)

    place = place_of(run[cells.row], cells.metric, epoch[cells.row])
    conflicts = find_conflicts(place, cells.value, None if clock is None else clock[cells.row])
    if len(conflicts) and on_repeat == "error" and not raw.resumed:
        raise _repeats(raw, cells, conflicts, [names[code] for code in run], epoch, unit)
    if len(conflicts):
        # In a long table the rows of a run may be in order for one metric after the other.
        group = run * len(cells.keys) + _metrics(cells, len(raw)) if is_long(raw) else run
        kept = ~np.isin(run, run[cells.row[conflicts.second]])
        kept[~kept] = latest_attempts(group[~kept], epoch[~kept], None if clock is None else clock[~kept])
        if not kept.all():
            who = ", ".join(names[code] for code in np.unique(run[~kept])[:5])
            note = f"{raw.path.name}: left out {(~kept).sum()} rows from before a resume that went back ({who})."
            return _read(raw.where(kept), on_repeat, (*notes, note), counter)

    of_run, configs = _described(raw, run, names)
    measured = np.zeros(len(raw), dtype=bool)
    measured[cells.row] = True
    finished = np.array([status == "finished" for status in of_run.get("status", [None] * len(names))])
    blank = explain_blank_rows(run, epoch, measured, cells.rate, finished)
    planned_to = np.full(len(names), np.nan)
    planned_to[blank.run[blank.planned]] = blank.epoch[blank.planned]
    order = np.lexsort((epoch, run))
    first, last = np.full(len(names), np.nan), np.full(len(names), np.nan)
    first[run[order[::-1]]], last[run[order]] = epoch[order[::-1]], epoch[order]
    points, told = _points(raw, cells, run, names, epoch, blank, counted=counter is not None)
    if counter is not None:
        told.append(
            f"{raw.path.name}: of the rows of an epoch, counted by '{counter}', each column's last value counts."
        )

    return LogPart(
        sources=dict.fromkeys(names, raw.path),
        runs=run_frame(names, horizon=np.fmax(stated / unit, planned_to).round(), first=first, last=last, **of_run),
        points=points,
        metrics=dict.fromkeys(cells.keys),
        configs=configs,
        signals=_signals(raw, run, names, epoch, blank),
        rates={names[code]: plan for code, plan in rates_of_runs(blank.run, blank.epoch, blank.lr).items()},
        notes=(*raw.notes, *notes, *remarks, *cells.notes, *told),
        epoch_unit=unit,
    )


def _described(
    raw: RawTable, run: NDArray[np.int64], names: list[str]
) -> tuple[dict[str, list[Any]], dict[str, dict[str, Any]]]:
    """What the rows say of each run as a whole: the columns of `RUN_LEVEL`, and its hyper-parameters."""
    _check_statuses(raw)
    of_run = {name: raw.constants(name, run, names) for name in RUN_LEVEL if name in raw.columns}
    if "seed" in of_run:
        of_run["seed"] = [_seed(value) for value in of_run["seed"]]
    configs: dict[str, dict[str, Any]] = {name: {} for name in names}
    for column in raw.columns:
        if column.startswith(CONFIG):
            for name, value in zip(names, raw.constants(column, run, names), strict=True):
                configs[name][column.removeprefix(CONFIG)] = value
    return of_run, configs


def _unit(raw: RawTable, epochs: NDArray[np.float64]) -> float:
    """What the epochs and horizons of the table are whole multiples of."""
    try:
        return common_step(epochs)
    except UsageError as error:
        raise InputError(f"{error}; count in steps instead", path=raw.path, column="epoch") from error


def _metrics(cells: Cells, rows: int) -> NDArray[np.int64]:
    """Metric of each row of a long table; 0 for a row without a value."""
    metric = np.zeros(rows, dtype=np.int64)
    metric[cells.row] = cells.metric
    return metric


def _repeats(
    raw: RawTable, cells: Cells, conflicts: Conflicts, runs: list[str], epoch: NDArray[np.int64], unit: float
) -> InputError:
    """The error on all values that a table has twice.

    Args:
        raw: the table.
        cells: its values.
        conflicts: pairs of those that disagree.
        runs: run of each row.
        epoch: epoch of each row, in ticks of `unit`.
        unit: see `RunTable.epoch_unit`.
    """
    rows, texts = cells.row[conflicts.second].tolist(), [epoch_text(int(at), unit) for at in epoch]
    before, value = int(conflicts.first[0]), cells.value[conflicts.second[0]]
    key = int(cells.metric[conflicts.second[0]])
    problem = (
        f"run '{runs[rows[0]]}' has {cells.keys[key]} = {value:.12g} at epoch {texts[rows[0]]} here, but "
        f"{cells.value[before]:.12g} on {raw.place(int(cells.row[before]), rows[0])}"
    )
    lines = [raw.line_of(row) for row in rows]
    told = repeats_text(problem, [runs[row] for row in rows], [texts[row] for row in rows], lines)
    return raw.error(rows[0], cells.columns[key], told)


def _points(
    raw: RawTable,
    cells: Cells,
    run: NDArray[np.int64],
    names: list[str],
    epoch: NDArray[np.int64],
    blank: BlankRows,
    *,
    counted: bool,
) -> tuple[pd.DataFrame, list[str]]:
    """The values, each once, and NaN in the rows that stand for a divergence; and what to tell the user."""
    place = place_of(run[cells.row], cells.metric, epoch[cells.row])
    kept = distinct_points(place)
    notes = []
    if len(kept) < len(place):
        conflicts = find_conflicts(place, cells.value, None)
        replaced = len(conflicts)
        merged = len(place) - len(kept) - replaced
        if replaced and not counted:
            of = listed([cells.keys[at] for at in np.unique(cells.metric[conflicts.second])])
            notes.append(f"{raw.path.name}: {replaced} values were replaced by later ones of the same epoch, of {of}.")
        if merged:
            notes.append(f"{raw.path.name}: {merged} repeated values were merged.")
    lost_run, lost_epoch = blank.run[blank.diverged], blank.epoch[blank.diverged]
    if len(lost_run):
        who = ", ".join(names[code] for code in np.unique(lost_run)[:5])
        notes.append(
            f"{raw.path.name}: {len(np.unique(lost_run))} runs end in rows without values and count as diverged "
            f"from there on ({who}{', …' if len(np.unique(lost_run)) > 5 else ''})."
        )
    n_keys = len(cells.keys)
    row = cells.row[kept]
    frame = frame_of_points(
        np.concatenate((run[row], np.repeat(lost_run, n_keys))),
        names,
        np.concatenate((epoch[row], np.repeat(lost_epoch, n_keys))),
        np.concatenate((cells.metric[kept], np.tile(np.arange(n_keys), len(lost_run)))),
        cells.keys,
        np.concatenate((cells.value[kept], np.full(n_keys * len(lost_run), np.nan))),
    )
    return frame, notes


def _check_statuses(raw: RawTable) -> None:
    if "status" not in raw.columns:
        return
    codes, values = raw.names("status")
    for code, value in enumerate(values):
        if value not in STATUSES:
            row = int(np.flatnonzero(codes == code)[0])
            raise raw.error(row, "status", f"'{value}' is no status; write one of {', '.join(STATUSES)}")


def _seed(value: object) -> int | str | None:
    number = as_number(value)
    return int(number) if number is not None and number.is_integer() else None if value is None else as_text(value)


def _signals(
    raw: RawTable, run: NDArray[np.int64], names: list[str], epoch: NDArray[np.int64], blank: BlankRows
) -> pd.DataFrame:
    """Learning rate and seconds of the epochs that were trained."""
    observed = ~np.isnan(blank.lr) & ~blank.planned
    parts = [(blank.run[observed], blank.epoch[observed], blank.lr[observed])]
    seconds = _optional_numbers(raw, "seconds")
    first = np.unique(run * (int(epoch.max()) + 1) + epoch, return_index=True)[1]
    given = ~np.isnan(seconds[first])
    parts.append((run[first][given], epoch[first][given], seconds[first][given]))
    runs, epochs, values = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    if not len(runs):
        return empty_points()
    metric = np.repeat([0, 1], [len(part[0]) for part in parts])
    return frame_of_points(runs, names, epochs, metric, (RATE_SIGNAL, "main/seconds"), values)


def _optional_numbers(raw: RawTable, name: str) -> NDArray[np.float64]:
    """A column of numbers; NaN where the cell is empty or there is no such column."""
    if name not in raw.columns:
        return np.full(len(raw), np.nan)
    return raw.numbers(name, remedy="leave the cell empty where it is not known")[0]
