"""Which step of a run is of which epoch, where that can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lcode.readers.loggers.points_in_order import Curve

NO_EPOCH = -1

_UNEVEN = 3
"""Times the usual number of values of an epoch, above which an order of logging tells nothing of epochs."""


@dataclass(frozen=True, eq=False)
class Epochs:
    """The epochs of a run, each known by an evaluation behind it.

    Attributes:
        curve: a curve of an evaluation, which counts epochs.
        first: the first epoch.
    """

    curve: Curve
    first: int

    @classmethod
    def of(cls, curve: Curve) -> Self:
        """The epochs of an evaluation: from 0 on, or from 1 where none of its steps says 0."""
        from_zero = curve.steps[0] == 0 or int(np.gcd.reduce(curve.steps + 1)) > 1
        return cls(curve, 0 if from_zero else 1)

    def comes_as_often(self, curve: Curve) -> bool:
        """Whether a curve of steps has a value for each epoch, at steps that are equally far apart.

        The latest epoch may have been told by one of them only.
        """
        size = len(curve.steps)
        even = size == 1 or (curve.stride() or 0) > 1
        return even and abs(size - len(self.curve.steps)) <= 1

    def by_order(self, curve: Curve) -> NDArray[np.int64] | None:
        """The epoch of each value, which is that of the next evaluation; None where the order of logging says none.

        So it is where all values of one curve were written, then all of the next. Of what has followed the last
        evaluation nobody knows yet whether it will be of an epoch: `NO_EPOCH`.
        """
        before = curve.before(self.curve)
        sizes = np.diff(before, prepend=0)
        within = sizes[1:] if before[0] == 0 else sizes
        if not len(within) or not within.all():
            return None
        usual = float(np.median(within))
        if within.max() > _UNEVEN * usual or len(curve.steps) - before[-1] > _UNEVEN * usual:
            return None
        epochs = np.searchsorted(before, np.arange(len(curve.steps)), side="right")
        return np.where(epochs < len(before), self.first + epochs, NO_EPOCH)

    def by_number(self, curve: Curve) -> NDArray[np.int64] | None:
        """The epoch of each value where every epoch has the same number of them; None where they do not come out."""
        each, rest = divmod(len(curve.steps), len(self.curve.steps))
        if rest or each < 2 or curve.stride() is None:
            return None
        return self.first + np.arange(len(curve.steps)) // each


@dataclass(frozen=True, eq=False)
class Steps:
    """What is known of the steps of a run.

    Attributes:
        epochs: its epochs; None: none was evaluated.
        counter: the curve that says the epoch of steps; None: there is none.
        measured: a curve of steps with a value for each epoch; None: there is none.
    """

    epochs: Epochs | None
    counter: Curve | None
    measured: Curve | None

    @classmethod
    def of(cls, epochs: Mapping[str, Curve], steps: Mapping[str, Curve], counter: Curve | None) -> Self:
        """What the curves that count epochs, those that count steps, and the one that says epochs tell."""
        if not epochs:
            return cls(None, counter, None)
        known = Epochs.of(max(epochs.values(), key=lambda curve: len(curve.steps)))
        often = [curve for curve in steps.values() if known.comes_as_often(curve)]
        return cls(known, counter, max(often, key=lambda curve: int(curve.steps[-1]), default=None))

    def epochs_of(self, curve: Curve) -> NDArray[np.int64] | None:
        """The epoch of each value of a curve that counts steps, [N]; None where that cannot be told."""
        if self.counter is not None:
            return self._by_counter(curve, self.counter)
        if self.epochs is None:
            return None
        if self.epochs.comes_as_often(curve):
            return self.epochs.first + np.arange(len(curve.steps))
        if self.measured is not None:
            start, every = int(self.measured.steps[0]), self.measured.stride() or int(self.measured.steps[0]) + 1
            behind = np.maximum(curve.steps - start, 0)
            return self.epochs.first + -(-behind // every)
        by_order = self.epochs.by_order(curve)
        return self.epochs.by_number(curve) if by_order is None else by_order

    def _by_counter(self, curve: Curve, counter: Curve) -> NDArray[np.int64]:
        """The epoch that was said last at each step; of fractions, the epoch that they are a part of."""
        said = counter.values.round(4)
        # Fractions told behind each batch end with a whole number: 0.1 … 1.0 are the first epoch, as 0.0 … 0.9 are.
        behind = bool(said[0] % 1) or (bool(np.any(said % 1)) and said[0] > 0)
        whole = (np.ceil(said) - 1 if behind else np.floor(said)).astype(np.int64)
        # Told once per epoch and not at step 0, it is told at the end of each.
        ends = counter.steps[0] > 0 and len(np.unique(whole)) == len(whole) > 1
        if ends:
            whole = np.append(whole, whole[-1] + 1)
            at = np.searchsorted(counter.steps, curve.steps)
        else:
            at = np.maximum(np.searchsorted(counter.steps, curve.steps, side="right") - 1, 0)
        if self.epochs is None or whole[0] > 1:  # of a resumed training nothing tells the first epoch
            return whole[at]
        return whole[at] - whole[0] + self.epochs.first
