"""Tables with a column per epoch and a row per curve, as spreadsheets have them: `run,metric,1,2,3,…`."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa

from lcode.readers.raw import RawTable, as_number
from lcode.readers.understanding.column_words import RUN_NAMES, is_counter, plain_name
from lcode.readers.understanding.parts_of_data import metric_column
from lcode.table.metric_names import known_metric
from lcode.table.other_languages import name_in_english

_COUNTED = re.compile(r"(?:(epochs?|ep|e|steps?|iter(?:ation)?s?|it)[ _:.-]*)?([0-9]{1,9})", re.IGNORECASE)

_FEWEST = 3
"""Columns of epochs at least: two numbered columns may be anything."""


def with_epochs_as_rows(raw: RawTable) -> RawTable:
    """The table with a row per curve and epoch, where its columns are epochs and its rows begin with a name.

    Where no column says what is measured, it is what the file is called after.
    """
    counted = {name: match for name in raw.columns if (match := _COUNTED.fullmatch(name_in_english(name).strip()))}
    numbers = [int(match[2]) for match in counted.values()]
    others = {name: cells for name, cells in raw.columns.items() if name not in counted}
    words = {(match[1] or "").lower()[:1] for match in counted.values()}
    if len(counted) < _FEWEST or len(words) > 1 or not all(one < other for one, other in pairwise(numbers)):
        return raw
    if not others or any(map(is_counter, others)) or not _holds_names(next(iter(others.values()))):
        return raw
    cells = np.array([raw.columns[name].to_pylist() for name in counted], dtype=object).T
    if any(cell is not None and as_number(cell) is None for cell in cells.ravel()):
        return raw
    # Epoch by epoch, as they would have been logged.
    column, row = np.nonzero(np.array([[cell is not None for cell in line] for line in cells.T]))
    metric = metric_column(raw, others)
    stem = raw.path.name.partition(".")[0]
    measured = "value" if metric is not None or known_metric(stem) is None else stem
    names = {name: "metric" if name == metric else name for name in others}
    if not any(plain_name(name) in RUN_NAMES for name in others) and next(iter(others)) != metric:
        names[next(iter(others))] = "run"
    counter = "step" if words <= {"s", "i"} else "epoch"
    columns = {
        **{names[name]: held.take(pa.array(row)) for name, held in others.items()},
        counter: pa.chunked_array([pa.array(np.array(numbers)[column])]),
        measured: pa.chunked_array([pa.array([as_number(cells[at]) for at in zip(row, column, strict=True)])]),
    }
    note = f"columns {numbers[0]} to {numbers[-1]} are read as the {counter}s of a curve per row."
    return replace(raw, columns=columns, line_of=lambda at: raw.line_of(int(row[at])), notes=(*raw.notes, note))


def _holds_names(column: pa.ChunkedArray) -> bool:
    cells = column.drop_null().unique().to_pylist()
    return bool(cells) and all(isinstance(cell, str) and as_number(cell) is None for cell in cells)
