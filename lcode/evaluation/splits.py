"""Which runs to learn from and which to be judged on, without the same configuration on both sides."""

from __future__ import annotations

import numpy as np

from lcode.table import RunTable
from lcode.table.groups import configuration_groups


def split_runs(table: RunTable, train_fraction: float, seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Divide the runs at random into a training and a test part.

    Whole groups of `configuration_groups` go to one side, so the parts only come close to the asked share; both get
    a group if there are two.

    Args:
        table: the runs to divide.
        train_fraction: share of the runs to learn from, between 0 and 1.
        seed: the same seed gives the same split.

    Returns:
        Names of the training runs and of the test runs, each in the table's order.
    """
    groups = configuration_groups(table)
    names, sizes = np.unique(groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    taken = np.cumsum(sizes[order])
    count = 1 + int(np.argmin(np.abs(taken - train_fraction * len(table)))) if len(names) else 0
    count = int(np.clip(count, min(1, len(names) - 1), max(len(names) - 1, 0)))
    in_train = np.isin(groups, names[order[:count]])
    runs = np.array(table.run_ids, dtype=object)
    return tuple(runs[in_train]), tuple(runs[~in_train])
