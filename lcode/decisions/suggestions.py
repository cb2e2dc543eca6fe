"""What to train next, as it is told: a run, how far, what that is worth, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from lcode.decisions.objective import Objective

Step = Literal["go on", "start"]


@dataclass(frozen=True)
class Suggestion:
    """A run, and what training it is worth.

    Attributes:
        run: its name.
        step: `go on` with a run that has begun, `start` a candidate.
        epochs: how many to train now; then look again.
        to_end: how many are left to its horizon.
        price: the highest cost of an epoch, in the score's unit, at which these epochs are worth training; see `price`.
        gain: expected improvement of its final score over the incumbent, ≥ 0.
        p_better: probability of a better final score than the incumbent's, 0 to 1.
        score: median of its final score as forecast.
        score_q05: the score that is exceeded with probability 0.95.
        score_q95: the score that is exceeded with probability 0.05.
        reason: why, in a sentence.
        granted: those that the budget reaches to, which may be more than `epochs`; without a budget these.
        p_loss: with a budget of regret, the forecast chance that more than it is lost if this run is not gone on with,
            0 to 1; None without one, for a run that must go on to be judged at all, or where it cannot be told yet.
    """

    run: str
    step: Step
    epochs: float
    to_end: float
    price: float
    gain: float
    p_better: float
    score: float
    score_q05: float
    score_q95: float
    reason: str
    granted: float
    p_loss: float | None = None


@dataclass(frozen=True, eq=False)
class Suggestions:
    """What to train next, the dearest first; every run that may still be trained is there once.

    Within a budget of regret those come first that must go on, the best first; the others are granted no epoch.

    Attributes:
        steps: what may be trained.
        incumbent: the run to beat, None where nothing has a forecast.
        best: its score, as the objective tells it.
        objective: what scores are.
        notes: remarks for the user.
        p_loss: within a budget of regret, the chance that more than it is lost if nothing is trained any more, 0 to 1,
            as forecast; None without one, or where it cannot be told yet.
        p_allowed: the most that this chance may be: `alpha`, times a half for what forecasts by few finished runs do
            not see (`lcode.decisions.regret_rule.FACTOR`); None as `p_loss`.
        allowed: what may be lost, in the objective's unit; None as `p_loss`.

    Examples:
        >>> import lcode
        >>> table = lcode.read_logs("logs.csv")
        >>> forecast = lcode.forecaster("power").fit(table).predict(table)
        >>> next_steps = lcode.suggest(forecast, "mean", table=table, budget=4)
        >>> next_steps.steps[0].step, sum(step.granted for step in next_steps.steps) <= 4
        ('go on', True)
    """

    steps: tuple[Suggestion, ...]
    incumbent: str | None
    best: float
    objective: Objective
    notes: tuple[str, ...] = ()
    p_loss: float | None = None
    p_allowed: float | None = None
    allowed: float | None = None

    def __len__(self) -> int:
        return len(self.steps)

    def to_frame(self) -> pd.DataFrame:
        """One row per run, in the columns of `lcode suggest`; `p_loss` only where it is known of some."""
        columns = list(Suggestion.__dataclass_fields__)
        if all(step.p_loss is None for step in self.steps):
            columns.remove("p_loss")
        rows = [[getattr(step, name) for name in columns] for step in self.steps]
        frame = pd.DataFrame(rows, columns=columns)
        frame.insert(1, "rank", np.arange(1, len(frame) + 1))
        return frame

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values, as `lcode suggest --json` prints it."""
        return {
            "incumbent": self.incumbent,
            "best": self.best if np.isfinite(self.best) else None,
            "unit": self.objective.unit,
            "p_loss": self.p_loss,
            "p_allowed": self.p_allowed,
            "allowed": self.allowed,
            "suggestions": [asdict(step) for step in self.steps],
        }
