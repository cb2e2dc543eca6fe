"""Rows below a table that sum it up: the mean, the best, a total."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lcode.readers.raw import RawTable, as_number
from lcode.readers.understanding.column_words import EPOCHS, STEPS
from lcode.show import counted
from lcode.table.metric_names import known_metric

_FOOTER = re.compile(
    r"\s*(best|mean|avg|average|median|std|min|max|sum|total|final|last|overall|summary|test)\b.*", re.IGNORECASE
)


def without_footers(raw: RawTable, *, named: bool = False) -> RawTable:
    """The table without rows of which the counter says nothing though they hold values: sums, means, the best.

    Args:
        raw: the table.
        named: whether only rows at the end count as such, of which the counter's cell says what they are.
    """
    counter = next((name for name in raw.columns if name.strip().lower() in (*EPOCHS, *STEPS)), None)
    if counter is None:
        return raw
    cells = raw.columns[counter].to_pylist()
    numbers = [None if cell is None else as_number(cell) for cell in cells]
    metrics = [column for name, column in raw.columns.items() if known_metric(name) is not None]
    measured = np.logical_or.reduce([np.zeros(len(raw), bool), *(column.is_valid().to_numpy() for column in metrics)])
    is_row = np.array([number is not None for number in numbers], dtype=bool) | ~measured
    if named and not _are_footers(cells, is_row):
        return raw
    if is_row.all() or 2 * is_row.sum() < len(is_row):
        return raw
    kept = raw.where(is_row)
    note = f"{raw.path.name}: left out {counted(int((~is_row).sum()), 'row')} of which '{counter}' says no number."
    column = pa.array([number for number, here in zip(numbers, is_row, strict=True) if here], pa.float64())
    return replace(kept, columns={**kept.columns, counter: pa.chunked_array([column])}, notes=(*raw.notes, note))


def _are_footers(cells: Sequence[Any], is_row: NDArray[np.bool_]) -> bool:
    """Whether the other rows stand below those of the table, and say what they are."""
    others = np.flatnonzero(~is_row)
    below = len(others) > 0 and int(others[0]) == len(is_row) - len(others)
    return below and all(_FOOTER.fullmatch(str(cells[at])) is not None for at in others.tolist())
