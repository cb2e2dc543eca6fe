"""Settings that stand beside the curves of a training in an object of JSON: `{"batch_size": 32, "history": {…}}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lcode.readers.loggers.cells import flat
from lcode.readers.raw import LARGEST_EXACT, RawTable
from lcode.readers.understanding.column_words import EPOCHS
from lcode.readers.understanding.layout import CONFIG
from lcode.readers.understanding.planned import is_planned
from lcode.readers.understanding.setting_names import is_place, is_result

SETTINGS = frozenset(
    (
        *("config", "configs", "configuration", "hyperparameters", "hyperparams", "hparams", "params", "parameters"),
        *("args", "arguments", "settings", "options"),
    )
)
"""What objects of settings are called."""

_LONGEST = 64
"""Letters of a setting's text at most: longer ones describe."""


def with_settings(raw: RawTable, one: Mapping[str, Any]) -> RawTable:
    """The table with the settings of its training as columns, and the planned epochs where its rows count epochs.

    Args:
        raw: the curves of a training.
        one: the object that holds them.
    """
    size, taken = len(raw), {name.lower() for name in raw.columns}
    counter = next((cells for name, cells in raw.columns.items() if name.lower() in EPOCHS), None)
    last = None if counter is None else _last(counter)
    columns: dict[str, pa.ChunkedArray] = {}
    for name, value in _settings(one):
        planned = is_planned(name, "epoch")
        if planned and isinstance(value, int) and last is not None and value >= last:
            columns.setdefault("horizon", pa.chunked_array([pa.array([value] * size, pa.int64())]))
        elif not planned and f"{CONFIG}{name}".lower() not in taken:
            columns[f"{CONFIG}{name}"] = pa.chunked_array([pa.array([value] * size)])
    return replace(raw, columns={**columns, **raw.columns})


def _last(counter: pa.ChunkedArray) -> float | None:
    """The largest number of a column; None where it holds something else."""
    try:
        found = pc.max(pc.cast(counter, pa.float64())).as_py()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return None if found is None else float(found)


def _settings(one: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in one.items():
        if isinstance(value, Mapping) and name.lower() in SETTINGS:
            inner = flat(dict(value), ".")
            yield from ((key, cell) for key, cell in inner.items() if _is_plain(cell) and not is_place(key))
        elif _is_plain(value) and not is_place(name) and not is_result(name):
            yield name, value


def _is_plain(value: Any) -> bool:
    if isinstance(value, int):
        return abs(value) <= LARGEST_EXACT
    return isinstance(value, float) or (isinstance(value, str) and 0 < len(value) <= _LONGEST)
