"""Whom to stop of all runs at once, within a budget of regret: the rule of a live sweep, on one look at a folder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lcode.decisions.ledger import Outlook
from lcode.decisions.regret_rule import RegretRule
from lcode.decisions.standings import Standings


def stopped_within_budget(
    rule: RegretRule,
    runs: Sequence[str],
    samples: NDArray[np.float64],
    finished: NDArray[np.bool_],
    seen: NDArray[np.float64],
    left: NDArray[np.float64],
    deviation: float | None,
) -> NDArray[np.bool_]:
    """Which of R runs the rule stops, [R]: each is weighed after those that are expected to end worse.

    Args:
        rule: what may be lost, and how often more.
        runs: their names.
        samples: of their scores at the horizon, higher is better; NaN = no forecast, [n, R].
        finished: runs whose score is what they ended with, [R].
        seen: last epoch seen of each, [R].
        left: share of its epochs that are still to come, 0 to 1, [R].
        deviation: standard deviation of the score between seeds, see `seed_deviation`; None: not known.
    """
    known = np.isfinite(samples).all(axis=0)
    middle = np.where(known, np.median(np.where(known, samples, 0.0), axis=0), -np.inf)
    standings = Standings(deviation=deviation)
    for run in np.flatnonzero(known & finished).tolist():
        standings.finish(runs[run], float(middle[run]))
    live = np.flatnonzero(known & ~finished)
    for run in live.tolist():
        standings.expect(runs[run], float(middle[run]), Outlook.of(samples[:, run]))
    stopped = np.zeros(len(runs), dtype=bool)
    for run in live[np.argsort(middle[live], kind="stable")].tolist():
        verdict = rule.decide(runs[run], float(seen[run]), samples[:, run], standings, left=float(left[run]))
        standings.take(verdict)
        stopped[run] = verdict.stop
    return stopped
