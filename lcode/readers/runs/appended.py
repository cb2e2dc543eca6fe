"""What a table holds besides one training: others that were appended to it, and what was measured before the first.

A program that opens its log to append, and that is started again, goes on below; nothing names the runs then.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from lcode.errors import InputError
from lcode.readers.printed.runs.text_runs import starts_of
from lcode.readers.raw import RawTable
from lcode.readers.understanding.column_words import STEPS
from lcode.readers.understanding.layout import CONFIG, columns_of_value
from lcode.readers.understanding.learners import is_reward

UNTRAINED = -1
"""How programs count what they measure before the first epoch, where they count epochs from 0."""

_DOWNWARD = 0.8
"""Part of the rows that count less than the one before where the newest stands on top: not all, if that begins anew."""


def one_run_each(table: RawTable, axis: str) -> RawTable:
    """The table with a run for each training in it, where its epochs begin anew; without rows of the untrained network.

    Where the last epoch stands on top, the rows are turned round.

    Of several rows at one step that say what was earned, such as those of the episodes that end there, the mean counts,
    of others the last; of several of one epoch nobody knows which is right.

    Args:
        table: of one run, with columns `run` and `epoch`.
        axis: what `epoch` is called in the file.
    """
    if axis.strip().lower() in STEPS:
        table = replace(_with_means(table), resumed=True)
    try:
        epochs, given = table.numbers("epoch", remedy="it counts")
    except InputError:
        return table  # it is told where the epochs are read
    if not given.all():
        return table
    untrained = epochs == UNTRAINED
    if untrained.any() and (epochs[~untrained] >= 0).all() and not untrained.all():
        note = f"{table.path.name}: left out {untrained.sum()} row(s) at epoch -1, which is before the training."
        kept = table.where(~untrained)
        table, epochs = replace(kept, notes=(*kept.notes, note)), epochs[~untrained]
    of_value = columns_of_value(table)
    if of_value:
        told = np.stack([epochs, *(table.names(name)[0] for name in of_value)])
        if len(np.unique(told, axis=1).T) == len(table):
            return table  # one curve below another
    moves = np.diff(epochs)
    moved, down = int((moves != 0).sum()), int((moves < 0).sum())
    if down >= _DOWNWARD * max(moved, 2):
        note = f"{table.path.name}: its last epoch stands first, so its rows are read from the last one up."
        upward = table.in_order(np.arange(len(table))[::-1])
        table, epochs = replace(upward, notes=(*upward.notes, note)), epochs[::-1]
    starts = starts_of(epochs.tolist())
    if len(starts) == 1:
        return table
    (name,) = table.names("run")[1]
    attempt = np.searchsorted(starts, np.arange(len(epochs)), side="right")
    names = [name if at == 1 else f"{name}#{at}" for at in attempt.tolist()]
    note = f"{table.path.name}: epochs begin anew {len(starts) - 1} times, so it holds {len(starts)} runs."
    columns = {**table.columns, "run": pa.chunked_array([pa.array(names, pa.string())])}
    return replace(table, columns=columns, notes=(*table.notes, note))


def _with_means(table: RawTable) -> RawTable:
    """The table with the means of rows that follow each other at one step, where they tell of rewards."""
    if not any(map(is_reward, table.columns)):
        return table
    try:
        numbers = {
            name: pd.Series(table.numbers(name, remedy="it is measured")[0])
            for name, cells in table.columns.items()
            if name != "run" and not name.startswith(CONFIG) and not pa.types.is_null(cells.type)
        }
    except InputError:
        return table  # it is told where the cells are read
    first = np.flatnonzero(numbers["epoch"].diff().to_numpy() != 0)
    if len(first) == len(table):
        return table
    block = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(table))))
    is_first = np.isin(np.arange(len(table)), first)
    kept = table.where(is_first)
    means = {
        name: pa.chunked_array([pa.array(cells.groupby(block).mean(), pa.float64(), from_pandas=True)])
        for name, cells in numbers.items()
        if name != "epoch"
    }
    note = f"{table.path.name}: {len(table)} rows at {len(first)} steps, of which the means count."
    return replace(kept, columns={**kept.columns, **means}, notes=(*kept.notes, note))
