"""The learning rate along a run, by its break points: a plan of 10⁹ epochs is as small as one of ten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Schedule:
    """A learning rate, past and planned: linear between break points, constant before the first and after the last.

    What comes after the last break point is not known: a schedule that ends before the run's horizon is no plan, and is
    not read as one.

    Attributes:
        epochs: whole epochs of the break points (ticks, in a table with an `epoch_unit`), strictly increasing, ≥ 0,
            shape [S], S ≥ 1.
        rates: learning rate at each of them, shape [S].
    """

    epochs: NDArray[np.int64]
    rates: NDArray[np.float64]

    @classmethod
    def of(cls, plan: Schedule | Sequence[float] | NDArray[np.float64], *, first: int = 1, step: int = 1) -> Schedule:
        """The schedule itself, or that of one learning rate per epoch.

        Args:
            plan: a schedule, or the rates at `first`, `first + step`, …
            first: epoch of the first rate.
            step: from one rate to the next.
        """
        if isinstance(plan, Schedule):
            return plan
        rates = np.asarray(plan, dtype=np.float64)
        return cls(first + step * np.arange(len(rates), dtype=np.int64), rates)

    @property
    def last(self) -> int:
        """Last epoch of which the rate is known."""
        return int(self.epochs[-1])

    @property
    def usable(self) -> bool:
        """Whether all rates are finite and their sum is above 0: otherwise nothing can be told from the plan."""
        return len(self.rates) > 0 and bool(np.isfinite(self.rates).all()) and self._total > 0

    def at(self, epochs: ArrayLike) -> NDArray[np.float64]:
        """Learning rate at these epochs, which need not be whole."""
        return np.interp(np.asarray(epochs, dtype=np.float64), self.epochs, self.rates)

    def done(self, epochs: ArrayLike) -> NDArray[np.float64]:
        """Share of the sum of all planned rates that is behind after these epochs, 0 to 1.

        Epoch e is trained with the rate at e: the sum runs over the whole epochs 1 … e, and is linear within an epoch.
        """
        return self._until(epochs) / self._total

    def passed(self, epochs: ArrayLike) -> NDArray[np.float64]:
        """Sum of the rates up to these epochs, as `done`, in units of the highest rate: epochs at that rate."""
        return self._until(epochs) / self.rates.max()

    def _until(self, epochs: ArrayLike) -> NDArray[np.float64]:
        at = np.clip(np.asarray(epochs, dtype=np.float64), 0.0, float(self.last))
        whole = np.floor(at)
        before, after = self._sum(whole), self._sum(np.minimum(whole + 1, self.last))
        return before + (at - whole) * (after - before)

    @property
    def _total(self) -> float:
        return float(self._sum(np.array([float(self.last)]))[0])

    def _sum(self, epochs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of the rates over the epochs 1 … e, of whole epochs e ≤ `last`."""
        widths, rises = np.diff(self.epochs), np.diff(self.rates)
        # Of the epochs a+1 … b between two break points: an arithmetic series.
        pieces = widths * (self.rates[:-1] + self.rates[1:]) / 2 + rises / 2
        until = np.concatenate([[0.0], np.cumsum(pieces)]) + self.rates[0] * self.epochs[0]
        piece = np.clip(np.searchsorted(self.epochs, epochs, side="right") - 1, 0, len(self.epochs) - 1)
        slopes = np.append(rises / np.maximum(widths, 1), 0.0)
        beyond = np.maximum(epochs - self.epochs[piece], 0.0)
        inside = until[piece] + beyond * self.rates[piece] + slopes[piece] * beyond * (beyond + 1) / 2
        return np.where(epochs < self.epochs[0], self.rates[0] * epochs, inside)

    def every(self, step: int) -> Schedule:
        """The same plan with so many epochs counted as one, each with the rate of its last."""
        marks = np.concatenate([self.epochs // step, -(-self.epochs // step)])
        epochs = np.unique(np.clip(marks, 1, max(self.last // step, 1)))
        return Schedule(epochs, self.at(epochs * step))

    def finer(self, factor: int) -> Schedule:
        """The same plan with each epoch counted as so many."""
        return Schedule(self.epochs * factor, self.rates)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"epochs": self.epochs.tolist(), "rates": self.rates.tolist()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any] | Sequence[float]) -> Schedule:
        """The inverse of `to_json`; also of what was stored until version 0.1, a rate for each of the epochs 1 … n."""
        if not isinstance(plain, Mapping):
            return cls.of(plain)
        return cls(np.array(plain["epochs"], dtype=np.int64), np.array(plain["rates"], dtype=np.float64))
