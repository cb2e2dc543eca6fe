"""Tables with a row for each run: its settings, which belong to its curves in other tables, or what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

import numpy as np
import pyarrow as pa

from lcode.errors import InputError
from lcode.readers.raw import RawTable
from lcode.readers.understanding.column_words import EPOCHS, RUN_NAMES, plain_name
from lcode.readers.understanding.columns import Roles
from lcode.readers.understanding.layout import CONFIG
from lcode.readers.understanding.planned import is_planned
from lcode.readers.understanding.setting_names import is_place, is_result
from lcode.readers.understanding.uncounted import of_results

_NAMES = (*RUN_NAMES, "name", "id", "log", "file", "file_name")
"""What the column may be called that names the runs; a first column of text may have any name."""


def with_settings_of_runs(
    tables: Sequence[RawTable], others: Sequence[RawTable]
) -> tuple[list[RawTable], list[RawTable]]:
    """The tables of curves with what other tables say of their runs, and which of the others say something.

    Args:
        tables: with a column `run`.
        others: hold no curve.
    """
    result, read = list(tables), []
    for other in others:
        described = [_described(table, other) for table in result]
        if any(table is not None for table in described):
            read.append(other)
            result = [old if new is None else new for old, new in zip(result, described, strict=True)]
    return result, read


def is_of_results(raw: RawTable, roles: Roles) -> bool:
    """Whether a table has a row for each of several runs, with the steps that it took: so it holds no curve.

    `epochs` may say how many were planned, `epoch` how far each run is.
    """
    plans = is_planned(roles.axis, "epoch")
    counts = roles.axis.strip().lower() in EPOCHS and not plans
    if counts or raw.columns[roles.axis].null_count or len(raw) < 2:
        return False
    named = _names_each_row(raw) if plans else roles.run
    return named is not None and named != roles.axis and len(raw.names(named)[1]) == len(raw)


def refuse_plans(tables: Sequence[tuple[RawTable, str]]) -> None:
    """Refuse tables with a row per run, if all of them only say how many epochs were planned.

    Args:
        tables: each with the column that seemed to count.

    Raises:
        InputError: the message says what to name instead.
    """
    if all(is_planned(axis, "epoch") for _, axis in tables):
        raw = tables[0][0]
        told = of_results(_names_each_row(raw) or next(iter(raw.columns)))
        raise InputError(f"no column counts the epochs or steps; {told}", path=raw.path)


def _names_each_row(raw: RawTable) -> str | None:
    """The column that names a run in each row, another one in each; None where there is none."""
    key = next((name for name in raw.columns if plain_name(name) in _NAMES), next(iter(raw.columns), None))
    return key if key is not None and len(raw) and len(raw.names(key)[1]) == len(raw) else None


def _described(table: RawTable, other: RawTable) -> RawTable | None:
    """The table with the settings of its runs as columns; None where none of them has a row in the other one."""
    key = _names_each_row(other)
    if key is None:
        return None
    code, runs = table.names("run")
    at, texts = other.names(key)
    rows = dict(zip(texts, np.argsort(at).tolist(), strict=True))
    rows = {PurePath(text).stem: row for text, row in rows.items()} | rows
    row_of = np.array([rows.get(run, -1) for run in runs] + [-1])
    if (row_of < 0).all():
        return None
    place = row_of[code]
    taken = {name.lower() for name in table.columns}
    columns: dict[str, pa.ChunkedArray] = {}
    for name, cells in other.columns.items():
        if name == key or is_place(name) or is_result(name):
            continue
        settled = "horizon" if is_planned(name, "epoch") else name if name.startswith(CONFIG) else f"{CONFIG}{name}"
        if settled.lower() not in taken:
            columns[settled] = cells.take(pa.array(place, mask=place < 0))
    return replace(table, columns={**table.columns, **columns}) if columns else None
