"""Tables with a row per part of the data or per task: a column says of each row whether it is of the training, say.

`epoch,phase,loss,acc` with `train` and `val` by turns tells what `epoch,train_loss,val_loss,train_acc,val_acc` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lcode.errors import InputError
from lcode.readers.raw import RawTable, as_number
from lcode.readers.understanding.column_words import (
    OTHER_RUN_NAMES,
    RUN_NAMES,
    is_counter,
    plain_name,
    why_left_out,
)
from lcode.readers.understanding.counters import tells_apart
from lcode.readers.understanding.kinds_of_rows import of_parts, parts_said
from lcode.readers.understanding.layout import CONFIG, RESERVED, is_long
from lcode.readers.understanding.rates import is_rate
from lcode.readers.understanding.values_beside import with_rows_of_values
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS

_NAMES = frozenset(
    (
        "split",
        "set",
        "phase",
        "mode",
        "subset",
        "partition",
        "dataset",
        "data",
        "stage",
        "type",
        "context_subset",
        "metric_context_subset",
        "kind",
        "part",
        "event",
    )
)
"""Columns that may say of which part of the data a row is."""

_TASKS = ("task", "tasks", "task_name", "class", "class_name", "category")
_MOST_TASKS = 50
"""Columns that may say of which task or class a row is, and how many of them there may be."""

_METRICS = ("metric", "tag", "metric_name", "name", "variable", "key", "measure", "statistic")
_VALUES = ("value", "val", "metric_value", "wert", "valeur", "valor")
"""What the columns of a table with one value per row are called."""


_FEWEST_PAIRS = 2
"""Columns that must be there with `v_` and without it before the letter is taken to stand for validation."""


def by_part(raw: RawTable) -> RawTable:
    """The table with a column for each curve and part of the data or task, where a column of its rows says which."""
    raw = _spelled_out(_with_usual_names(raw))
    if is_long(raw):
        split = next((name for name in raw.columns if plain_name(name) in _NAMES and _says_parts(raw, name)), None)
        raw = raw if split is None or "split" in raw.columns else raw.renamed({split: "split"})
        return with_rows_of_values(raw)
    if not any(map(is_counter, raw.columns)):
        return raw
    found = ((name, parts_said(raw, name)) for name in raw.columns if plain_name(name) in _NAMES)
    column, parts = next(((name, parts) for name, parts in found if parts is not None), (None, None))
    if column is not None and parts is not None:
        raw = of_parts(raw, column, parts)
    task = next(
        (name for name in raw.columns if name.strip().lower() in _TASKS and _says_tasks(raw, name, column)), None
    )
    says = [name for name in (column, task) if name is not None]
    whole = bool(says) and _is_one_training(raw, says)
    if column is not None and parts is not None:
        raw = _spread(raw, column, parts)
    raw = raw if task is None else _spread(raw, task, {})
    return _by_epoch(raw) if whole else raw


def _is_one_training(raw: RawTable, says: Sequence[str]) -> bool:
    """Whether no column tells runs apart, and each epoch has a row at most of what these columns say."""
    naming = [cells for name, cells in raw.columns.items() if plain_name(name) in (*RUN_NAMES, *OTHER_RUN_NAMES)]
    if any(pc.count_distinct(cells).as_py() > 1 for cells in naming):
        return False
    counters = [name for name in raw.columns if is_counter(name)]
    if any(raw.columns[name].null_count for name in (*counters, *says)):
        return False
    codes = np.stack([raw.names(name)[0] for name in (*counters, *says)])
    return len(np.unique(codes, axis=1).T) == len(raw)


def _by_epoch(raw: RawTable) -> RawTable:
    """The table with what was measured in an epoch in rows that follow each other, where it was told part by part."""
    try:
        counts = [raw.numbers(name, remedy="it counts")[0] for name in raw.columns if is_counter(name)]
    except InputError:
        return raw  # it is told where the epochs are read
    order = np.lexsort(counts[::-1])
    back = np.flatnonzero(np.diff(counts[0]) < 0)
    return raw.in_order(order) if len(back) and np.all(np.diff(counts[0][order]) >= 0) else raw


def _spread(raw: RawTable, column: str, parts: Mapping[str, str]) -> RawTable:
    """The table with a column for each curve and cell of this column, called after what the cell says."""
    code, texts = raw.names(column)
    words = {cell.strip(): part for cell, part in parts.items()}
    named = [words.get(text, text) for text in texts]
    columns: dict[str, pa.ChunkedArray] = {}
    for name, cells in raw.columns.items():
        if name == column:
            continue
        if not _is_curve(raw, name):
            columns[name] = cells
            continue
        for part in dict.fromkeys(named):
            here = pa.array(np.isin(code, [at for at, other in enumerate(named) if other == part]))
            own = pc.if_else(here, cells, pa.scalar(None, cells.type))
            if own.null_count < len(own):
                columns[f"{part}/{name}"] = own
    return replace(raw, columns=columns)


def _spelled_out(raw: RawTable) -> RawTable:
    """The table with `v_loss` as `val/loss`, and `t_loss` as `train/loss`, where its columns are named so throughout.

    Alone, `v_loss` may be that of a value or of a velocity.
    """
    of_letter: dict[str, dict[str, str]] = {"t": {}, "v": {}}
    for name in raw.columns:
        letter, _, rest = name.partition("_")
        if letter in of_letter and rest:
            of_letter[letter][rest] = name
    both = of_letter["v"].keys() & of_letter["t"].keys()
    if not both and len(of_letter["v"].keys() & raw.columns.keys()) < _FEWEST_PAIRS:
        return raw
    names = {name: f"val/{rest}" for rest, name in of_letter["v"].items()}
    names |= {of_letter["t"][rest]: f"train/{rest}" for rest in both}
    if not set(names.values()).isdisjoint(raw.columns):
        return raw
    return raw.renamed(names)


def _with_usual_names(raw: RawTable) -> RawTable:
    """A table of one value per row with the names that it usually has: `tag` or `name` is the metric."""
    plain = {plain_name(name): name for name in reversed(list(raw.columns))}
    value = next((plain[name] for name in _VALUES if name in plain), None)
    if value is None or "metric" in raw.columns:
        return raw
    metric = metric_column(raw, raw.columns)
    return raw if metric is None else raw.renamed({metric: "metric", value: "value"})


def metric_column(raw: RawTable, among: Iterable[str]) -> str | None:
    """Which of these columns says of each row what was measured, by its name and its cells."""
    plain = {plain_name(name): name for name in reversed(list(among))}
    return next((plain[name] for name in _METRICS if name in plain and _says_metrics(raw, plain[name])), None)


def _says_metrics(raw: RawTable, name: str) -> bool:
    """Whether most cells are names of metrics."""
    cells = raw.columns[name].drop_null()
    if not pa.types.is_string(cells.type) or not len(cells):
        return False
    told = cells.unique().to_pylist()
    return 2 * sum(known_metric(cell) is not None for cell in told) >= len(told)


def _says_tasks(raw: RawTable, name: str, part: str | None) -> bool:
    """Whether each cell is a word, and the epochs have a row for each, by run and part where columns name these."""
    cells, counter = raw.columns[name], next(filter(is_counter, raw.columns))
    if not pa.types.is_string(cells.type) or cells.null_count:
        return False
    if not 1 < pc.count_distinct(cells).as_py() <= _MOST_TASKS:
        return False
    words = all(as_number(cell) is None for cell in cells.unique().to_pylist())
    runs = [raw.names(other)[0] for other in raw.columns if plain_name(other) in (*RUN_NAMES, "seed") or other == part]
    owner = np.unique(np.stack(runs), axis=1, return_inverse=True)[1] if runs else None
    return words and tells_apart(raw, counter, name, owner)


def _says_parts(raw: RawTable, name: str) -> bool:
    cells = raw.columns[name]
    if not pa.types.is_string(cells.type) or cells.null_count == len(cells):
        return False
    return all(str(cell).strip().lower() in SPLITS for cell in cells.drop_null().unique().to_pylist())


def _is_curve(raw: RawTable, name: str) -> bool:
    """Whether the values of a column are measured, so that they are of the part that their row is of."""
    if name.strip().lower() in RESERVED or name.startswith(CONFIG) or is_counter(name) or is_rate(name):
        return False
    if why_left_out(name) is not None:
        return False
    cells = raw.columns[name].drop_null()
    return len(cells) > 1 and as_number(cells[0].as_py()) is not None and pc.count_distinct(cells).as_py() > 1
