"""Curves of one run that count in different units: the validation at epoch 3, the batches at step 375.

Both are called steps where they were logged, so that on one axis a signal of epoch 3 would be that of the third batch,
and a task that is evaluated every 125 steps would lie far behind one that is evaluated every epoch. What counts what is
told by the numbers: an evaluation comes once per epoch, so that there are as many of them by either count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lcode.readers.loggers.points import Points
from lcode.readers.loggers.points_in_order import FEWEST, Curve, curves_of
from lcode.readers.loggers.steps_of_epochs import NO_EPOCH, Epochs, Steps
from lcode.readers.understanding.column_words import EPOCHS, why_left_out
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed

COUNTER = "epoch"
"""Name of the column of epochs where none was logged."""


@dataclass(frozen=True)
class Units:
    """What the curves count that all runs of a tool have.

    Attributes:
        epochs: names of those that count epochs.
        steps: names of those that count steps; empty: all count the same.
    """

    epochs: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()

    def in_epochs(self, parts: Sequence[Points]) -> tuple[list[Points], str | None, tuple[str, ...]]:
        """What a run has logged, all of it counted in epochs, of several values of one epoch the last.

        Args:
            parts: as it was logged.

        Returns:
            The values; the column that is to count them, None where nothing had to be changed; and remarks.
        """
        if not any(name in self.steps for part in parts for name in part.names):
            return list(parts), None, ()
        curves = curves_of(parts)
        steps = {name: curve for name, curve in curves.items() if name in self.steps}
        epochs = {name: curve for name, curve in curves.items() if name in self.epochs}
        counter = _counter(curves)
        known = Steps.of(epochs, steps, None if counter is None else curves[counter])
        found = {name: known.epochs_of(curve) for name, curve in steps.items()}
        placed = {name: at for name, at in found.items() if at is not None and name != counter}
        lost = [name for name, at in found.items() if at is None and name != counter]
        dropped = {*lost, *([counter] if counter is not None else ())}
        kept = [_placed(part, {name: (curves[name], at) for name, at in placed.items()}, dropped) for part in parts]
        return [part for part in kept if len(part.codes)], counter or COUNTER, _remarks([*epochs], [*placed], lost)


def units_of(runs: Sequence[Sequence[Points]]) -> Units:
    """What the curves of runs count, by what most of them show; a run that has but begun shows nothing.

    Args:
        runs: what each has logged, part by part.
    """
    epochs, steps = Counter[str](), Counter[str]()
    names: list[set[str]] = []
    shown = 0
    for parts in runs:
        curves = curves_of(parts)
        names.append({name for name, curve in curves.items() if len(curve.steps) >= FEWEST})
        found = _told_apart(curves)
        shown += found is not None
        for counter, of_run in zip((epochs, steps), found or (), strict=False):
            counter.update(of_run)
    counting = frozenset(name for name in epochs if epochs[name] > steps[name])
    others = frozenset(name for name in steps if name not in counting)
    both = sum(not counting.isdisjoint(own) and not others.isdisjoint(own) for own in names)
    return Units(counting, others) if 2 * shown > both else Units()


def _told_apart(curves: Mapping[str, Curve]) -> tuple[set[str], set[str]] | None:
    """The names of the curves of a run that count epochs, and of those that count steps; None: all count the same."""
    counter = _counter(curves)
    scores = [name for name in curves if name != counter and _may_be_scored(name)]
    held_out = [name for name in scores if split_name(name)[0]]
    rare = {name: curves[name] for name in held_out or scores if len(curves[name].steps) >= FEWEST}
    if counter is not None:
        coming = curves[counter]
        length = float(np.floor(coming.values.max(initial=0))) + 1
        epochs = {
            name: curve
            for name, curve in rare.items()
            if curve.steps[0] >= 0 and length / 2 <= curve.steps[-1] + 1 <= length + 1
        }
        steps = {name: curve for name, curve in curves.items() if curve.steps[-1] >= 2 * length}
        if length < FEWEST or not epochs or counter not in steps or coming.goes_with(next(iter(epochs.values()))):
            return None
        return {*epochs}, {*steps}
    by_ones = {name: curve for name, curve in rare.items() if curve.follows_by_ones()}
    fewest = min((len(curve.steps) for curve in by_ones.values()), default=0)
    epochs = {name: curve for name, curve in by_ones.items() if len(curve.steps) <= fewest + 1}
    steps = {name: curve for name, curve in curves.items() if name not in epochs and curve.steps[-1] >= 2 * fewest}
    telling = {name: curve for name, curve in steps.items() if why_left_out(name) is None}
    if not epochs or not telling:
        return None
    one = max(epochs.values(), key=lambda curve: len(curve.steps))
    if any(curve.goes_with(one) for curve in telling.values()):
        return None
    known = Epochs.of(one)
    evaluated = any(_may_be_scored(name) and known.comes_as_often(curve) for name, curve in telling.items())
    of_batches = any(
        known.by_order(curve) is not None or (held_out and known.by_number(curve) is not None)
        for curve in telling.values()
    )
    # Whatever the order says: a validation of each epoch does not end while the training goes on for as long again.
    validated = not any(name in held_out for name in telling) and any(map(_is_of_training, telling)) and held_out
    return ({*epochs}, {*steps}) if evaluated or of_batches or validated else None


def _counter(curves: Mapping[str, Curve]) -> str | None:
    """The curve that says the epoch of each step; None where there is none."""
    by_lower = {name.strip().lower(): name for name in curves}
    return next((by_lower[name] for name in EPOCHS if name in by_lower), None)


def _is_of_training(name: str) -> bool:
    return split_name(name)[0] == "train"


def _may_be_scored(name: str) -> bool:
    """Whether a curve may be that of an evaluation."""
    return split_name(name)[0] != "train" and known_metric(name) is not None and why_left_out(name) is None


def _placed(part: Points, placed: Mapping[str, tuple[Curve, NDArray[np.int64]]], dropped: set[str]) -> Points:
    """The values with the epochs in place of steps, the last of each epoch, without those of some names."""
    steps, kept = part.steps.copy(), np.ones(len(part.codes), dtype=bool)
    for name, own in part.by_name():
        if name in dropped:
            kept[own] = False
        elif name in placed:
            curve, epochs = placed[name]
            steps[own] = epochs[np.searchsorted(curve.steps, part.steps[own])]
            kept[own] = False
            last = own[len(own) - 1 - np.unique(steps[own][::-1], return_index=True)[1]]
            kept[last[steps[last] != NO_EPOCH]] = True
    return replace(part, steps=steps).where(kept)


def _remarks(epochs: Sequence[str], placed: Sequence[str], lost: Sequence[str]) -> tuple[str, ...]:
    remarks = []
    placed, lost = ([name for name in names if why_left_out(name) is None] for names in (placed, lost))
    if placed:
        remarks.append(
            f"curves count in different units, {listed(epochs, 3)} epochs and {listed(placed, 3)} steps: all are "
            "counted in epochs, the last value of an epoch counts."
        )
    if lost:
        remarks.append(
            f"left out, since they count steps beside curves that count epochs, and nothing says which step is of "
            f"which epoch: {listed(lost, 3)}; log a scalar 'epoch' with them, or all curves with the same step."
        )
    return tuple(remarks)
