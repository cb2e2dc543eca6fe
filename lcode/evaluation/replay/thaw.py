"""Freeze and thaw: runs are paused, and those go on that may still lose more than the budget if they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lcode.decisions.freeze_thaw import LOOKS, must_go_on, thaw_rule
from lcode.decisions.ledger import Outlook
from lcode.decisions.regret_rule import RegretRule
from lcode.decisions.standings import Standings
from lcode.evaluation.replay.forecasts import Expected
from lcode.evaluation.replay.in_turn import ForecastPolicy
from lcode.evaluation.replay.protocol import Course

if TYPE_CHECKING:
    from lcode.evaluation.replay.sweep import RecordedSweep


@dataclass(frozen=True, eq=False)
class FreezeThaw(ForecastPolicy):
    """All runs train to the first epoch at which one may be stopped; from there on a free worker takes a paused run.

    The best `keep` train to their ends at once: they are what the others are held against, and what forecasts learn
    from. Then a worker takes the run that is expected to end best of those whose chance to end above the best finished
    run by more than the budget is larger than `must_go_on` allows, and trains it to its next look. When there is none,
    the sweep is over: what is still paused would lose more than the budget with a chance of α at most, of which the
    forecasts may see `factor`. After Swersky et al. 2014 (arXiv 1406.3896), who go on with the run of the largest gain
    in information.

    Unlike a rule that stops runs as they come, it needs their checkpoints, and it never trains a run to its end only
    because no better one has come so far. When runs have finished, the paused ones are forecast anew.

    Attributes:
        rule: `regret`, `alpha`, `factor`, `min_epochs`, `keep` and `every` of `RegretRule`.
    """

    rule: RegretRule = thaw_rule()  # noqa: RUF009 (a frozen value)

    def play(self, sweep: RecordedSweep, order: Sequence[int], workers: int) -> Course:
        """See `Rule`; a round takes each worker's run to its next look."""
        play = _Play(self, sweep, order)
        while chosen := play.first_ones(workers):
            play.advance(chosen, to_end=True)
        while chosen := play.next_ones(workers):
            play.advance(chosen)
        return Course(play.reports)


class _Play:
    """Who has come how far, and what is believed of those that are paused."""

    def __init__(self, policy: FreezeThaw, sweep: RecordedSweep, order: Sequence[int]) -> None:
        self._rule, self._sweep, self._forecasts = policy.rule, sweep, sweep.forecasts(policy.model)
        self.reports = np.zeros(len(order), dtype=np.int64)
        self._open = list(order)
        self._looks: dict[int, list[int]] = {run: [] for run in order}  # ticks
        self._done: list[int] = []
        self._standings = Standings(deviation=sweep.past_deviation)
        for name, score in sweep.past_scores.items():
            self._standings.finish(name, score, past=True)
        self._together: dict[int, list[int]] = {}  # tick -> all runs that were looked at there before any was paused
        self._known: object = None
        self._outlooks: dict[int, Outlook | None] = {}
        begun = list(order)
        while begun:
            self.advance(begun)
            begun = [run for run in begun if run in self._looks]
            for run in begun:
                self._together.setdefault(self._looks[run][-1], []).append(run)
            begun = [run for run in begun if self._epoch(run) < self._rule.min_epochs]

    def first_ones(self, workers: int) -> list[int]:
        """The best runs as long as too few have finished, as many as there are workers or fewer."""
        self._look()
        ranked = sorted(self._open, key=lambda run: -self._expected(run))
        return ranked[: min(workers, max(self._rule.keep - len(self._done), 0))]

    def next_ones(self, workers: int) -> list[int]:
        """The runs that go on, as many as there are workers or fewer; none when the sweep is over."""
        self._look()
        runs = {self._name(run): run for run in self._open}
        paused = {name: self._outlooks[run] for name, run in runs.items()}
        left = {name: self._left(run) for name, run in runs.items()}
        return [runs[name] for name in must_go_on(self._rule, paused, left, self._standings).runs[:workers]]

    def _look(self) -> None:
        """Forecast the paused runs of which there is no forecast by all that is known now."""
        known = self._forecasts.known(self._done)
        if known != self._known:
            self._known = known
            self._outlooks.clear()
        for run in self._open:
            if run not in self._outlooks:
                outlook = self._outlooks[run] = self._believed(run)
                if outlook is not None:
                    self._standings.expect(self._name(run), outlook.expected, outlook)

    def advance(self, runs: Sequence[int], *, to_end: bool = False) -> None:
        """Train each of these to its next look, or to its end; those that end count from then on."""
        sweep, ended = self._sweep, []
        for run in runs:
            epochs, horizon = sweep.curves.epochs[run], int(sweep.curves.horizons[run])
            self._outlooks.pop(run, None)
            while True:
                place = int(self.reports[run])
                self.reports[run] += 1
                if self.reports[run] == sweep.alive[run]:
                    ended.append(run)
                    break
                before = sweep.told(epochs[place - 1]) if place else -1
                if not to_end and epochs[place] < horizon and self._rule.due(sweep.told(epochs[place]), before):
                    self._looks[run].append(epochs[place])
                    break
        for run in ended:
            self._open.remove(run)
            del self._looks[run]
            if self.reports[run] == sweep.lengths[run] and run not in sweep.curves.diverged:
                self._standings.finish(self._name(run), float(sweep.final_scores[run]))
                self._done.append(run)
            else:
                self._standings.drop(self._name(run))

    def _believed(self, run: int) -> Outlook | None:
        """How the run will end, by the forecasts from its latest looks; None where there is no forecast."""
        looks = self._looks[run][-LOOKS:]
        found = [self._forecast(run, tick) for tick in looks]
        samples = np.concatenate([one.samples for one in found])
        return Outlook.of(samples) if np.isfinite(samples).all() else None

    def _forecast(self, run: int, tick: int) -> Expected:
        """What is expected of a run at one of its looks: at the first ones beside all others, which are there too."""
        if tick in self._together:
            return self._forecasts.among(run, tick, self._done, self._together[tick])
        return self._forecasts.expected(run, tick, self._done, self._open)

    def _expected(self, run: int) -> float:
        """The score that a paused run is expected to end with; infinity where nothing can be said of it yet."""
        outlook = self._outlooks[run]
        return np.inf if outlook is None else outlook.expected

    def _name(self, run: int) -> str:
        return self._sweep.table.run_ids[run]

    def _epoch(self, run: int) -> float:
        return self._sweep.told(self._looks[run][-1])

    def _left(self, run: int) -> float:
        """Share of the run's epochs that are still to come, 0 to 1."""
        return 1 - self._looks[run][-1] / max(int(self._sweep.curves.horizons[run]), 1)
