"""Curves that a log tells twice: `rmse 0.451` in a line of its own, and `'depth': {'rmse': 0.45114}` in the summary."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.readers.runs.rounding import equal_but_for, roundings_of
from lcode.readers.understanding.column_words import words_of
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.curves import Curves

Array = NDArray[np.float32]

SCREENED = 20
"""Runs that are looked at first."""

FEWEST = 3
"""Different values from which on it is no chance that two curves are equal."""


def without_doubled(curves: Curves, points: pd.DataFrame, stated: Collection[str]) -> Curves:
    """The curves without those that another one tells as well, in more digits or with its task.

    Of two tasks that are equal to the last digit both are kept.

    Args:
        curves: what the curves are.
        points: columns run, epoch, metric, value; metrics as logged.
        stated: curves that the user named as metrics: these are kept.
    """
    by_metric: dict[str, list[str]] = {}
    for key in curves.scored:
        by_metric.setdefault(words_of(key)[-1] if words_of(key) else key, []).append(key)
    doubled: dict[str, str] = {}
    for keys in by_metric.values():
        some = {key for pair in _pairs(_columns(points, keys, SCREENED)) for key in pair} if len(keys) > 1 else ()
        found = _pairs(_columns(points, sorted(some), None)) if some else ()  # what some runs have, in all of them
        doubled |= {one: other for one, other in found if one not in stated and other not in doubled}
    left_out = {key: f"told again as {other}" for key, other in doubled.items()}
    scored = {key: name for key, name in curves.scored.items() if key not in doubled}
    return replace(curves, scored=scored, left_out={**curves.left_out, **left_out})


def _columns(points: pd.DataFrame, keys: Sequence[str], most: int | None) -> dict[str, Array]:
    """The values of these curves at the same epochs of the same runs, of so many runs at most."""
    own = points[points["metric"].isin(keys)]
    if most is not None:
        own = own[own["run"].isin(own["run"].unique()[:most])]
    wide = own.pivot_table("value", ["run", "epoch"], "metric", observed=True, dropna=False, aggfunc="last")
    return {str(key): wide[key].to_numpy(np.float32) for key in wide}


def _pairs(columns: Mapping[str, Array]) -> Iterator[tuple[str, str]]:
    """Curves, and others that tell the same in full."""
    for one, values in columns.items():
        if len(np.unique(values[np.isfinite(values)])) < FEWEST:
            continue
        rounded = roundings_of(values)
        for other, full in columns.items():
            if other == one:
                continue
            if np.array_equal(values, full, equal_nan=True):
                same = "/" in other and split_name(one)[1] == other.rpartition("/")[2]
            else:
                same = equal_but_for(rounded - roundings_of(full), values, full)
            if same:
                yield one, other
                break
