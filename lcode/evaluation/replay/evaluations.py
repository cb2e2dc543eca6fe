"""Runs that count steps, counted by evaluations: the epochs that rules which stop runs mean by their settings."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lcode.table import RunTable
from lcode.table.points import plain

SPARSE = 0.5
"""Runs that report at fewer of their epochs than this share count steps."""


def by_evaluations(table: RunTable) -> RunTable:
    """The same runs with their evaluations as epochs 1, 2, 3 … where a usual run reports at few of its epochs.

    A rule that stops after three epochs, or halves at 3, 9 and 27, would else decide at the first evaluation of a run
    that is evaluated every thousand steps. What is saved is then counted in evaluations, too: runs of one sweep that
    are evaluated at a fixed rate of time rather than of steps are so weighed by their time.

    Args:
        table: finished runs. Signals between evaluations, and learning rates of planned steps, are left out.
    """
    epochs = plain(table.points)[["run", "epoch"]].drop_duplicates().sort_values(["run", "epoch"])
    counts = epochs.groupby("run").size().reindex(list(table.run_ids), fill_value=0)
    if not len(table) or np.median(counts / np.maximum(table.runs["horizon"] * table.epoch_unit, 1)) >= SPARSE:
        return table
    epochs["evaluation"] = epochs.groupby("run").cumcount() + 1

    def counted(points: pd.DataFrame) -> pd.DataFrame:
        found = plain(points).merge(epochs, on=["run", "epoch"])
        return found.drop(columns="epoch").rename(columns={"evaluation": "epoch"})

    return RunTable.from_points(
        counted(table.points),
        table.metrics,
        runs=table.runs.assign(horizon=counts.to_numpy()),
        configs=table.configs,
        graphs=table.graphs,
        signals=counted(table.signals),
        notes=table.notes,
    )
