"""What counts the rows of a table under a name that few would think of, and what tells the rows of an epoch apart."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lcode.readers.raw import RawTable, as_number
from lcode.readers.understanding.column_words import EPOCHS, STEPS, ends_in_counter, fixed_in_a_training, why_left_out
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.layout import columns_of_value
from lcode.table.metric_names import known_metric

LONG = 20
"""Rows of a table that tell what it is: a first column of any name counts them, and metrics without any name beside
them are of a training. A table of results is shorter."""


def tells_apart(raw: RawTable, counter: str, name: str, files: NDArray[np.int64] | None = None) -> bool:
    """Whether several rows of an epoch differ in this column, and no two are alike in it.

    Of a table of one value per row, several rows of an epoch and a metric.

    Args:
        raw: the table.
        counter: column that counts the epochs.
        name: the column.
        files: number of each row's file, [N], where the table is of several: each has epochs of its own.
    """
    if raw.columns[counter].null_count or raw.columns[name].null_count:
        return False
    counts, names, *of_value = (
        raw.columns[column].cast(pa.string()).combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy()
        for column in (counter, name, *(other for other in columns_of_value(raw) if other != name))
    )
    epochs = np.stack([np.zeros_like(counts) if files is None else files, counts, *of_value])
    of_names = np.unique(np.concatenate([epochs, names[np.newaxis]]), axis=1)
    return np.unique(epochs, axis=1).shape[1] < len(raw) == of_names.shape[1]


def other_counters(raw: RawTable) -> list[str]:
    """The columns that count by the words of their names, such as `round_num`, and whose numbers differ in each row.

    So do those that are named as a counter within a group of columns, such as `history/epoch`. These come first, in the
    order of `EPOCHS` and `STEPS`, whatever the order of the columns: it may differ between the files of a folder.

    An index counts where a metric was measured on the data of the training and on others: a table of results has one
    as well. So does a first column of any other name in which each number is as much larger than the one before as all
    others are, there or in a long table.
    """
    splits: dict[str, set[str]] = {}
    for name in raw.columns:
        split, bare = split_name(name)
        if known_metric(name) is not None:
            splits.setdefault(bare.lower(), set()).add(split)
    compared = any(len(found) > 1 for found in splits.values())
    reasons = ("counter", "index") if compared else ("counter",)
    found = [
        name
        for reason in reasons
        for name, cells in raw.columns.items()
        if (why_left_out(name) == reason or (reason == "counter" and ends_in_counter(name)))
        and name.strip()
        and len(raw) > 1
        and pc.count_distinct(cells).as_py() == len(raw)
    ]
    found.sort(key=_place)
    first, *others = raw.columns
    unknown = why_left_out(first) is None and known_metric(first) is None and not fixed_in_a_training(first)
    if (len(raw) >= LONG or compared) and splits and unknown and len(raw) > 1 and _counts_on(raw.columns[first]):
        found += [first] if all(as_number(raw.columns[name][0].as_py()) is not None for name in others) else []
    return found


def _place(name: str) -> int:
    """The place of the last part of a name among those that count, behind them where it is none."""
    last, counting = name.rpartition("/")[2].strip().lower(), (*EPOCHS, *STEPS)
    return counting.index(last) if last in counting else len(counting)


def _counts_on(cells: pa.ChunkedArray) -> bool:
    """Whether each number is as much larger than the one before as all others are."""
    numbers = [as_number(cell) for cell in cells.to_pylist()]
    steps = {None if one is None or other is None else other - one for one, other in pairwise(numbers)}
    return len(steps) == 1 and (steps.pop() or 0) > 0
