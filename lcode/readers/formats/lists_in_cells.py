"""Tables with a row per training and its curves as lists in the cells, as data frames of histories are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import pyarrow as pa

from lcode.readers.raw import RawTable, as_number
from lcode.readers.understanding.column_words import RUN_NAMES, is_counter
from lcode.table.metric_names import known_metric

_LIST = re.compile(r"\s*[\[(](.*)[\])]\s*", re.DOTALL)
_BETWEEN = re.compile(r"[,;\s]+")
"""A list of Python, or an array of NumPy, in which blanks stand between the numbers."""


def with_lists_as_rows(raw: RawTable) -> RawTable:
    """The table with a row per training and epoch, where its rows are trainings and lists in their cells the curves.

    Single numbers beside the lists are settings, but for metrics: these are what a training came to.
    """
    curves = {name: lists for name, cells in raw.columns.items() if (lists := _lists(cells)) is not None}
    if not any(known_metric(name) is not None for name in curves):
        return raw
    if any(is_counter(name) for name in raw.columns if name not in curves):
        return raw
    sizes = [{len(own[row]) for own in curves.values()} for row in range(len(raw))]
    if any(len(size) != 1 for size in sizes) or sizes == [{1}] * len(sizes):
        return raw
    lengths = [size.pop() for size in sizes]
    rows = np.repeat(np.arange(len(raw)), lengths)
    named = _names_of_rows(raw, curves)
    names = [str(row + 1) for row in range(len(raw))] if named is None else raw.columns[named].to_pylist()
    columns: dict[str, pa.ChunkedArray] = {"run": _column([names[row] for row in rows.tolist()])}
    if not any(is_counter(name) for name in curves):
        columns["epoch"] = _column([at for length in lengths for at in range(1, length + 1)])
    for name, cells in raw.columns.items():
        if name in curves:
            columns[name] = _column([*chain.from_iterable(curves[name])])
        elif name != named and known_metric(name) is None:
            columns[name] = cells.take(pa.array(rows))
    note = f"{raw.path.name}: a row for each training, with its curves as lists in the cells."
    return replace(
        raw,
        columns=columns,
        line_of=lambda row: raw.line_of(int(rows[row])),
        inner_runs=True,
        notes=(*raw.notes, note),
    )


def _lists(cells: pa.ChunkedArray) -> list[list[str]] | None:
    """The numbers in each cell, as text; None where one holds no list of numbers."""
    if not pa.types.is_string(cells.type) or cells.null_count or not len(cells):
        return None
    lists = []
    for cell in cells.to_pylist():
        found = _LIST.fullmatch(cell)
        numbers = [] if found is None else [text for text in _BETWEEN.split(found[1]) if text]
        if not numbers or any(as_number(text) is None for text in numbers):
            return None
        lists.append(numbers)
    return lists


def _names_of_rows(raw: RawTable, curves: Mapping[str, object]) -> str | None:
    """The column that names the trainings: one of the usual names, else the first with another text in each row."""
    others = [name for name in raw.columns if name not in curves]
    usual = [name for name in others if name.strip().lower() in RUN_NAMES]
    return next((name for name in (*usual, *others) if _tells_apart(raw.columns[name], named=name in usual)), None)


def _tells_apart(cells: pa.ChunkedArray, *, named: bool) -> bool:
    told = cells.to_pylist()
    return None not in told and len(set(told)) == len(told) and (named or any(as_number(cell) is None for cell in told))


def _column(cells: Sequence[object]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells)])
