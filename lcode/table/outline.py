"""The outline of a table: what there is to know of its runs without their curves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.table.axis import finer_unit
from lcode.table.points import tidied
from lcode.table.table import RunTable


def outline(table: RunTable) -> RunTable:
    """The runs with their first and their last point alone, and without the values of configuration and signals.

    When they began and how far they have come is what it takes to say which of them have finished.
    """
    points = table.points
    run, epoch = points["run"].cat.codes.to_numpy().astype(np.int64), points["epoch"].to_numpy()
    order = np.lexsort((epoch, run))
    new = np.diff(run[order], prepend=-1) != 0
    ends = np.append(new[1:], True) if len(order) else new
    return replace(
        table,
        points=points.iloc[np.sort(order[new | ends])].reset_index(drop=True),
        configs=table.configs.iloc[:0].astype(np.float32, errors="ignore"),
        signals=table.signals.drop_duplicates("metric"),
        schedules={},
    )


def joined(parts: Sequence[RunTable]) -> RunTable:
    """Outlines of other runs each as one, in their order; of remarks that differ in their numbers alone the first."""
    unit = parts[0].epoch_unit
    for part in parts[1:]:
        unit = finer_unit(unit, part.epoch_unit)
    parts = [part.in_unit(unit) for part in parts]
    first = parts[0]
    names = pd.Index([run for part in parts for run in part.run_ids], dtype=object, name="run")
    runs = pd.concat([part.runs for part in parts]).set_axis(names)
    sizes = np.cumsum([0, *map(len, parts)])
    codes = [part.points["run"].cat.codes.to_numpy() + start for part, start in zip(parts, sizes[:-1], strict=True)]
    keys = first.points["metric"].cat.categories
    metric = [keys.get_indexer(part.points["metric"].cat.categories)[part.points["metric"].cat.codes] for part in parts]
    points = pd.DataFrame(
        {
            "run": pd.Categorical.from_codes(_numbers(codes), categories=names),
            "epoch": _numbers([part.points["epoch"].to_numpy() for part in parts]),
            "metric": pd.Categorical.from_codes(_numbers(metric), categories=keys),
            "value": np.concatenate([part.points["value"].to_numpy() for part in parts]),
        }
    )
    notes = {re.sub(r"\d+", "", note): note for part in reversed(parts) for note in reversed(part.notes)}
    sources = None if first.reading is None else dict.fromkeys(first.reading.sources, len(runs))
    return replace(
        first,
        runs=runs,
        points=points,
        configs=first.configs.reindex(names),
        signals=tidied(first.signals, list(names), list(first.signals["metric"].cat.categories)),
        notes=tuple(reversed(notes.values())),
        reading=None if first.reading is None or sources is None else replace(first.reading, sources=sources),
    )


def _numbers(parts: Sequence[NDArray[np.integer]]) -> NDArray[np.int64]:
    return np.concatenate(parts).astype(np.int64)
