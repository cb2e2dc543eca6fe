"""Tables with other columns each, one below another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lcode.readers.raw import RawTable


def one_below_another(raws: Sequence[RawTable]) -> RawTable:
    """One table of the rows of several; what a table has no column for is null in its rows."""
    names = dict.fromkeys(name for raw in raws for name in raw.columns)
    sizes = [len(raw) for raw in raws]
    starts = np.concatenate([[0], np.cumsum(sizes)])

    def owner(row: int) -> int:
        return int(np.searchsorted(starts, row, side="right")) - 1

    return RawTable(
        path=raws[-1].path,
        columns={name: _stacked([raw.columns.get(name, pa.nulls(len(raw))) for raw in raws]) for name in names},
        line_of=lambda row: raws[owner(row)].line_of(row - int(starts[owner(row)])),
        file_of=lambda row: raws[owner(row)].file(row - int(starts[owner(row)])),
        notes=tuple(note for raw in raws for note in raw.notes),
        resumed=any(raw.resumed for raw in raws),
        own_form=any(raw.own_form for raw in raws),
    )


def _stacked(columns: Sequence[pa.ChunkedArray | pa.Array]) -> pa.ChunkedArray:
    """One column below the other: numbers stay numbers, and what is text in one file is text in all."""
    kinds = {column.type for column in columns if not pa.types.is_null(column.type)}
    if len(kinds) > 1:
        numbers = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds)
        kinds = {pa.float64() if numbers else pa.string()}
    kind = kinds.pop() if kinds else pa.null()
    whole = [column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column for column in columns]
    return pa.chunked_array([pc.cast(column, kind, safe=False) for column in whole], kind)
