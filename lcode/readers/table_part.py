"""From the cells of one table file to its runs and points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.errors import InputError
from lcode.readers.blank_rows import BlankRows, explain_blank_rows
from lcode.readers.layout import CONFIG, RUN_LEVEL, Cells, check_columns, read_cells
from lcode.readers.part import LogPart, distinct_points, frame_of_points, run_frame
from lcode.readers.raw import MAX_EPOCH, RawTable, as_number, as_text
from lcode.table.table import STATUSES, empty_points


def read_table(raw: RawTable) -> LogPart:
    """The runs of one table, wide or long; a torn last line of a growing file is left out.

    Raises:
        InputError: anything that does not fit; the message names file, line and column, and says how to mend it.
    """
    check_columns(raw)
    if not len(raw):
        raise InputError("holds a header but no rows; add one row per run and epoch", path=raw.path)
    try:
        return _read(raw)
    except InputError as error:
        if raw.unterminated and len(raw) > 1 and error.line == raw.line_of(len(raw) - 1):
            return _read(raw.without_last_row())
        raise


def _read(raw: RawTable) -> LogPart:
    run, names = raw.names("run")
    nameless = np.flatnonzero(run < 0)
    if len(nameless):
        raise raw.error(int(nameless[0]), "run", "the cell is empty; name the run in every row")
    epoch = raw.epochs()
    cells = read_cells(raw)
    _check_statuses(raw)
    of_run = {name: raw.constants(name, run, names) for name in RUN_LEVEL if name in raw.columns}
    if "seed" in of_run:
        of_run["seed"] = [_seed(value) for value in of_run["seed"]]
    horizon = _horizons(raw, of_run.pop("horizon", [None] * len(names)), run, names, epoch)

    measured = np.zeros(len(raw), dtype=bool)
    measured[cells.row] = True
    finished = np.array([status == "finished" for status in of_run.get("status", [None] * len(names))])
    blank = explain_blank_rows(run, epoch, measured, _optional_numbers(raw, "lr"), finished)
    planned_to = np.full(len(names), np.nan)
    planned_to[blank.run[blank.planned]] = blank.epoch[blank.planned]
    horizon = np.fmax(horizon, planned_to)
    points, notes = _points(raw, cells, run, names, epoch, blank)

    configs: dict[str, dict[str, Any]] = {name: {} for name in names}
    for column in raw.columns:
        if column.startswith(CONFIG):
            for name, value in zip(names, raw.constants(column, run, names), strict=True):
                configs[name][column.removeprefix(CONFIG)] = value
    return LogPart(
        sources=dict.fromkeys(names, raw.path),
        runs=run_frame(names, horizon=list(horizon), **of_run),
        points=points,
        metrics=dict.fromkeys(cells.keys),
        configs=configs,
        signals=_signals(raw, run, names, epoch, blank),
        schedules={
            names[code]: plan.until(int(horizon[code]))
            for code, plan in blank.schedules().items()
            if plan.last >= horizon[code]
        },
        notes=(*raw.notes, *notes),
    )


def _points(
    raw: RawTable, cells: Cells, run: NDArray[np.int64], names: list[str], epoch: NDArray[np.int64], blank: BlankRows
) -> tuple[pd.DataFrame, list[str]]:
    """The values, each once, and NaN in the rows that stand for a divergence; and what to tell the user."""

    def conflict(first: int, second: int) -> InputError:
        before, row, key = int(cells.row[first]), int(cells.row[second]), cells.metric[second]
        return raw.error(
            row,
            cells.columns[key],
            f"run '{names[run[row]]}' has {cells.keys[key]} = {cells.value[second]:.12g} at epoch {epoch[row]} here, "
            f"but {cells.value[first]:.12g} on line {raw.line_of(before)}; remove one of the two, or give the runs "
            "different names",
        )

    kept = distinct_points(run[cells.row], epoch[cells.row], cells.metric, cells.value, conflict)
    notes = []
    if len(kept) < len(cells.row):
        notes.append(f"{raw.path.name}: {len(cells.row) - len(kept)} repeated values were merged.")
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


def _horizons(
    raw: RawTable, given: list[Any], run: NDArray[np.int64], names: list[str], epoch: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Planned last epoch of each run, NaN where not given."""
    horizon = np.full(len(names), np.nan)
    if "horizon" not in raw.columns:
        return horizon
    numbers, _ = raw.numbers("horizon", remedy="the horizon is the planned last epoch, a whole number from 1 on")
    wrong = np.flatnonzero((numbers < 1) | (numbers > MAX_EPOCH) | (numbers != np.floor(numbers)) & ~np.isnan(numbers))
    if len(wrong):
        row = int(wrong[0])
        raise raw.error(
            row,
            "horizon",
            f"'{raw.text(row, 'horizon')}' is no horizon; it is the planned last epoch, a whole number from 1 on",
        )
    horizon = np.array([np.nan if value is None else float(value) for value in given])
    late = np.flatnonzero(epoch > horizon[run])
    if len(late):
        row = int(late[0])
        raise raw.error(
            row,
            "horizon",
            f"run '{names[run[row]]}' is at epoch {epoch[row]}, beyond its horizon of {horizon[run[row]]:.0f}; raise "
            "the horizon to the last epoch that is planned",
        )
    return horizon


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
    return frame_of_points(runs, names, epochs, metric, ("main/lr", "main/seconds"), values)


def _optional_numbers(raw: RawTable, name: str) -> NDArray[np.float64]:
    """A column of numbers; NaN where the cell is empty or there is no such column."""
    if name not in raw.columns:
        return np.full(len(raw), np.nan)
    return raw.numbers(name, remedy="leave the cell empty where it is not known")[0]
