"""Names of runs that stand in the first row of each alone, as cells of a sheet that were merged leave them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lcode.errors import InputError
from lcode.readers.raw import RawTable


def with_names_below(raw: RawTable) -> RawTable:
    """The table with the name of a run in each of its rows, where the epochs begin anew at each name and nowhere else.

    Where they do not, it cannot be said of which run a row is, and the table stays as it is.
    """
    cells = raw.columns["run"]
    if not pa.types.is_string(cells.type) or not 0 < cells.null_count < len(cells):
        return raw
    named = pc.not_equal(pc.utf8_trim_whitespace(cells), "").fill_null(False).to_numpy(zero_copy_only=False)
    try:
        epochs = raw.epochs()
    except InputError:
        return raw  # it is told where the epochs are read
    if not named[0] or not np.array_equal(np.diff(epochs) <= 0, named[1:]):
        return raw
    first = np.flatnonzero(named)[np.cumsum(named) - 1]
    note = f"{raw.path.name}: rows without a run are of the one named above them, since the epochs begin anew at each."
    return replace(raw, columns={**raw.columns, "run": cells.take(pa.array(first))}, notes=(*raw.notes, note))
