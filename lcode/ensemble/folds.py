"""Which run belongs to which fold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.table import RunTable
from lcode.table.groups import configuration_groups

NEVER_OUT = -1
"""Fold of a run that is never left out: one of another problem."""


def assign_folds(table: RunTable, count: int, seed: int) -> NDArray[np.int64]:
    """A fold for each run, [R]; runs of equal configuration share one, so that a twin never gives a fold away.

    Where nothing tells the runs apart (logs without a configuration), each run counts by itself.
    """
    group = configuration_groups(table)
    order = np.random.default_rng(seed).permutation(group.max() + 1)
    return (order[group] % count).astype(np.int64)
