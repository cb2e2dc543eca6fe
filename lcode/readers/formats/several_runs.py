"""Files that hold several trainings: a sheet each, or an object of JSON each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from lcode.readers.raw import RawTable
from lcode.readers.runs.curve_files import named_by_file
from lcode.readers.stacked import one_below_another
from lcode.readers.understanding.column_words import EPOCHS, RUN_NAMES, STEPS
from lcode.readers.understanding.uncounted import with_counted_rows
from lcode.table.metric_names import known_metric


def counted_table(raw: RawTable, *, curves: bool) -> RawTable | None:
    """The table with what counts its rows, told where they had to be counted; None where it is no log.

    Args:
        raw: the table.
        curves: see `with_counted_rows`.
    """
    raw = named_by_file(raw)
    counted = with_counted_rows(raw.columns, curves=curves)
    if counted is None or not any(known_metric(name) is not None for name in raw.columns):
        return None
    columns, remarks = counted
    return replace(raw, columns=columns, notes=(*raw.notes, *(f"{raw.path.name}: {remark}" for remark in remarks)))


def one_table_of_runs(tables: Mapping[str, RawTable]) -> RawTable:
    """One table of the runs that a file holds, by their names; a table that names its runs itself keeps those names.

    What counts the rows has one name in it, whatever it was called in each.
    """
    named, inner = [], False
    for name, raw in tables.items():
        by_lower = {column.strip().lower(): column for column in reversed(list(raw.columns))}
        counter = next((by_lower[word] for word in (*EPOCHS, *STEPS) if word in by_lower), None)
        columns = {"epoch" if column == counter else column: cells for column, cells in raw.columns.items()}
        if by_lower.keys().isdisjoint(RUN_NAMES):
            inner = True
            columns = {"run": pa.chunked_array([pa.array([name] * len(raw), pa.string())]), **columns}
        named.append(replace(raw, columns=columns))
    table = one_below_another(named)
    return replace(table, notes=tuple(dict.fromkeys(table.notes)), inner_runs=inner)
