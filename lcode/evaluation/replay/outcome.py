"""What one replay of a sweep came to: what was trained, what was stopped, and what that lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lcode.decisions import Verdict


@dataclass(frozen=True)
class Replay:
    """Outcome of one replay of R runs.

    Attributes:
        order: the runs in the order in which they were started.
        epochs_trained: epochs that were trained under the rule, all runs together.
        epochs_total: epochs without any stopping.
        stopped: the stopped runs, with the epoch at which each was.
        best_run: the run with the best true final score of all; None if all diverged.
        regret: best true final score of all runs minus that of the runs that were not stopped, in the objective's
            unit (Δm: percentage points), ≥ 0. If all were stopped, and where a stopped run keeps what it has
            (patience): minus the best score that any had when it was stopped; NaN if there is none. The runs of the
            history do not count: a sweep is to find its own best.
        verdicts: every verdict, in the order given; empty for rules that decide by rungs.
        spread: best minus median true final score of all runs, in the objective's unit; NaN if there is none.
    """

    order: tuple[str, ...]
    epochs_trained: float
    epochs_total: float
    stopped: Mapping[str, float]
    best_run: str | None
    regret: float
    verdicts: tuple[Verdict, ...]
    spread: float = np.nan

    @property
    def saved(self) -> float:
        """Share of the epochs that was not trained, 0 to 1."""
        return 1 - self.epochs_trained / self.epochs_total if self.epochs_total else 0.0

    @property
    def speedup(self) -> float:
        """How many times fewer epochs were trained, ≥ 1."""
        return self.epochs_total / self.epochs_trained if self.epochs_trained else 1.0

    @property
    def best_kept(self) -> bool:
        """Whether the truly best run was trained to its end."""
        return self.best_run is not None and self.best_run not in self.stopped

    @property
    def regret_share(self) -> float:
        """The regret as a share of the spread, 0 to 1 (more if only runs below the median are left); 0 for none."""
        return self.regret / self.spread if self.regret and self.spread else 0.0 * self.regret
