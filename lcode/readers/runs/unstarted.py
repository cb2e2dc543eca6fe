"""Candidates in a table: rows with a configuration and neither an epoch nor a value, of runs that have not begun."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lcode.readers.raw import RawTable
from lcode.readers.understanding.layout import read_cells


def without_candidates(raw: RawTable) -> tuple[RawTable | None, RawTable | None]:
    """The rows of runs that have begun, and those of candidates; None where there are none.

    A row without an epoch is a candidate's if it holds no value and its run has no other row. The last line of a
    growing file is none: it may be half written.
    """
    blank = _is_blank(raw.columns["epoch"])
    if raw.unterminated and len(blank):
        blank[-1] = False
    if not blank.any():
        return raw, None
    run, names = raw.names("run")
    begun = np.zeros(len(names) + 1, dtype=bool)
    begun[run[~blank]] = True
    begun[-1] = True  # a row without a name is nobody's
    candidate = blank & ~begun[run]
    if not candidate.any() or len(read_cells(raw.where(candidate)).row):
        return raw, None
    return None if candidate.all() else raw.where(~candidate), raw.where(candidate)


def _is_blank(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Which cells hold nothing."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        empty = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), ""), True)
    else:
        empty = pc.is_null(column, nan_is_null=True)
    return np.array(empty.to_numpy(), dtype=bool)
