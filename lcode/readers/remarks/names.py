"""Remarks on curves that do not fit together by their names: one curve under two names, one metric in two units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lcode.table.axis import epoch_text
from lcode.table.metric_names import known_metric, meaning
from lcode.table.table import RunTable

_NAMED = 5
"""Runs that a remark names before it says how many more there are."""

_BEYOND = 1.5
"""A share above this many times its largest value is in per cent: rounding and smoothing do not bring it there."""

_COMPARABLE = 0.1
"""Shares that times 100 stay below this part of the typical peak of runs in per cent are not remarked: they would be
poor runs either way."""


@dataclass(frozen=True)
class _Curves:
    """One row per run and metric that has points; all arrays have shape [C].

    Attributes:
        run, metric: place of the run and of the metric in the table.
        first, last: first and last epoch, in ticks.
        low, high: smallest and largest finite value; infinite where there is none.
        start: place of the first point.
    """

    run: NDArray[np.int64]
    metric: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    start: NDArray[np.int64]

    @classmethod
    def of(cls, table: RunTable) -> _Curves:
        """Read off the points, which are sorted by run, metric and epoch."""
        run = np.asarray(table.points["run"].cat.codes, dtype=np.int64)
        metric = np.asarray(table.points["metric"].cat.codes, dtype=np.int64)
        epoch, value = table.points["epoch"].to_numpy(np.int64), table.points["value"].to_numpy(np.float64)
        start = np.flatnonzero(np.diff(run, prepend=-1) | np.diff(metric, prepend=-1))
        finite = np.isfinite(value)
        return cls(
            run=run[start],
            metric=metric[start],
            first=epoch[start],
            last=epoch[np.append(start[1:], len(epoch)) - 1],
            low=np.minimum.reduceat(np.where(finite, value, np.inf), start),
            high=np.maximum.reduceat(np.where(finite, value, -np.inf), start),
            start=start,
        )


def name_remarks(table: RunTable) -> list[str]:
    """What the user should know of curves that are probably one, and of runs that are probably in another unit.

    The numbers stay as they are: only the user knows whether a guess is right.
    """
    if not len(table.points):
        return []
    curves = _Curves.of(table)
    return [*_renamed(table, curves), *_two_units(table, curves)]


def _renamed(table: RunTable, curves: _Curves) -> Iterator[str]:
    """Metrics of the same words, of which no run has both at one time."""
    same: dict[tuple[tuple[str, ...], ...], list[int]] = {}
    for k, metric in enumerate(table.metrics):
        same.setdefault(meaning(metric.key), []).append(k)
    for group in same.values():
        rows = {k: np.flatnonzero(curves.metric == k) for k in group} if len(group) > 1 else {}
        for one, other in combinations(rows, 2):
            yield from _apart(table, curves, rows[one], rows[other])


def _apart(table: RunTable, curves: _Curves, one: NDArray[np.int64], other: NDArray[np.int64]) -> Iterator[str]:
    """The remark on two metrics, given by their curves, if their epochs are apart in every run."""
    if not (len(one) and len(other)):
        return
    _, of_one, of_other = np.intersect1d(curves.run[one], curves.run[other], return_indices=True)
    one_both, other_both = one[of_one], other[of_other]
    if len(one_both) and curves.first[one_both[0]] > curves.first[other_both[0]]:
        yield from _apart(table, curves, other, one)
        return
    if np.any(curves.last[one_both] >= curves.first[other_both]):
        return
    old, new = (table.metrics[curves.metric[rows[0]]].key for rows in (one, other))
    advice = "they are read as two curves; if they are one, give them one name in the logs."
    if not len(one_both):
        yield (
            f"{old} and {new} have the same words, but {_runs(table, curves.run[one])} only the first and "
            f"{_runs(table, curves.run[other])} only the second: {advice}"
        )
        return
    i, j = one_both[0], other_both[0]
    epochs = " and ".join(epoch_text(int(at), table.epoch_unit) for at in (curves.last[i], curves.first[j]))
    example = f" in '{table.run_ids[curves.run[i]]}'" if len(one_both) > 1 else ""
    yield f"{old} ends where {new} begins, in {_runs(table, curves.run[one_both])} (epochs {epochs}{example}): {advice}"


def _two_units(table: RunTable, curves: _Curves) -> Iterator[str]:
    """Metrics that are in per cent in some runs and, as it looks, parts of 1 in others."""
    for k, metric in enumerate(table.metrics):
        facts = known_metric(metric.key)
        if facts is None or not facts.share:
            continue
        rows = np.flatnonzero((curves.metric == k) & np.isfinite(curves.high))
        whole = facts.upper or 1.0
        # A share without an upper bound may pass 1 for a while: it is in per cent where it never comes near.
        peak = curves.high[rows] if facts.upper is not None else curves.low[rows]
        hundred = rows[peak > _BEYOND * whole]
        part = rows[curves.high[rows] <= whole]
        if not (len(hundred) and len(part)):
            continue
        typical = float(np.median(curves.high[hundred]))
        grown = np.median(_first_above(table, curves, hundred, whole))
        part = part[(100 * curves.high[part] >= _COMPARABLE * typical) & (curves.last[part] >= grown)]
        if len(part):
            yield (
                f"{metric.key} is in per cent in {_runs(table, curves.run[hundred])} (up to "
                f"{curves.high[hundred].max():.4g}), but at most {curves.high[part].max():.4g} in "
                f"{_runs(table, curves.run[part])}; if that is a part of 1, multiply it by 100 in the logs."
            )


def _first_above(table: RunTable, curves: _Curves, rows: NDArray[np.int64], level: float) -> NDArray[np.float64]:
    """The epoch, in ticks, at which each of the curves first passes the level; until then its unit does not show."""
    epoch, value = table.points["epoch"].to_numpy(np.int64), table.points["value"].to_numpy(np.float64)
    passed = np.minimum.reduceat(np.where(value > level, epoch, np.inf), curves.start)
    return np.asarray(passed[rows], dtype=np.float64)


def _runs(table: RunTable, places: Sequence[int] | NDArray[np.int64]) -> str:
    names = [f"'{table.run_ids[i]}'" for i in places[:_NAMED]]
    more = len(places) - len(names)
    return f"run{'s' if len(places) > 1 else ''} {', '.join(names)}{f' and {more} more' if more else ''}"
