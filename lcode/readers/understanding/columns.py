"""Which column of a table names the run, which counts the epochs, and which are no curves: settled before any is read.

A table that has `run` and `epoch` and nothing but curves stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lcode.errors import InputError
from lcode.readers.choices import Choices
from lcode.readers.raw import RawTable, as_number
from lcode.readers.understanding.column_words import EPOCHS, OTHER_RUN_NAMES, RUN_NAMES, STEPS, plain_name, why_left_out
from lcode.readers.understanding.counters import other_counters, tells_apart
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.layout import CONFIG, RESERVED, SIGNAL, check_long, is_long
from lcode.readers.understanding.rates import is_rate, may_be_set
from lcode.readers.understanding.uncounted import without_epochs
from lcode.table.metric_names import known_metric
from lcode.table.other_languages import name_in_english

FEW_EPOCHS, MANY_EVALUATIONS = 2, 6
"""With at most so many epochs per run and at least so many evaluations the steps are the axis: a language model is
trained for one epoch; of a lone epoch three tell more than their last. So they are where held-out data were measured as
often within each epoch."""

_FALLING = 0.1
"""Part of the rows in which a counter may go back, as where trainings were appended to a log."""

FEWEST = 3
"""Rows of a run that it takes to see that a column counts, or that it is constant."""

_WORD = re.compile(r"(?!(?:none|null|n/?a)$).*[^\W\d_]{2}.*|[{\[(].*[)\]}]", re.IGNORECASE | re.DOTALL)
"""What is no number and no mark of a missing one: a word, or an object or a list that was written into a cell."""

_LONG_NAMES = ("task", "metric", "value", "split")


@dataclass(frozen=True)
class Roles:
    """What the columns of a table are.

    Attributes:
        run: column that names the run; None: the file does.
        axis: column that counts the epochs.
        counter: column that counts the rows of an epoch, where it has several.
        config: columns that are hyper-parameters, constant in every run.
        left_out: other columns that are not read, and why.
    """

    run: str | None
    axis: str
    counter: str | None = None
    config: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)

    def apply(self, raw: RawTable, run: str) -> RawTable:
        """The table with the columns' names that every table has; `run` is the run's name where no column says it."""
        columns: dict[str, pa.ChunkedArray] = {}
        if self.run is None:
            columns["run"] = pa.chunked_array([pa.array([run] * len(raw), pa.string())])
        for name, column in raw.columns.items():
            if name == self.run:
                columns["run"] = column
            elif name == self.axis:
                columns["epoch"] = column
            elif name == self.counter:
                columns["step"] = column
            elif name in self.config:
                columns[CONFIG + name] = column
            elif name not in self.left_out:
                columns[name] = column
        if "split" in columns and "metric" in columns and "value" in columns:
            columns["task"] = _with_split(columns.pop("split"), columns.get("task"))
        return replace(raw, columns=columns)


def _with_split(split: pa.ChunkedArray, task: pa.ChunkedArray | None) -> pa.ChunkedArray:
    """The tasks of a table of one value per row, each with the part of the data before it: `val/seg`."""
    if task is None:
        return split
    named = pc.binary_join_element_wise(split.cast(pa.string()), task.cast(pa.string()), "/")
    return pc.coalesce(named, task.cast(pa.string()))


def settle_roles(
    raw: RawTable,
    choices: Choices,
    *,
    files: NDArray[np.int64] | None = None,
    stated: Collection[str] = (),
    logged: bool = False,
) -> Roles:
    """What the columns of a table are, or of several with the same columns, one below the other.

    Args:
        raw: the table.
        choices: what the user says.
        files: number of each row's file, [N], where a file holds one run unless a column names it.
        stated: curves that the user named, which are curves whatever their names and cells say.
        logged: whether a tool logged the rows. It keeps settings elsewhere, so that what is the same in all runs, such
            as a statistic of a layer that is not trained, is none.

    Raises:
        InputError: no column counts the epochs, or the one that the user named is not there.
    """
    check_long(raw)
    names = list(raw.columns)
    for name in (*choices.config, *([choices.epoch] if choices.epoch else ())):
        if name not in raw.columns:
            raise InputError(f"there is no column '{name}'; found: {', '.join(names)}", path=raw.path)
    run = _run_column(raw, files)
    runs = raw.names(run)[0] if run is not None else np.zeros(len(raw), dtype=np.int64) if files is None else files
    axis, counter, others = _axis(raw, runs, choices)
    left_out = dict.fromkeys(others, "counter")
    config = list(choices.config)
    long = is_long(raw)
    rates = {name for name in names if is_rate(name)} - _set_rates(raw, runs)
    for name in names:
        taken = name in (run, axis, counter, *others, *config, *stated) or name.startswith((CONFIG, SIGNAL))
        if taken or (name in RESERVED and name != "epoch") or name in rates or (long and name in _LONG_NAMES):
            continue
        reason = "asked for" if choices.ignores(name) else why_left_out(name)
        if reason is None and (known_metric(name) is None or _is_of_words(raw.columns[name])):
            kind = _kind(raw, name, runs)
            if kind == "config" and logged and pc.count_distinct(raw.columns[name]).as_py() == 1:
                kind = "constant"
            if kind == "config":
                config.append(name)
                continue
            reason = kind
        if reason is None and long and not raw.own_form and name != "epoch":
            reason = "beside the values"
        if reason is not None:
            left_out[name] = reason
    return Roles(run, axis, counter, tuple(config), left_out)


def _set_rates(raw: RawTable, runs: NDArray[np.int64]) -> set[str]:
    """The rates that are settings: the same all through each run, where there are several that differ."""
    rates = [name for name in raw.columns if is_rate(name)]
    if all(raw.columns[name].equals(raw.columns[rates[0]]) for name in rates):
        return set()
    return {name for name in rates if may_be_set(name) and _kind(raw, name, runs) == "config"}


def _run_column(raw: RawTable, files: NDArray[np.int64] | None) -> str | None:
    """The column that names the run, in each of the files."""
    by_lower = {name_in_english(name).strip().lower(): name for name in reversed(list(raw.columns))}
    by_words = {plain_name(name): name for name in reversed(list(raw.columns))}
    for wanted in RUN_NAMES:
        name = by_lower.get(wanted, by_words.get(wanted))
        if name is not None and (wanted == "run" or raw.columns[name].null_count == 0):
            return name
    counter = next((by_lower[wanted] for wanted in (*EPOCHS, *STEPS) if wanted in by_lower), None)
    for wanted in OTHER_RUN_NAMES if counter is not None else ():
        name = by_lower.get(wanted)
        if name is not None and raw.columns[name].null_count == 0 and tells_apart(raw, str(counter), name, files):
            return name
    return None


def _axis(raw: RawTable, runs: NDArray[np.int64], choices: Choices) -> tuple[str, str | None, list[str]]:
    """The column that counts the epochs, the one that counts their rows where they have several, and other counters."""
    by_lower = {name_in_english(name).strip().lower(): name for name in reversed(list(raw.columns))}
    epochs = [by_lower[wanted] for wanted in EPOCHS if wanted in by_lower]
    steps = [by_lower[wanted] for wanted in STEPS if wanted in by_lower]
    found = [*epochs, *steps]
    counted = [name for name in found if _counts(raw, name)]
    whole = [name for name in counted if _rises(raw, name, runs)]
    whole = whole or [name for name in counted if not _is_set(raw, name, runs)]
    whole = whole or [name for name in other_counters(raw) if _counts(raw, name) and _rises(raw, name, runs)]
    later = next((name for name in steps if name in whole), None)
    if choices.epoch is not None:
        axis = choices.epoch
    elif "epoch" in raw.columns and ("epoch" in whole or not whole):
        axis = "epoch"  # its cells are checked where it is read: an error names the line
    elif whole:
        axis = whole[0]
    else:
        raise InputError(
            f"no column counts the epochs or steps; found: {', '.join(raw.columns)}; {without_epochs(raw)}",
            path=raw.path,
        )
    counter = None
    if later is None and axis in whole and axis in epochs:
        counter = _within(raw, runs, axis, [name for name in steps if name in counted])
    elif axis in whole and axis in epochs and later is not None:
        at = raw.numbers(axis, remedy="it counts")[0]
        if len(np.unique(np.stack([runs, at]), axis=1).T) < len(raw):
            if choices.epoch is None and _several(raw, runs, axis, later, found):
                axis = later
            else:
                counter = later
    return axis, counter, [name for name in found if name not in (axis, counter)]


def _within(raw: RawTable, runs: NDArray[np.int64], epoch: str, steps: Sequence[str]) -> str | None:
    """The counter that begins anew with each epoch, as that of batches does; None where there is none."""
    at = raw.numbers(epoch, remedy="it counts")[0]
    epochs = np.unique(np.stack([runs.astype(float), at]), axis=1, return_inverse=True)[1].reshape(-1)
    if int(epochs.max(initial=0)) + 1 == len(raw):
        return None
    return next((name for name in steps if _rises(raw, name, epochs)), None)


def _counts(raw: RawTable, name: str) -> bool:
    """Whether every cell of the column is a number of at least 0."""
    column = raw.columns[name]
    if column.null_count or not len(raw):
        return False
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return False
    try:
        return bool(pc.min(pc.cast(column, pa.float64())).as_py() >= 0)
    except pa.ArrowInvalid:
        return False


def _rises(raw: RawTable, name: str, runs: NDArray[np.int64]) -> bool:
    """Whether nearly no row of a run counts less than the row before: the steps of each episode count nothing."""
    numbers = raw.numbers(name, remedy="it counts")[0]
    within = runs[1:] == runs[:-1]
    falling = int(np.count_nonzero((np.diff(numbers) < 0) & within))
    return falling <= _FALLING * max(int(np.count_nonzero(within)), 1)


def _is_set(raw: RawTable, name: str, runs: NDArray[np.int64]) -> bool:
    """Whether a number goes back in many rows of a run, and comes again: as many epochs as a training was to take.

    Where trainings were appended it goes back to the first one.
    """
    if is_long(raw):
        return False  # one metric below another
    numbers = raw.numbers(name, remedy="it counts")[0]
    within = runs[1:] == runs[:-1]
    back = (np.diff(numbers) < 0) & within & (numbers[1:] > numbers.min())
    again = np.unique(np.stack([runs, numbers]), axis=1).shape[1] < len(raw)
    return again and int(np.count_nonzero(back)) > _FALLING * max(int(np.count_nonzero(within)), 1)


def _several(raw: RawTable, runs: NDArray[np.int64], epoch: str, step: str, counters: Sequence[str]) -> bool:
    """Whether the curves that are measured least often were measured many times in very few epochs, or in each.

    What is logged of the training alone may be every batch of it: then the last of each epoch counts.
    """
    curves = [
        name
        for name in raw.columns
        if name not in counters and name not in RESERVED and not is_rate(name) and why_left_out(name) is None
    ]
    given = [raw.columns[name].is_valid().to_numpy() for name in curves]
    given = [cells for cells in given if cells.any()]
    if not given:
        return False
    rows = np.flatnonzero(min(given, key=np.count_nonzero))
    epochs, steps = (
        np.bincount(
            np.unique(np.stack([runs[rows], raw.numbers(name, remedy="it counts")[0][rows]]), axis=1)[0].astype(int)
        )
        for name in (epoch, step)
    )
    if epochs.max() <= FEW_EPOCHS:
        fewest = FEWEST if epochs.max() == 1 else MANY_EVALUATIONS
        return bool(np.median(steps[steps > 0]) >= fewest)
    evaluated = any(split_name(name)[0] in ("val", "test") for name in curves)
    anew = 2 * steps.sum() < len(rows)  # batches are counted from 0 in each epoch
    return evaluated and not anew and bool(np.median((steps / np.maximum(epochs, 1))[steps > 0]) >= MANY_EVALUATIONS)


def _kind(raw: RawTable, name: str, runs: NDArray[np.int64]) -> str | None:
    """`config`, or why the column is left out, by its cells; None: it is a curve, for all that its cells say."""
    column = raw.columns[name]
    given = column.is_valid().to_numpy()
    if not given.any():
        return None  # an empty column is told later
    rows = np.flatnonzero(given)
    at = runs[rows]
    cells = column.filter(pa.array(given)).combine_chunks().dictionary_encode()
    codes, distinct = cells.indices.to_numpy(), cells.dictionary.to_pylist()
    if all(isinstance(value, bool) or as_number(value) is None for value in distinct):
        return "config" if _constant(codes, at) else "text"
    if any(as_number(value) is None for value in distinct):
        return None  # a wrong cell is told where it is read
    if len(rows) < FEWEST * len(np.unique(at)):
        return None
    if _constant(codes, at):
        return "config"
    numbers = np.array([as_number(value) for value in distinct], dtype=float)[codes]
    if not np.isfinite(numbers).all():
        return None
    order = np.argsort(at, kind="stable")
    within = at[order][1:] == at[order][:-1]
    steps = np.diff(numbers[order])[within]
    if np.all(numbers == np.floor(numbers)) and np.all(steps > 0) and np.ptp(steps) == 0:
        return "counter"
    return None


def _is_of_words(column: pa.ChunkedArray) -> bool:
    """Whether every cell that is filled holds a word or an object, so that it is no curve whatever its name."""
    if len(column) - column.null_count < FEWEST or not pa.types.is_string(column.type):
        return False
    words = [word.strip() for word in column.drop_null().unique().to_pylist()]
    return all(as_number(word) is None and _WORD.fullmatch(word) is not None for word in words)


def _constant(codes: NDArray[np.int64], runs: NDArray[np.int64]) -> bool:
    """Whether every run has one value."""
    return len(np.unique(np.stack([runs, codes]), axis=1).T) == len(np.unique(runs))
