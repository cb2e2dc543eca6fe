"""Tables in which no column counts the epochs, though their rows are epochs: Keras' `history` saved as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from lcode.readers.column_words import EPOCHS, RUN_NAMES, STEPS, why_left_out, words_of
from lcode.readers.curve_names import split_name
from lcode.table.metric_names import known_metric

Column = TypeVar("Column", pa.Array, pa.ChunkedArray)

COUNTED = "no column counts the epochs, so its rows were counted, from 1."


def with_counted_rows(
    columns: Mapping[str, Column], *, curves: bool = False
) -> tuple[dict[str, Column], list[str]] | None:
    """The table with a column of epochs, and remarks; None where its rows may be anything.

    Args:
        columns: column by name.
        curves: whether the rows are known to follow each other in time. If not, it is told from a metric that was
            measured on the data of the training and on others, or if all columns are losses, and from the absence of
            any text: a table of results has a name in each row.
    """
    lower = {name.strip().lower() for name in columns}
    if lower & {*EPOCHS, *STEPS}:
        return dict(columns), []
    if not columns or lower & set(RUN_NAMES):
        return None
    named = [name for name, column in columns.items() if why_left_out(name) is None and not _is_numeric(column)]
    metrics = [split_name(name) for name in columns if known_metric(name) is not None]
    measured = {
        bare.lower(): {split for split, other in metrics if other.lower() == bare.lower()} for _, bare in metrics
    }
    all_losses = len(columns) > 1 and all("loss" in words_of(name) for name in columns)
    told = measured if curves else all_losses or any(len(splits) > 1 for splits in measured.values())
    if named or not told:
        return None
    size = len(next(iter(columns.values())))
    counted = pa.array(range(1, size + 1), pa.int64())
    first = next(iter(columns.values()))
    return {"epoch": pa.chunked_array([counted]) if isinstance(first, pa.ChunkedArray) else counted, **columns}, [
        COUNTED
    ]


def _is_numeric(column: pa.Array | pa.ChunkedArray) -> bool:
    if not pa.types.is_string(column.type):
        return True
    try:
        pc.cast(column, pa.float64())
    except pa.ArrowInvalid:
        return False
    return True
