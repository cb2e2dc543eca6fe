"""Tables in which other columns than one of runs name the run: a dataset and a model, or the settings of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lcode.errors import InputError
from lcode.readers.raw import RawTable, as_number
from lcode.readers.understanding.column_words import (
    OTHER_RUN_NAMES,
    RUN_NAMES,
    is_counter,
    plain_name,
    why_left_out,
    words_of,
)
from lcode.readers.understanding.layout import CONFIG, RESERVED, SIGNAL, columns_of_value
from lcode.readers.understanding.rates import is_rate
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS

_OF_TASKS = ("task", "tasks", "class", "category", "target", "head", "output", "layer")
"""Columns that say of what a row of a run is."""

_OF_LINES = ("event", "event_name", "event_type", "msg", "message", "level", "logger")
"""Columns that say what happened when a row was logged."""

_NAMING = frozenset(("name", "id", "hash", "uuid", "key", "label", "title", "run", "exp", "experiment", "trial"))
"""Words of a column that only names the runs, and is no setting of theirs."""

_FEWEST = 2
"""Rows that runs have on average: a text that is another in each row names none."""


def with_joined_names(raw: RawTable) -> RawTable:
    """The table with a column `run` of what names each run, where other columns than one of runs tell the rows apart.

    Of a table of one value per row, the rows of a metric. Columns that usually name runs are taken first, then others
    of words, then numbers that are the same as long as the epochs go on; from the left, and only as many as it takes.
    """
    counters = [name for name in raw.columns if is_counter(name)]
    if not counters or "run" in raw.columns or not len(raw):
        return raw
    if any(raw.columns[name].null_count for name in counters):
        return raw
    of_value = columns_of_value(raw)
    not_names = (*of_value, "value") if of_value else ()
    usual = [name for name in raw.columns if plain_name(name) in (*RUN_NAMES, *OTHER_RUN_NAMES)]
    others = [name for name in raw.columns if name not in usual and name not in not_names and _may_name(name)]
    words = [name for name in others if _is_of_words(raw, name)]
    rates = [name for name in raw.columns if is_rate(name)]
    settings = [name for name in (*others, *rates) if name not in words and _is_setting(raw, counters[0], name)]
    names = [name for name in (*usual, *words, *settings) if not raw.columns[name].null_count]
    counts = reduce(_joined, (_codes(raw, name) for name in (*counters, *of_value)))
    taken = {names[at] for at in _telling(counts, [_codes(raw, name) for name in names])}
    if not taken or (len(taken) == 1 and taken <= set(usual)):  # which is a column of runs
        return raw
    texts = []
    for name in raw.columns:
        if name in taken:
            cells = raw.columns[name].cast(pa.string()).combine_chunks()
            texts.append(pc.binary_join_element_wise(name, cells, "=") if name in settings else cells)
    only_names = {name for name in taken if len(taken) == 1 and not _NAMING.isdisjoint(words_of(name))}
    kept = {name: cells for name, cells in raw.columns.items() if name not in only_names}
    return replace(raw, columns={"run": pa.chunked_array([pc.binary_join_element_wise(*texts, "/")]), **kept})


def _telling(counts: NDArray[np.int64], columns: Sequence[NDArray[np.int64]]) -> list[int]:
    """The places of the columns that together tell apart the rows of each count; none where nothing does."""
    taken: list[int] = []
    runs = np.zeros(len(counts), dtype=np.int64)
    for at, codes in enumerate(columns):
        if _distinct(runs, counts) == len(counts):
            break
        joined = _joined(runs, codes)
        if joined.max() > runs.max():
            taken, runs = [*taken, at], joined
    whole = _distinct(runs, counts) == len(counts) and _FEWEST * (int(runs.max()) + 1) <= len(counts)
    return taken if whole else []


def _joined(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """A code from 0 on for each pair of codes, [N]."""
    return np.unique(one * (int(other.max()) + 1) + other, return_inverse=True)[1]


def _distinct(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    return int(_joined(one, other).max()) + 1


def _codes(raw: RawTable, name: str) -> NDArray[np.int64]:
    cells = raw.columns[name].cast(pa.string()).combine_chunks().dictionary_encode()
    return np.asarray(cells.indices.fill_null(len(cells.dictionary)).to_numpy(), dtype=np.int64)


def _may_name(name: str) -> bool:
    """Whether a column says by its name neither what is measured nor of which task."""
    if (
        name.strip().lower() in (*RESERVED, *_OF_TASKS, *_OF_LINES)
        or name.startswith((CONFIG, SIGNAL))
        or is_counter(name)
    ):
        return False
    return why_left_out(name) is None and known_metric(name) is None


def _is_of_words(raw: RawTable, name: str) -> bool:
    cells = raw.columns[name]
    if not pa.types.is_string(cells.type) or as_number(cells[0].as_py()) is not None:
        return False
    told = cells.drop_null().unique().to_pylist()
    parts = all(cell.strip().lower() in SPLITS for cell in told)
    return not parts and all(as_number(cell) is None for cell in told)


def _is_setting(raw: RawTable, counter: str, name: str) -> bool:
    """Whether a column has one number from each beginning of the epochs to the next, and not the same in all."""
    try:
        counts, numbers = (raw.numbers(column, remedy="it counts")[0] for column in (counter, name))
    except InputError:
        return False
    begins = np.diff(counts) <= 0
    return bool(begins.any() and not np.any(np.diff(numbers)[~begins]) and np.any(np.diff(numbers)))
