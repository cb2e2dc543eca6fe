"""Rows in which nothing stands but what is left out, such as readings of the machine: they are no epochs.

Behind the last evaluation they would be taken for epochs without a value, as those of a training that has diverged.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.readers.raw import RawTable
from lcode.readers.understanding.columns import Roles


def without_left_out_rows(raw: RawTable, roles: Roles) -> RawTable:
    """The table without rows that hold values of columns that are left out, and of no other.

    Args:
        raw: what a tool logged: an empty cell says that nothing was logged, and not that it was no number.
        roles: what its columns are.
    """
    counting = {roles.run, roles.axis, roles.counter, *roles.config}
    of_no_use = [name for name, why in roles.left_out.items() if why != "counter"]
    kept = [name for name in raw.columns if name not in counting and name not in roles.left_out]
    if not of_no_use or not kept:
        return raw
    alone = _filled(raw, of_no_use) & ~_filled(raw, kept)
    return raw.where(~alone) if alone.any() and not alone.all() else raw


def _filled(raw: RawTable, names: list[str]) -> NDArray[np.bool_]:
    """Whether any of these columns is given, by row, [N]."""
    return np.logical_or.reduce([raw.columns[name].is_valid().to_numpy() for name in names])
