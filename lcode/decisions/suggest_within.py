"""What to train next within a budget of regret, and when nothing must be trained any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lcode.decisions.budget import between_seeds
from lcode.decisions.freeze_thaw import GoingOn, must_go_on
from lcode.decisions.ledger import Outlook
from lcode.decisions.regret_rule import RegretRule
from lcode.decisions.scored import LIKELY, ScoredRuns
from lcode.decisions.standings import Standings
from lcode.decisions.suggestions import Suggestion, Suggestions
from lcode.show import probability
from lcode.table import RunTable


def suggested_within(
    rule: RegretRule,
    found: Suggestions,
    known: ScoredRuns,
    before: Sequence[ScoredRuns],
    table: RunTable | None,
    *,
    apart: float,
    incumbent: float | None,
    budget: float | None,
) -> Suggestions:
    """The suggestions in the order in which freeze and thaw trains, with the epochs to the next look.

    First all runs come to `rule.min_epochs`; then the best to their ends until `rule.keep` have finished; then whoever
    must go on, see `must_go_on`.

    Args:
        rule: what may be lost, and how often more.
        found: what may be trained, in any order.
        known: scores of all runs as they are forecast now.
        before: of the open ones as they were forecast at their looks before.
        table: as `suggest` has it.
        apart: epochs between two evaluations.
        incumbent: a score to beat beside those of the finished runs.
        budget: epochs that may be trained, all runs together; None: any number.
    """
    place = {run: i for i, run in enumerate(known.forecast.run_ids)}
    unit = known.forecast.epoch_unit
    seen = {step.run: max(int(known.forecast.observed[place[step.run]].max()), 0) * unit for step in found.steps}
    paused = {step.run: Outlook.of(_believed(step.run, known, before)) for step in found.steps}
    standings = _standings(known, table, incumbent)
    for run, outlook in paused.items():
        standings.expect(run, outlook.expected, outlook)
    steps = {step.run: step for step in found.steps}
    best_first = sorted(paused, key=lambda run: -paused[run].expected)
    missing = rule.keep - len(standings.finished)
    going_on, limit = GoingOn((), {}, 0.0, None), rule.alpha * rule.factor
    why: dict[str, str]
    if young := [run for run in best_first if seen[run] < rule.min_epochs]:
        to = dict.fromkeys(young, float(rule.min_epochs))
        why = dict.fromkeys(young, f"every run is seen up to epoch {rule.min_epochs} before any is left")
    elif missing > 0:
        to = dict.fromkeys(best_first[:missing], np.inf)
        why = dict.fromkeys(to, f"the best {rule.keep} are trained to their ends")
    else:
        left = {run: steps[run].to_end / max(seen[run] + steps[run].to_end, unit) for run in paused}
        going_on = must_go_on(rule, paused, left, standings)
        to = {run: float(rule.next_due(seen[run])) for run in going_on.runs}
        why = {run: _reason(going_on, run, limit * left[run], limit, rule) for run in to}
    rest = sorted((run for run in best_first if run not in to), key=lambda run: -going_on.chances.get(run, 0.0))

    def ordered() -> Iterator[Suggestion]:
        for run, epoch in to.items():
            step = replace(steps[run], p_loss=going_on.chances.get(run), reason=f"{steps[run].reason}; {why[run]}")
            yield replace(step, epochs=min(max(epoch - seen[run], apart), step.to_end))
        for run in rest:
            yield replace(steps[run], p_loss=going_on.chances.get(run))

    found = replace(found, steps=tuple(_granted(ordered(), len(to), budget)))
    if going_on.allowed is None:
        return found
    return replace(found, p_loss=going_on.over, p_allowed=limit, allowed=going_on.allowed)


def _reason(going_on: GoingOn, run: str, most: float, of_all: float, rule: RegretRule) -> str:
    """Why a run must go on: of its own chance of a loss at most so much is allowed, and of all together so much."""
    chance = going_on.chances.get(run)
    if chance is None or going_on.allowed is None:
        return f"a regret of {rule.regret} cannot be told yet"
    told = f"P(more than {going_on.allowed:.2g} is lost without it) {chance:.2g}"
    if chance > most:
        return f"{told} > {most:.2g}"
    return f"{told}, without all that are paused {probability(going_on.over)} > {of_all:.2g}"


def _granted(steps: Iterator[Suggestion], chosen: int, budget: float | None) -> Iterator[Suggestion]:
    """The steps with the epochs that a budget reaches to; only the first so many are granted any."""
    left = np.inf if budget is None else float(budget)
    for i, step in enumerate(steps):
        epochs = min(step.epochs, left) if i < chosen else 0.0
        left -= epochs
        yield replace(step, granted=epochs)


def _believed(run: str, known: ScoredRuns, before: Sequence[ScoredRuns]) -> NDArray[np.float64]:
    """Samples of a run's score by its forecasts of now and before, [n]."""
    found = []
    for one in (known, *before):
        if run in one.forecast.run_ids:
            ends = one.ends
            samples = ends[:, one.forecast.run_ids.index(run)]
            found += [np.maximum(samples, ends[np.isfinite(ends)].min())] if not np.isnan(samples).any() else []
    return np.concatenate(found)


def _standings(known: ScoredRuns, table: RunTable | None, incumbent: float | None) -> Standings:
    """How the finished runs ended."""
    ended = known.alive & known.finished & (known.feasible.mean(0) >= LIKELY)
    scores = np.where(ended, np.median(known.ends, axis=0), np.nan)
    standings = Standings(deviation=between_seeds(table, known.forecast.run_ids, scores))
    for run, score in zip(known.forecast.run_ids, scores.tolist(), strict=True):
        standings.finish(run, score)
    if incumbent is not None:
        standings.finish("", incumbent, past=True)
    return standings
