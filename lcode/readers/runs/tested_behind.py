"""Rows behind the end of a training, in which nothing stands but what is left out: a test is no epoch.

Lightning's `trainer.test()` after `trainer.fit()` writes one with the number of epochs, as if another had been trained.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from lcode.readers.part import LogPart
from lcode.readers.understanding.curves import Curves


def without_tests_behind(part: LogPart, curves: Curves) -> LogPart:
    """The runs, each with the last of the epochs of which anything but what is left out tells as its last one.

    Args:
        part: the runs, their curves named as they were logged.
        curves: which of them are left out.
    """
    points = part.points
    left_out = points["metric"].isin([key for key in curves.left_out if key in part.metrics])
    if not left_out.any():
        return part
    tested = _last(points[left_out], part)
    kept = pd.concat([_last(points[~left_out], part), _last(part.signals, part)], axis=1).max(axis=1)
    last = part.runs["last"]
    behind = (tested == last) & (kept < last)  # a blank row further behind is one of the training
    return replace(part, runs=part.runs.assign(last=last.mask(behind, kept)))


def _last(points: pd.DataFrame, part: LogPart) -> pd.Series:
    """The last epoch of each run that these points tell of, NaN where they tell of none."""
    if not len(points):
        return pd.Series(float("nan"), index=part.runs.index, dtype=float)
    found = points.groupby(points["run"].astype(object))["epoch"].max()
    return found.astype(float).reindex(part.runs.index)
