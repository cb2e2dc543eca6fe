"""NaN that stands where a metric was not measured: behind its last evaluation, while the next one is still to come.

Some programs write NaN in each epoch in which they did not evaluate. Between two evaluations that is a gap like any
other (see `lcode.table.gaps`); behind the last one it would be taken for a divergence.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lcode.readers.part import LogPart

FEWEST = 3
"""Evaluations at equal distances that it takes to expect the next one."""


def without_pending(part: LogPart) -> LogPart:
    """The runs without NaN behind the last of evaluations at equal distances, for less than such a distance."""
    points = part.points
    nan = points["value"].isna().to_numpy()
    if not nan.any():
        return part
    runs, metrics = (np.asarray(points[name].astype("category").cat.codes, np.int64) for name in ("run", "metric"))
    epochs = points["epoch"].to_numpy(np.int64)
    drop = np.zeros(len(points), dtype=np.bool_)
    for metric in np.unique(metrics[nan]).tolist():
        rows = np.flatnonzero(metrics == metric)
        drop[rows] = _pending(runs[rows], epochs[rows], nan[rows])
    return replace(part, points=points[~drop].reset_index(drop=True)) if drop.any() else part


def _pending(run: NDArray[np.int64], epoch: NDArray[np.int64], nan: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of N points of a metric stand for an evaluation that is still to come, [N]."""
    given = np.flatnonzero(~nan)
    given = given[np.lexsort((epoch[given], run[given]))]
    same = run[given[1:]] == run[given[:-1]]
    apart = np.unique(np.diff(epoch[given])[same])
    if len(apart) != 1 or apart[0] <= 1 or np.bincount(run[given]).max() < FEWEST:
        return np.zeros_like(nan)
    last = np.full(int(run.max()) + 1, epoch[given].min() - apart[0])  # of a run without a value: before its first one
    np.maximum.at(last, run[given], epoch[given])
    behind = nan & (epoch > last[run])
    end = last.copy()
    np.maximum.at(end, run[behind], epoch[behind])
    between = bool((nan & ~behind).any())
    return behind & between & (end - last < apart[0])[run]
