"""Of which part of the data a row is, by a word in one of its cells: `val`, or `train_step` among other events."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from lcode.readers.raw import RawTable
from lcode.readers.understanding.column_words import is_counter, words_of
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import NEUTRAL, SPLITS

_OF_EVENTS = NEUTRAL | frozenset(
    ("end", "start", "begin", "done", "finished", "loop", "log", "logs", "summary", "event")
)
"""Words of an event that say nothing of the data: `validation_epoch_end`."""


def parts_said(raw: RawTable, name: str) -> dict[str, str] | None:
    """What each cell of a column says of the data, None where it is of something else.

    All cells are parts of the data; or some are, with other words at most, and the rows of the others, such as those of
    a checkpoint, hold nothing that is measured: these cells are left out.

    Args:
        raw: a table with a column for each curve.
        name: the column.
    """
    cells = raw.columns[name]
    if not pa.types.is_string(cells.type) or cells.null_count == len(cells):
        return None
    told = [str(cell) for cell in cells.drop_null().unique().to_pylist()]
    if all(cell.strip().lower() in SPLITS for cell in told):
        return {cell: cell.strip().lower() for cell in told}
    parts = {cell: part for cell in told if (part := _part_of(cell)) is not None}
    if cells.null_count or not parts or len(set(parts.values())) < len(parts):
        return None
    others = pc.invert(pc.is_in(cells, pa.array([*parts])))
    for column, values in raw.columns.items():
        if known_metric(column) is not None and not is_counter(column):
            counted = [pc.sum(values.is_valid().filter(mask)).as_py() or 0 for mask in (others, pc.invert(others))]
            if all(counted):
                return None
    return parts


def of_parts(raw: RawTable, name: str, parts: Mapping[str, str]) -> RawTable:
    """The rows that are of a part of the data."""
    kept = pc.fill_null(pc.is_in(raw.columns[name], pa.array([*parts], pa.string())), True).to_numpy()
    return raw if kept.all() or raw.columns[name].null_count else raw.where(kept)


def _part_of(cell: str) -> str | None:
    """The one word of a cell that is of a part of the data, where the others say nothing else."""
    words = [word for word in words_of(cell) if word in SPLITS]
    # What is done with batches is told of the training, unless another word says of what it is.
    named = {SPLITS[word]: word for word in words if word not in ("batch", "minibatch") or len(words) == 1}
    return next(iter(named.values())) if len(named) == 1 and _OF_EVENTS.issuperset(words_of(cell)) else None
