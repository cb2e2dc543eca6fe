"""What a run must fulfil, whatever its score: `depth/abs_err<=0.4`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lcode.decisions.objective import Objective
from lcode.decisions.relative import RelativeObjective
from lcode.errors import UsageError
from lcode.table import Direction, Metric

_FORM = re.compile(r"\s*(?P<metric>.*?)\s*(?P<sign><=|>=|≤|≥|<|>)\s*(?P<bound>\S+)\s*")


@dataclass(frozen=True)
class Constraint:
    """A bound on a metric's final value, in its natural units.

    Attributes:
        metric: key of the metric.
        at_most: whether the bound is the largest value that is allowed, or the smallest.
        bound: the value itself is allowed, also where `<` or `>` was written.
    """

    metric: str
    at_most: bool
    bound: float

    @classmethod
    def parse(cls, text: str | Constraint) -> Self:
        """The constraint that `depth/abs_err<=0.4` or `seg/miou>=0.5` says.

        Raises:
            UsageError: not of that form.
        """
        if isinstance(text, Constraint):
            return cls(text.metric, text.at_most, text.bound)
        found = _FORM.fullmatch(text) if isinstance(text, str) else None
        try:
            bound = float(found["bound"]) if found else np.nan
        except ValueError:
            bound = np.nan
        if found is None or not found["metric"] or not np.isfinite(bound):
            raise UsageError(f"no constraint {text!r}; write METRIC<=NUMBER or METRIC>=NUMBER, as depth/abs_err<=0.4")
        return cls(found["metric"], found["sign"] in ("<", "<=", "≤"), bound)

    def on(self, metrics: Sequence[Metric]) -> Self:
        """The same, with the metric's key as the table spells it.

        Raises:
            UsageError: no such metric; the text lists those there are.
        """
        for metric in metrics:
            if self.metric in (metric.key, f"{metric.task}/{metric.name}"):
                return type(self)(metric.key, self.at_most, self.bound)
        known = ", ".join(metric.key for metric in metrics)
        raise UsageError(f"the constraint '{self}' names '{self.metric}', which is not measured; there are: {known}")

    def __str__(self) -> str:
        return f"{self.metric} {'≤' if self.at_most else '≥'} {self.bound:g}"


def parse_constraints(texts: Sequence[str | Constraint] | str | Constraint | None) -> list[Constraint]:
    """The constraints that are said: any number of them, one alone, or none.

    Raises:
        UsageError: not of the form of `Constraint.parse`.
    """
    if texts is None:
        return []
    each = texts if isinstance(texts, Sequence) and not isinstance(texts, str) else [texts]
    return [Constraint.parse(text) for text in each]


@dataclass(frozen=True)
class Constrained(Objective):
    """An objective among the runs that keep within bounds: the score is −∞ where a value is outside of one.

    So a sample of a forecast that ends outside beats nobody, and the probability of being feasible is part of that of
    being best, as in constrained expected improvement (Gardner et al., ICML 2014).

    Attributes:
        objective: what scores a run that is feasible.
        constraints: all of which must hold, of metrics as the table spells them.
    """

    objective: Objective
    constraints: tuple[Constraint, ...]

    @property
    def unit(self) -> str:  # type: ignore[override]
        """The objective's."""
        return self.objective.unit

    @property
    def direction(self) -> Direction:  # type: ignore[override]
        """The objective's."""
        return self.objective.direction

    @property
    def relative(self) -> bool:  # type: ignore[override]
        """The objective's."""
        return self.objective.relative

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        """The objective's, and what must hold."""
        bounds = " and ".join(map(str, self.constraints))
        return (*self.objective.notes, f"feasible: {bounds}; only feasible ends count for P(best) and the action")

    @property
    def left_out(self) -> Mapping[str, str]:  # type: ignore[override]
        """The objective's."""
        return self.objective.left_out

    @property
    def front(self) -> bool:  # type: ignore[override]
        """The objective's."""
        return self.objective.front

    def parts(
        self, values: NDArray[np.float64], metrics: Sequence[Metric], archs: Sequence[str | None] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The objective's own score of each run, whatever the constraints, and whether they hold.

        Of an objective that scores runs against one another, only those that are feasible count: the others come last.

        Args:
            values: see `Objective.score`.
            metrics: likewise.
            archs: likewise.

        Returns:
            Scores [...], NaN where one cannot be told or a value is missing that a constraint is on; and flags [...].
        """
        place = {metric.key: k for k, metric in enumerate(metrics)}
        bounded = values[..., [place[one.metric] for one in self.constraints]]
        signs = np.array([1 if one.at_most else -1 for one in self.constraints])
        bounds = np.array([one.bound for one in self.constraints])
        feasible = (signs * bounded <= signs * bounds).all(-1)
        if isinstance(self.objective, RelativeObjective):
            scores = self.objective.among(np.where(feasible[..., None], values, np.nan), metrics)
            missing = np.isnan(values).any(-1)
        else:
            scores = self.objective.score(values, metrics, archs)
            missing = np.isnan(bounded).any(-1)
        return np.where(missing, np.nan, scores), feasible

    def score(
        self, values: NDArray[np.float64], metrics: Sequence[Metric], archs: Sequence[str | None] | None = None
    ) -> NDArray[np.float64]:
        """See `Objective.score`: −∞ where infeasible, NaN where that cannot be told."""
        scores, feasible = self.parts(values, metrics, archs)
        return np.where(feasible | np.isnan(scores), scores, -np.inf)
