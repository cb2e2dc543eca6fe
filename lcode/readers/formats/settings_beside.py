"""Settings that stand beside the curves of a training in an object of JSON: `{"batch_size": 32, "history": {…}}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lcode.readers.logged.cells import flat
from lcode.readers.logged.settings import is_setting
from lcode.readers.raw import RawTable
from lcode.readers.understanding.column_words import EPOCHS
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.layout import CONFIG
from lcode.readers.understanding.planned import is_planned, whole
from lcode.readers.understanding.setting_names import is_result

SETTINGS = frozenset(
    (
        *("config", "configs", "configuration", "hyperparameters", "hyperparams", "hparams", "params", "parameters"),
        *("args", "arguments", "settings", "options"),
    )
)
"""What objects of settings are called."""


def with_settings(raw: RawTable, one: Mapping[str, Any]) -> RawTable:
    """The table with the settings of its training as columns, and the planned epochs where its rows count epochs.

    Args:
        raw: the curves of a training.
        one: the object that holds them.
    """
    size, taken = len(raw), {name.lower() for name in raw.columns}
    counter = next((name for name in raw.columns if name.lower() in EPOCHS), None)
    last = None if counter is None else _last(raw, counter)
    columns: dict[str, pa.ChunkedArray] = {}
    for name, value in told_settings(one):
        planned = is_planned(name, "epoch")
        if planned and last is not None and (whole(value) or 0) >= max(last, 1):
            columns.setdefault("horizon", pa.chunked_array([pa.array([whole(value)] * size, pa.float64())]))
        elif not planned and f"{CONFIG}{name}".lower() not in taken:
            columns[f"{CONFIG}{name}"] = pa.chunked_array([pa.array([value] * size)])
    return replace(raw, columns={**columns, **raw.columns})


def _last(raw: RawTable, counter: str) -> float | None:
    """The largest number of a column; None where it holds something else. A row of a test alone is no epoch."""
    told = [cells for name, cells in raw.columns.items() if name != counter and split_name(name)[0] != "test"]
    trained = np.logical_or.reduce([cells.is_valid().to_numpy() for cells in told]) if told else np.ones(len(raw), bool)
    try:
        found = pc.max(pc.cast(raw.columns[counter].filter(pa.array(trained)), pa.float64())).as_py()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return None if found is None else float(found)


def told_settings(one: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The settings in an object, by name, and those in objects within that are called so; no results and places."""
    for name, value in one.items():
        if isinstance(value, Mapping) and name.lower() in SETTINGS:
            inner = flat(dict(value), ".")
            yield from ((key, cell) for key, cell in inner.items() if is_setting(key, cell))
        elif is_setting(name, value) and not is_result(name):
            yield name, value
