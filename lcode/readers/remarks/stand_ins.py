"""The remark on numbers that stand for values that were not measured: `0` or `-1` at all but every fifth epoch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.table import RunTable
from lcode.table.reading import listed

STAND_INS = (0.0, -1.0)
"""What programs write where nothing was measured."""

BACK, MOST = 2, 0.9
"""Times that a curve comes back to the number from another value, and share of the runs in which it does. By judgement:
a score that is 0 until it is learned never comes back, one that is 0 now and then is not so every so many epochs."""


def stand_in_remarks(table: RunTable) -> list[str]:
    """One line on each number that seems to stand for values that were not measured; none without such."""
    points = table.points
    points = points[points["metric"].isin(points["metric"][points["value"].isin(STAND_INS)].unique())]
    if not len(points):
        return []
    run, metric = (points[name].cat.codes.to_numpy().astype(np.int64) for name in ("run", "metric"))
    order = np.lexsort((points["epoch"].to_numpy(), metric, run))
    run, metric, value = run[order], metric[order], points["value"].to_numpy(float)[order]
    epoch = points["epoch"].to_numpy(np.int64)[order]
    same = (run[1:] == run[:-1]) & (metric[1:] == metric[:-1])
    names = [str(name) for name in points["metric"].cat.categories]
    remarks = []
    for number in STAND_INS:
        stands = value == number
        back = np.append(False, same & stands[1:] & ~stands[:-1])
        times = np.zeros((len(points["run"].cat.categories), len(names)), dtype=np.int64)
        np.add.at(times, (run[back], metric[back]), 1)
        measured = np.zeros_like(times, dtype=bool)
        measured[run, metric] = True
        often = (times >= BACK).sum(0) >= np.maximum(MOST * measured.sum(0), 1)
        found = [names[k] for k in np.flatnonzero(often) if _every_so_many(epoch[(metric == k) & ~stands])]
        if found:
            remarks.append(
                f"{number:g} stands between other values of {listed(found)} again and again; if it says that nothing "
                "was measured, leave these cells empty, for it is read as a value."
            )
    return remarks


def _every_so_many(epochs: NDArray[np.int64]) -> bool:
    """Whether the epochs with other values are those of every second, third … one."""
    return len(epochs) > 0 and int(np.gcd.reduce(epochs - epochs.min())) > 1
