"""The curves of a run with the order in which they were logged, which tells what their steps count."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lcode.readers.loggers.points import Points

FEWEST = 3
"""Values of a curve that it takes to see what its steps count."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve of a run.

    Attributes:
        steps: ascending, each once, shape [N].
        values: at these steps, the latest where there are several, shape [N].
        when: place of each in the order of logging of all curves, shape [N].
    """

    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    when: NDArray[np.int64]

    def follows_by_ones(self) -> bool:
        """Whether its steps follow each other one by one from 0 or 1 on."""
        return self.steps[0] in (0, 1) and len(self.steps) == self.steps[-1] - self.steps[0] + 1

    def stride(self) -> int | None:
        """The distance of its steps where it is always the same; None where it is not, or there is one step only."""
        apart = np.unique(np.diff(self.steps))
        return int(apart[0]) if len(apart) == 1 else None

    def before(self, other: Curve) -> NDArray[np.int64]:
        """How many of its values had been logged before each value of another curve, [M]."""
        return np.searchsorted(np.sort(self.when), other.when).astype(np.int64)

    def goes_with(self, other: Curve) -> bool:
        """Whether it stood at about the steps of another curve when these were logged: both count the same."""
        before = self.before(other)
        told = before > 0
        if not told.any() or len(np.unique(before[told])) < FEWEST:
            return False
        apart = np.abs(self.steps[before[told] - 1] - other.steps[told])
        return bool(np.median(apart) <= max(2, self.stride() or 1))


def curves_of(parts: Sequence[Points]) -> dict[str, Curve]:
    """The curves of a run by name; of several files the clock says in which order they were logged."""
    if not parts:
        return {}
    names = list(dict.fromkeys(name for part in parts for name in part.names))
    place = {name: i for i, name in enumerate(names)}
    codes = np.concatenate([np.array([place[n] for n in part.names], dtype=np.int64)[part.codes] for part in parts])
    steps = np.concatenate([part.steps for part in parts])
    values = np.concatenate([part.values for part in parts])
    when = np.arange(len(codes))
    if len(parts) > 1:
        when[np.argsort(np.concatenate([part.times for part in parts]), kind="stable")] = np.arange(len(codes))
    order = np.lexsort((when, steps, codes))
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (np.diff(codes[order]) != 0) | (np.diff(steps[order]) != 0)
    order = order[last]
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    return {
        name: Curve(steps[own], values[own], when[own])
        for i, name in enumerate(names)
        if len(own := order[edges[i] : edges[i + 1]])
    }


def without_steps(runs: Sequence[Sequence[Points]]) -> set[str]:
    """The names that were logged without a step in these runs: several values, all at one and the same step."""
    found = set()
    for parts in runs:
        for part in parts:
            for name, own in part.by_name():
                if len(own) >= FEWEST and np.ptp(part.steps[own]) == 0:
                    found.add(name)
    return found


def counted(points: Points, names: Collection[str]) -> Points:
    """The values, those of these names with their number in the order of logging in place of a missing step."""
    if not any(name in names for name in points.names):
        return points
    steps = points.steps.copy()
    for name, own in points.by_name():
        if name in names and np.ptp(points.steps[own]) == 0:
            steps[own] = np.arange(len(own))
    return replace(points, steps=steps)
