"""Which run belongs to which fold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.table import RunTable


def assign_folds(table: RunTable, count: int, seed: int) -> NDArray[np.int64]:
    """A fold for each run, [R]; runs of equal configuration share one, so that a twin never gives a fold away.

    Where nothing tells the runs apart (logs without a configuration), each run counts by itself.
    """
    settings = table.configs.drop(columns="seed", errors="ignore").assign(**{"\0arch": table.runs["arch"]})
    group = settings.map(str).groupby(list(settings.columns), sort=False).ngroup().to_numpy()
    if not group.any():
        group = np.arange(len(table))
    order = np.random.default_rng(seed).permutation(group.max() + 1)
    return (order[group] % count).astype(np.int64)
