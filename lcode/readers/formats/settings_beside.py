"""Settings that stand beside the curves of a training in an object of JSON: `{"batch_size": 32, "history": {…}}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from lcode.readers.loggers.cells import flat
from lcode.readers.raw import RawTable
from lcode.readers.understanding.column_words import RUN_NAMES, why_left_out, words_of
from lcode.readers.understanding.layout import CONFIG
from lcode.table.metric_names import known_metric

SETTINGS = frozenset(
    (
        *("config", "configs", "configuration", "hyperparameters", "hyperparams", "hparams", "params", "parameters"),
        *("args", "arguments", "settings", "options"),
    )
)
"""What objects of settings are called."""

_OF_RESULTS = frozenset(
    ("best", "final", "last", "test", "result", "results", "early", "stopped", "converged", "status", "message")
)
"""Words of what a training came to."""

_PLANNED = frozenset(("epochs", "num_epochs", "n_epochs", "max_epochs", "total_epochs", "num_train_epochs"))
_LONGEST = 64
"""Letters of a setting's text at most: longer ones describe."""


def with_settings(raw: RawTable, one: Mapping[str, Any], *, counted: bool) -> RawTable:
    """The table with the settings of its training as columns, and the planned epochs where its rows are epochs.

    Args:
        raw: the curves of a training, a row per epoch.
        one: the object that holds them.
        counted: whether the rows were counted, since nothing else counts them.
    """
    size, taken = len(raw), {name.lower() for name in raw.columns}
    columns: dict[str, pa.ChunkedArray] = {}
    for name, value in _settings(one):
        planned = name.rpartition(".")[2].lower() in _PLANNED
        if planned and isinstance(value, int) and counted and value >= size:
            columns.setdefault("horizon", pa.chunked_array([pa.array([value] * size, pa.int64())]))
        elif not planned and f"{CONFIG}{name}".lower() not in taken:
            columns[f"{CONFIG}{name}"] = pa.chunked_array([pa.array([value] * size)])
    return replace(raw, columns={**columns, **raw.columns})


def _settings(one: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in one.items():
        if isinstance(value, Mapping) and name.lower() in SETTINGS:
            yield from ((inner, cell) for inner, cell in flat(dict(value), ".").items() if _is_plain(cell))
        elif _is_plain(value) and not _is_result(name):
            yield name, value


def _is_plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float)) or (isinstance(value, str) and 0 < len(value) <= _LONGEST)


def _is_result(name: str) -> bool:
    """Whether a number beside the curves tells what came out, or names the run, instead of setting something."""
    if name.lower() in _PLANNED:
        return False
    if name.lower() in (*RUN_NAMES, "name", "fold", "seed") or not _OF_RESULTS.isdisjoint(words_of(name)):
        return True
    return why_left_out(name) is not None or known_metric(name) is not None
