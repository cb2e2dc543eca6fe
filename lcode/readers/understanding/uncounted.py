"""Tables in which no column counts the epochs: either their rows are epochs, or it is said what they look like."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from lcode.readers.raw import RawTable, as_number
from lcode.readers.understanding.column_words import (
    EPOCHS,
    RUN_NAMES,
    STEPS,
    ends_in_counter,
    fixed_in_a_training,
    why_left_out,
    words_of,
)
from lcode.readers.understanding.counters import LONG
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric
from lcode.table.other_languages import name_in_english

Column = TypeVar("Column", pa.Array, pa.ChunkedArray)

COUNTED = "no column counts the epochs, so its rows were counted, from 1."


def with_counted_rows(
    columns: Mapping[str, Column], *, curves: bool = False
) -> tuple[dict[str, Column], list[str]] | None:
    """The table with a column of epochs, and remarks; None where its rows may be anything.

    Args:
        columns: column by name.
        curves: whether the rows are known to follow each other in time. If not, it is told from a metric that was
            measured on the data of the training and on others, or if all columns are losses, or one beside the index
            of a data frame, or if a metric stands alone or many rows hold nothing but metrics, and from the absence of
            any text: a table of results has a name in each row.
    """
    lower = {name_in_english(name).strip().lower() for name in columns}
    grouped = any(ends_in_counter(name) and _rises(column) for name, column in columns.items())
    if lower & {*EPOCHS, *STEPS} or grouped:
        return dict(columns), []
    if not columns or lower & set(RUN_NAMES) or _row_each(columns) is not None:
        return None
    named = [name for name, column in columns.items() if why_left_out(name) is None and not _is_numeric(column)]
    metrics = [split_name(name) for name in columns if known_metric(name) is not None]
    measured = {
        bare.lower(): {split for split, other in metrics if other.lower() == bare.lower()} for _, bare in metrics
    }
    told_of = [name for name in columns if why_left_out(name) is None]
    losses = [name for name in told_of if "loss" in words_of(name)]
    of_training = len(losses) == len(told_of) > 1 or (losses and any(why_left_out(name) == "index" for name in columns))
    size = len(next(iter(columns.values())))
    only_metrics = len(told_of) == len(metrics) and size > 1 and (len(metrics) == 1 or size >= LONG)
    only_metrics = only_metrics and not any(why_left_out(name) == "counter" for name in columns)
    several_parts = any(len(splits) > 1 for splits in measured.values())
    told = measured if curves else of_training or only_metrics or several_parts
    if named or not told:
        return None
    counted = pa.array(range(1, size + 1), pa.int64())
    first = next(iter(columns.values()))
    return {"epoch": pa.chunked_array([counted]) if isinstance(first, pa.ChunkedArray) else counted, **columns}, [
        COUNTED
    ]


def _is_numeric(column: pa.Array | pa.ChunkedArray) -> bool:
    if not pa.types.is_string(column.type):
        return True
    try:
        pc.cast(column, pa.float64())
    except pa.ArrowInvalid:
        return all(as_number(cell) is not None for cell in column.drop_null().unique().to_pylist())
    return True


TRIALS = ("number", "trial_number", "trial_index", "trial", "trial_id", "trialjobid")


def without_epochs(raw: RawTable) -> str:
    """What to say of a table in which no column counts: whose it looks like, and what to do instead."""
    lower = [name.strip().lower() for name in raw.columns]
    if all(as_number(name) is not None for name in lower):
        return "its first line holds numbers, so put a line with a name for each column above it: epoch,loss,…"
    parameters = any(name.startswith(("params_", "param.", "user_attrs_")) for name in lower)
    if parameters or any(name in TRIALS for name in lower) or "arm_name" in lower:
        whose = "Ax's" if "arm_name" in lower else "NNI's" if "trialjobid" in lower else "Optuna's"
        return (
            f"it looks like {whose} table of trials, which holds what each came to in the end and not the way there: "
            "name the storage of the study instead (its .db file or journal), or the logs of the trials"
        )
    fixed = _row_each(raw.columns)
    if fixed is not None:
        return (
            f"each row has another '{fixed}', which no training changes, so each is of a training of its own, as in "
            "scikit-learn's validation and learning curves, and none tells the way there; where it counts all the "
            f"same, say so: --epoch '{fixed}'"
        )
    told = next((name for name in raw.columns if name_in_english(name).strip().lower() in (*EPOCHS, *STEPS)), None)
    if told is not None and not raw.columns[told].null_count and _is_numeric(raw.columns[told]):
        return (
            f"'{told}' goes back in many rows and has the same number again, as what was set for each of several "
            "trainings does, and none of these tells the way there: name the logs of the trainings instead (or with "
            "--epoch the column that counts, if there is one)"
        )
    cells = [] if told is None else raw.columns[told].to_pylist()
    odd = [row for row, cell in enumerate(cells) if cell is None or as_number(cell) is None]
    if 0 < 2 * len(odd) < len(cells):
        return (
            f"'{told}' would count them, but holds no number in {len(odd)} of {len(cells)} rows, of which the first is "
            f"on line {raw.line_of(odd[0])}: write one there, or remove these rows"
        )
    counter = next((name for name, column in raw.columns.items() if _rises(column)), None)
    if counter is not None and any(known_metric(name) is not None for name in raw.columns if name != counter):
        return f"where '{counter}' is what counts them, say so: --epoch '{counter}'"
    named = next((name for name, column in raw.columns.items() if _names_rows(column)), None)
    if named is not None:
        return of_results(named)
    return "where its rows follow each other in time, add a column 'epoch' that numbers them from 1"


def of_results(named: str) -> str:
    """What to say of a table with a row for each training, which this column names."""
    return (
        f"it looks like a table of results with a row for each '{named}', which holds what each came to in the end "
        "and not the way there: name the logs of the trainings instead (or with --epoch the column that counts, if "
        "there is one)"
    )


def _row_each(columns: Mapping[str, Column]) -> str | None:
    """The column by which each row is of a training of its own, None where there is none."""
    fixed = (name for name in columns if fixed_in_a_training(name))
    return next((name for name in fixed if len(columns[name]) > 1 and _differs(columns[name])), None)


def _differs(column: pa.Array | pa.ChunkedArray) -> bool:
    """Whether the cells are numbers, another one in each row."""
    return _is_numeric(column) and not column.null_count and bool(pc.count_distinct(column).as_py() == len(column))


def _rises(column: pa.Array | pa.ChunkedArray) -> bool:
    """Whether the cells are whole numbers, each larger than the one before."""
    numbers = [as_number(cell) for cell in column.to_pylist()]
    return len(numbers) > 1 and all(
        one is not None and other is not None and one < other and one.is_integer() and other.is_integer()
        for one, other in pairwise(numbers)
    )


def _names_rows(column: pa.ChunkedArray) -> bool:
    """Whether texts tell rows apart, which those of one training have in common."""
    texts = pa.types.is_string(column.type) and all(as_number(cell) is None for cell in column.to_pylist())
    return texts and bool(len(column) == 1 or pc.count_distinct(column).as_py() > 1)
