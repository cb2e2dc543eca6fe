"""The two layouts of a table of runs: wide (a column per curve) and long (a row per measured value)."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lcode.errors import InputError
from lcode.readers.raw import RawTable
from lcode.readers.understanding.rates import is_rate
from lcode.table.metric import MAIN_TASK, Metric, split_key

RUN_LEVEL = ("status", "arch", "seed")
"""Columns that describe a run: constant within it."""

RESERVED = ("run", "epoch", "seconds", "lr", "horizon", *RUN_LEVEL)
CONFIG = "config."

SIGNAL = "signal."
"""Prefix of columns that the user declares to be no scores."""

_LONG = ("task", "metric", "value")
_NOT_MEASURED = "leave the cell empty where nothing was measured, or write nan where the run diverged"


@dataclass(frozen=True)
class Cells:
    """The measured values of a table, in any order.

    Attributes:
        row: row of the table each value stands in, shape [N].
        metric: index into `keys`, shape [N].
        value: measured value, NaN or infinite where the run diverged, shape [N].
        keys: keys of the curves, in column order.
        columns: column in which the values of each key stand.
        rate: learning rate of each row of the table, NaN where it is not given.
        notes: remarks for the user.
    """

    row: NDArray[np.int64]
    metric: NDArray[np.int64]
    value: NDArray[np.float64]
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    rate: NDArray[np.float64]
    notes: tuple[str, ...] = ()


def is_own_form(names: Sequence[str]) -> bool:
    """Whether a table is written for lcode, by its `run` and `epoch`: what is odd in it is then a mistake.

    Its writer wants to know of two columns of one name, and of a cell that is no number. Of other people's tables the
    best is made, with a remark.
    """
    return {"run", "epoch"} <= set(names)


def check_long(raw: RawTable) -> None:
    """Refuse a table of one value per row that lacks one of its columns.

    Raises:
        InputError: the message names the column.
    """
    if ("metric" in raw.columns) != ("value" in raw.columns) and "task" in raw.columns:
        missing = "value" if "metric" in raw.columns else "metric"
        found = list(raw.columns)
        close = difflib.get_close_matches(missing, found, 1)
        advice = f"rename '{close[0]}' to '{missing}'" if close else f"add a column '{missing}'"
        raise InputError(
            f"there is no column '{missing}'; found: {', '.join(found)}. To mend it, {advice}", path=raw.path, line=1
        )


def read_cells(raw: RawTable) -> Cells:
    """The measured values of a wide or a long table.

    Raises:
        InputError: no curve, a curve given twice, a column that no long table has, or a cell that is not numeric.
    """
    return _long(raw) if is_long(raw) else _wide(raw)


def is_long(raw: RawTable) -> bool:
    """Whether each row of the table holds one value."""
    return "metric" in raw.columns and "value" in raw.columns


def columns_of_value(raw: RawTable) -> tuple[str, ...]:
    """The columns of a table of one value per row that say what it is of; none where each column holds a curve."""
    return tuple(name for name in ("metric", "task", "split") if name in raw.columns) if is_long(raw) else ()


def _wide(raw: RawTable) -> Cells:
    by_key: dict[str, str] = {}
    rates = [name for name in raw.columns if is_rate(name) and not name.startswith(CONFIG)]
    for name in raw.columns:
        if name in RESERVED or name in rates or name.startswith(CONFIG):
            continue
        key = _key(*split_key(name))
        if key in by_key:
            raise InputError(f"is the same curve as '{by_key[key]}'; remove one", path=raw.path, line=1, column=name)
        by_key[key] = name
    if not by_key:
        raise InputError(
            f"no column holds a curve; found only {', '.join(raw.columns)}. Add a column per curve, named task/metric",
            path=raw.path,
            line=1,
        )
    remedy = _NOT_MEASURED + f"; if this is no curve, rename the column to '{CONFIG}{{}}' or remove it"
    read = [raw.numbers(name, remedy=remedy.format(name)) for name in by_key.values()]
    metric, row = np.nonzero(np.stack([given for _, given in read]))
    value = np.stack([values for values, _ in read])[metric, row]
    chosen, notes = _chosen_rate(raw, rates)
    return Cells(row, metric, value, tuple(by_key), tuple(by_key.values()), _rate_column(raw, chosen), notes)


def _long(raw: RawTable) -> Cells:
    for column in raw.columns:
        if column not in RESERVED + _LONG and not column.startswith(CONFIG) and not is_rate(column):
            raise InputError(
                f"is no column of a table with one value per row (run, epoch, task, metric, value); rename it to "
                f"'{CONFIG}{column}' if it is a hyper-parameter, or remove it",
                path=raw.path,
                line=1,
                column=column,
            )
    value, given = raw.numbers("value", remedy=_NOT_MEASURED)
    metric, metrics = raw.names("metric")
    unnamed = np.flatnonzero(given & (metric < 0))
    if len(unnamed):
        raise raw.error(int(unnamed[0]), "metric", "the cell is empty; name the metric of every value")
    task, tasks = raw.names("task") if "task" in raw.columns else (np.full(len(raw), -1), [])
    row = np.flatnonzero(given)
    pairs, first, place = np.unique(
        (task[row] + 1) * len(metrics) + metric[row], return_index=True, return_inverse=True
    )
    keys = []
    for pair in pairs:
        task_code, metric_code = divmod(int(pair), len(metrics))
        name = metrics[metric_code]
        # A value without a task belongs to the main one, unless its metric carries a task's name.
        keys.append(_key(tasks[task_code - 1], name) if task_code else _key(*split_key(name)))
    ordered = tuple(dict.fromkeys(keys[i] for i in np.argsort(first)))
    rates = [key for key in ordered if is_rate(key)]  # as TensorBoard's exports have it
    curves = tuple(key for key in ordered if key not in rates)
    places = {key: i for i, key in enumerate((*curves, *rates))}
    code = np.array([places[key] for key in keys], dtype=np.int64)[place]
    chosen, notes = _chosen_rate(raw, [name for name in raw.columns if is_rate(name)] + rates)
    rate = _rate_column(raw, chosen).copy()
    if chosen not in raw.columns:
        its = code == places.get(chosen, -1)
        rate[row[its]] = value[row[its]]
    measured = code < len(curves)
    return Cells(row[measured], code[measured], value[row[measured]], curves, ("value",) * len(curves), rate, notes)


def _chosen_rate(raw: RawTable, names: list[str]) -> tuple[str | None, tuple[str, ...]]:
    """Which of the columns or metrics that are rates by name is the learning rate, and what to tell the user."""
    if not names:
        return None, ()
    chosen = "lr" if "lr" in names else names[0]
    others = [name for name in names if name != chosen]
    notes = [f"{raw.path.name}: '{chosen}' is read as the learning rate."] if chosen != "lr" else []
    if others:
        notes.append(f"{raw.path.name}: a run has one learning rate, '{chosen}'; left out: {', '.join(others)}.")
    return chosen, tuple(notes)


def _rate_column(raw: RawTable, name: str | None) -> NDArray[np.float64]:
    """The learning rate of each row; NaN where the cell is empty or there is no such column."""
    if name is None or name not in raw.columns:
        return np.full(len(raw), np.nan)
    return raw.numbers(name, remedy="leave the cell empty where it is not known")[0]


def _key(task: str, name: str) -> str:
    """The key of a curve; `main/acc` and `acc` are one."""
    return Metric(task or MAIN_TASK, name, "min").key
