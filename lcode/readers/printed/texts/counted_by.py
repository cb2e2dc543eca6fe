"""By which counter the rows of a text that tells epochs and steps are read, and how many steps its epochs come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from math import ceil
from statistics import median
from typing import Any

from lcode.readers.printed.lines.printed_line import EPOCH, FEWEST, STEP
from lcode.readers.understanding.columns import FEW_EPOCHS, MANY_EVALUATIONS
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric

Row = Mapping[str, Any]


def counter_of_rows(rows: Sequence[Row], once: Collection[str] = ()) -> str:
    """The counter of the rows: epochs where there are several, else steps.

    So are steps where all is told often in few epochs, or held-out data are measured often in each, or nothing is told
    once per epoch, and where several rows share a fraction of an epoch.

    Args:
        rows: counters and values.
        once: names that were told once so far and are none of them: a first validation may be that of an epoch.
    """
    epochs, steps = ([row[name] for row in rows if name in row] for name in (EPOCH, STEP))
    if steps and 2 * len(set(epochs)) < len(set(steps)) and any(epoch % 1 for epoch in epochs):
        return STEP
    if not steps or (several := len(set(epochs))) > FEW_EPOCHS:
        within = bool(steps) and _rise(rows) and (_is_evaluated_within(rows, several) or _is_told_within(rows))
        return STEP if within else EPOCH
    if several < 2:
        return STEP
    often = Counter(name for row in rows if STEP in row for name in row if known_metric(name) is not None)
    if not often or not _rise(rows):
        return EPOCH
    first = {*once, *(name for name, times in often.items() if times == 1)}
    young = any(split_name(name)[0] == "val" for name in first)
    return STEP if min(often.values()) >= MANY_EVALUATIONS or (_is_told_within(rows) and not young) else EPOCH


def planned_steps(rows: Sequence[Row], totals: Sequence[Mapping[str, float]]) -> float | None:
    """The step at which the last of the planned epochs will be told last; None where that is not to be told.

    Args:
        rows: counters and values; steps count through all epochs.
        totals: what each counter is said to reach where a row is told.
    """
    planned = next((total[EPOCH] for total in reversed(totals) if EPOCH in total), None)
    if planned is None or any(STEP in total for total in totals):
        return None
    steps = _steps_of_epochs(rows)
    if not steps or min(steps) not in (0, 1):
        return None
    first = min(steps)
    if len(steps) == 1:  # it has at least so many
        return planned * max(steps[first])
    size = _size(steps)
    *whole, _ = sorted(steps)
    within = median(max(steps[epoch]) - min(steps[epoch]) for epoch in whole)
    return float(round(min(steps[first]) + (planned - 1) * size + within))


def planned_epochs(rows: Sequence[Row], totals: Sequence[Mapping[str, float]]) -> float | None:
    """The epoch in which the last of the planned steps is taken, `epoch: 5, iter: 500/800`; None where nothing says it.

    Args:
        rows: counters and values; only steps that count through all epochs say it.
        totals: what each counter is said to reach where a row is told.
    """
    planned = next((total[STEP] for total in reversed(totals) if STEP in total), None)
    if planned is None or any(EPOCH in total for total in totals) or not _rise(rows):
        return None
    steps = _steps_of_epochs(rows)
    if len(steps) < FEWEST or min(steps) not in (0, 1):
        return None
    size, last = _size(steps), max(steps)
    goes_on = all(max(steps[before]) < min(steps[now]) for before, now in pairwise(sorted(steps)))
    if size <= 0 or max(steps[last]) > planned or not goes_on:
        return None
    epochs = ceil(round(planned / size, 3))
    return None if epochs < last else float(epochs)  # behind `range(N)`, N as well


def _steps_of_epochs(rows: Sequence[Row]) -> dict[float, list[float]]:
    """The steps that are told of each epoch."""
    steps: dict[float, list[float]] = {}
    for row in rows:
        if EPOCH in row and STEP in row:
            steps.setdefault(row[EPOCH], []).append(row[STEP])
    return steps


def _size(steps: Mapping[float, Sequence[float]]) -> float:
    """How many steps an epoch has, by the first that is told of each."""
    return median((min(steps[now]) - min(steps[before])) / (now - before) for before, now in pairwise(sorted(steps)))


def _is_evaluated_within(rows: Sequence[Row], epochs: int) -> bool:
    """Whether what is measured on held-out data is told at many steps of each epoch."""
    held_out = Counter(
        name
        for row in rows
        if STEP in row
        for name in row
        if split_name(name)[0] in ("val", "test") and known_metric(name) is not None
    )
    return bool(held_out) and min(held_out.values()) >= MANY_EVALUATIONS * epochs


def _is_told_within(rows: Sequence[Row]) -> bool:
    """Whether each metric is told at several steps of its epochs, and none of a whole epoch; the last has but begun."""
    steps: dict[str, set[tuple[float, float]]] = {}
    for row in rows:
        known = [name for name in row if known_metric(name) is not None]
        if known and not (EPOCH in row and STEP in row):
            return False
        for name in known:
            steps.setdefault(name, set()).add((row[EPOCH], row[STEP]))
    several = [at for at in steps.values() if len(at) > 1]  # what is told but once sums up
    passes = [len({epoch for epoch, _ in at}) for at in several]
    return max(passes, default=0) > 1 and all(len(at) >= 2 * n - 1 for at, n in zip(several, passes, strict=True))


def _rise(rows: Sequence[Row]) -> bool:
    """Whether steps count through all epochs: they fall only where these begin anew as well."""
    at = [(row.get(EPOCH, 0.0), row[STEP]) for row in rows if STEP in row]
    return all(now >= before or epoch < last for (last, before), (epoch, now) in pairwise(at))
