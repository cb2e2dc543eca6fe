"""What the way that curves go says of their direction, where the name says little: a score may be an error.

Whoever prints `Score: 0.7545` and then `0.58` has an error for a score: competitions are scored by RMSE or log loss.
No sweep gets worse in all of its runs from the first epoch to the last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from lcode.table.metric_parse import Name

WORDS = frozenset(("score",))
"""Known metrics that anything may be called."""

POINTS, RUNS = 4, 3
"""Evaluations of a run, and runs, from which on the way that they go is believed."""

FALLING, MOST = -0.7, 0.9
"""Rank correlation of values with epochs at which a curve falls, and share of the runs that must. By judgement."""


def falling_scores(points: pd.DataFrame, keys: Collection[str]) -> dict[str, str]:
    """Keys of curves that are called a score and fall in nearly all runs, and in how many of how many.

    Args:
        points: columns run, epoch, metric, value.
        keys: those that are asked for.
    """
    asked = [key for key in keys if {one.entry.name for one in Name.parse(key).found} == WORDS]
    told = {}
    for key in asked:
        ways = np.array(list(_ways(points[points["metric"] == key])))
        falling = int((ways <= FALLING).sum())
        if len(ways) >= RUNS and falling >= MOST * len(ways):
            told[key] = f"{falling} of {len(ways)}"
    return told


def _ways(points: pd.DataFrame) -> Iterator[float]:
    """Rank correlation of values with epochs, of each run that has enough of them and moves at all."""
    for _, own in points[np.isfinite(points["value"])].groupby("run", observed=True):
        if len(own) >= POINTS and own["value"].nunique() > 1:
            yield float(own["epoch"].rank().corr(own["value"].rank()))
