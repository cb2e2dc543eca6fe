"""How much regret a user allows, in the unit that they think in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from lcode.errors import UsageError
from lcode.table import RunTable
from lcode.table.groups import configuration_groups

Unit = Literal["score", "spread", "sd"]
"""The objective's own unit; best minus median score of the sweep; standard deviation between seeds."""

HOW = "write 0.5 (in the objective's unit), '0.1 spread' (of best minus median score) or '0.5 sd' (between seeds)"


@dataclass(frozen=True)
class RegretBudget:
    """What may be lost by stopping: the best score of all runs minus the best that is left.

    Attributes:
        amount: how much, > 0.
        unit: of what.

    Examples:
        >>> RegretBudget.parse("0.1 spread")
        RegretBudget(amount=0.1, unit='spread')
        >>> RegretBudget.parse(0.5).in_scores(spread=2.0)
        0.5
    """

    amount: float
    unit: Unit = "score"

    @classmethod
    def parse(cls, spec: float | str | RegretBudget) -> Self:
        """The budget that `0.5`, `"0.1 spread"` or `"0.5 sd"` stands for.

        Raises:
            UsageError: none of these.
        """
        if isinstance(spec, RegretBudget):
            return cls(spec.amount, spec.unit)
        if isinstance(spec, str):
            number, _, unit = spec.strip().partition(" ")
            unit = unit.strip() or "score"
            try:
                amount = float(number)
            except ValueError:
                raise UsageError(f"regret is {spec!r}; {HOW}") from None
        elif isinstance(spec, Real) and not isinstance(spec, bool):
            amount, unit = float(spec), "score"
        else:
            raise UsageError(f"regret is {spec!r}; {HOW}")
        if unit not in get_args(Unit) or not math.isfinite(amount) or amount <= 0:
            raise UsageError(f"regret is {spec!r}; {HOW}, more than 0")
        return cls(amount, unit)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.amount:g}" if self.unit == "score" else f"{self.amount:g} {self.unit}"

    def in_scores(self, *, spread: float | None = None, deviation: float | None = None) -> float | None:
        """The budget in the objective's unit; None while it cannot be told.

        Args:
            spread: best minus median score, where it is known.
            deviation: standard deviation of the score between seeds, where it is known.
        """
        if self.unit == "score":
            return self.amount
        scale = spread if self.unit == "spread" else deviation
        return None if scale is None or not scale > 0 else self.amount * scale


def between_seeds(table: RunTable | None, runs: Sequence[str], scores: NDArray[np.float64]) -> float | None:
    """Standard deviation of the scores of finished runs over repeats of a configuration; None without any.

    Args:
        table: holds the runs and their configurations; None: they are not known.
        runs: names of R runs.
        scores: their final scores, [R]; NaN for one that has not finished.
    """
    return None if table is None else seed_deviation(scores, configuration_groups(table.select(runs)))


def seed_deviation(scores: NDArray[np.float64], groups: NDArray[np.int64]) -> float | None:
    """Standard deviation of final scores over repeats of one configuration, pooled; None without repeats.

    Args:
        scores: of R runs; NaN where one has none.
        groups: a number per run, equal for repeats; see `lcode.table.groups`.
    """
    known = np.isfinite(scores)
    scores, groups = scores[known], groups[known]
    if not len(scores):
        return None
    counts = np.bincount(groups)
    free = int(np.maximum(counts - 1, 0).sum())
    if not free:
        return None
    means = np.bincount(groups, scores) / np.maximum(counts, 1)
    return float(np.sqrt(((scores - means[groups]) ** 2).sum() / free))
