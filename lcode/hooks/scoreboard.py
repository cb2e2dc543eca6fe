"""What live runs are compared by: an objective, fixed when enough runs have ended, and the scores that it gives."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import Objective, Standings, StopRule, Verdict
from lcode.decisions.budget import seed_deviation
from lcode.decisions.ending import Ending
from lcode.decisions.ledger import Outlook
from lcode.errors import InputError, NotEnoughDataError
from lcode.hooks.asked import Asked
from lcode.hooks.scored_ends import Scored, alone, among
from lcode.table import Metric

FinalOf = Callable[[Objective | None], NDArray[np.float64]]
"""Final values of a run that has ended, [K]. The objective chooses the epoch where one is chosen for all metrics; with
None they are the values that references are made of."""

MIN_REFERENCE_RUNS = 3
"""Finished runs that fix the references and scales of an objective which takes them from runs."""

MIN_KNOWN_RUNS = 2
"""Before that they are taken from what so many runs at least ended with or are expected to end with, ever anew."""


class Scoreboard:
    """Final values of the runs that have ended, forecasts of the others, and the scores of all that count.

    The objective is fixed as soon as enough runs have ended, so that scores stay comparable. Before that its references
    are what the runs are expected to end with, as in `lcode.rank`, and all scores are made anew with them. A metric
    that comes later begins it anew, and so does one that was left out, since the median of the first runs was 0 or near
    it, when it no longer is. Once all metrics count, an ended run costs the same however many there are.

    Attributes:
        metrics: what is measured.
        objective: what runs are compared by; None until there is something to compare with.
        provisional: whether its references or scales rest on forecasts.
        standings: the scores.
        obstacle: why the runs that ended cannot be compared, if so; a training must not end over it.
        population: final values of the runs that fixed the objective, [N, K]; None while it is not, or by a baseline.
    """

    def __init__(
        self,
        metrics: Sequence[Metric],
        asked: Asked,
        rule: StopRule,
        *,
        past: Mapping[str, FinalOf],
        groups: Mapping[str, int],
        archs: Mapping[str, str],
    ) -> None:
        """Begin with the runs that had ended before.

        Args:
            metrics: the K metrics.
            asked: what the objective is made of.
            rule: says what is believed of a run after several forecasts.
            past: those that had ended, by name.
            groups: run -> number that is equal for repeats of one configuration; what seeds are worth is told by them.
            archs: run -> key of its architecture, where it has one.

        Raises:
            UsageError: a bound on what is not measured, or a function that gives no score per run.
            InputError: a baseline that lacks a metric, or a reference of 0.
        """
        self.metrics = tuple(metrics)
        self.objective: Objective | None = None
        self.provisional = False
        self.standings = Standings()
        self.obstacle: str | None = None
        self.population: NDArray[np.float64] | None = None
        self._asked, self._rule = asked, rule
        self._past, self._finals = dict(past), dict[str, FinalOf]()
        self._looks, self._stopped = dict[str, tuple[Ending, ...]](), set[str]()
        self._groups, self._archs = dict(groups), dict(archs)
        self._settle()

    @property
    def awaited(self) -> dict[str, str]:
        """Metrics that may still come, and where they are named."""
        return self._asked.awaited(self.metrics)

    def note_arch(self, run: str, arch: str) -> None:
        """The run has this architecture, whose references are its own."""
        self._archs[run] = arch

    def finish(self, run: str, final: FinalOf) -> None:
        """The run ended with these values."""
        self.drop(run)
        self._finals[run] = final
        if self.objective is not None and not self.provisional:
            self.standings.finish(run, self._final_scores([run])[0])
            if self.objective.left_out:
                self._let_more_count()
            return
        try:
            self._settle()
        except InputError as error:  # a reference of 0
            self.obstacle = str(error)

    def drop(self, run: str) -> None:
        """The run no longer counts: it goes on, or is trained anew, or ended without a result."""
        self.standings.drop(run)
        for known in (self._past, self._finals, self._looks):
            known.pop(run, None)
        self._stopped.discard(run)

    def take(self, verdict: Verdict) -> None:
        """The live run was given this verdict, here or by another process; its forecast is scored as all others are."""
        run = verdict.run
        if verdict.ending is not None:
            before = () if run in self._stopped else self._looks.get(run, ())
            self.expect(run, (*before, verdict.ending), stopped=verdict.stop)
        elif verdict.action == "stop":
            self.drop(run)

    def expect(self, run: str, looks: Sequence[Ending], *, stopped: bool) -> None:
        """A run is expected to end so, or would have ended so if it had not been stopped.

        Args:
            run: its name.
            looks: its forecasts, the latest one last.
            stopped: whether it was stopped.
        """
        self.drop(run)
        self._looks[run] = tuple(looks) if self._rule.pools else (looks[-1],)
        if stopped:
            self._stopped.add(run)
        if not self.provisional:
            self._enter_forecasts([run])

    def looks(self, run: str) -> tuple[Ending, ...]:
        """The forecasts of a run that have a say, the latest one last; of one in progress, or one that was stopped."""
        return self._looks.get(run, ())

    def measure(self, metrics: Sequence[Metric]) -> None:
        """From now on these metrics are measured; the scores so far, which lack the new ones, are given up."""
        self.metrics, self.population = tuple(metrics), None
        self._settle()

    def restore(
        self,
        population: NDArray[np.float64] | None,
        finals: Mapping[str, FinalOf],
        looks: Mapping[str, Sequence[Ending]],
        stopped: Collection[str],
    ) -> None:
        """Take up the objective of a saved sweep, how its own runs ended, and how the others were expected to end.

        The history may have grown since: references and scales are those of the saved objective.
        """
        self.population = population
        for run, final in finals.items():
            self.drop(run)
            self._finals[run] = final
        for run, known in looks.items():
            self.expect(run, known, stopped=run in stopped)
        self._settle()

    def score(self, run: str, ending: Ending) -> Scored | None:
        """What a live run that will end so is to be compared by, from now on; None: there is nothing to compare with.

        Args:
            run: its name.
            ending: its forecast.
        """
        self.propose(run, ending)
        if self.objective is None:
            return None
        return self._among(run, ending) if self.objective.relative else self._alone(run, ending)

    def propose(self, run: str, ending: Ending) -> None:
        """While too few runs have ended to fix the objective: make it of what all of them are expected to end with."""
        if self.objective is not None and not self.provisional:
            return
        others = [looks[-1] for name, looks in self._looks.items() if name != run]
        thought = [other.medians(self.metrics) for other in (*others, ending)]
        known = [values for values in (*self._ends(), *thought) if np.isfinite(values).all()]
        self.objective, self.obstacle = None, None
        if len(known) < MIN_KNOWN_RUNS:
            return
        try:
            self.objective, self.provisional = self._asked.objective(self.metrics, np.stack(known)), True
        except NotEnoughDataError:
            return
        except InputError as error:  # a reference of 0
            self.obstacle = str(error)
            return
        self._enter()

    def _settle(self) -> None:
        """Fix the objective if it can be had, and enter all runs."""
        self.objective, self.provisional, self.standings = None, False, Standings()
        if not self.metrics:
            return
        population = self._complete() if self.population is None else self.population
        try:
            self.objective = self._asked.objective(self.metrics, population)
        except NotEnoughDataError:
            return
        self.population = population
        self._enter()

    def _enter(self) -> None:
        """Score all runs by the objective."""
        assert self.objective is not None
        self.standings = Standings(front=self.objective.front)
        for past, ended in ((True, self._past), (False, self._finals)):
            for run, score in zip(ended, self._final_scores(list(ended)), strict=True):
                self.standings.finish(run, score, past=past)
        repeats = {run: score for run, score in self.standings.past.items() if run in self._groups}
        groups = np.array([self._groups[run] for run in repeats], dtype=np.int64)
        self.standings.deviation = seed_deviation(np.array(list(repeats.values())), groups)
        self._enter_forecasts(self._looks)

    def _enter_forecasts(self, runs: Iterable[str]) -> None:
        """Score the forecasts of these runs; runs that are scored among each other are so when one is asked."""
        if self.objective is None or self.objective.relative:
            return
        for run in runs:
            outlook = None
            for ending in self._looks[run]:
                samples = self._alone(run, ending).samples
                if np.isfinite(samples).all():
                    outlook = Outlook.of(self._rule.pooled(run, samples, self.standings))
                    self.standings.expect(run, outlook.expected, outlook)
            if outlook is not None and run in self._stopped:
                self.standings.stop(run, outlook)

    def _alone(self, run: str, ending: Ending) -> Scored:
        assert self.objective is not None
        known = self.standings
        others = [*known.past.values(), *known.finished.values(), *known.expected.values()]
        return alone(ending, self.objective, self.metrics, arch=self._archs.get(run), others=others)

    def _among(self, run: str, ending: Ending) -> Scored:
        """The run among all that have ended or may still end, and the scores of these, which depend on it.

        So does that of the run to beat: the samples are those of this one's lead over it.
        """
        assert self.objective is not None
        ended = {name: final(self.objective) for name, final in {**self._past, **self._finals}.items() if name != run}
        live = {name: looks[-1] for name, looks in self._looks.items() if name not in self._stopped}
        ends = {name: Ending.certain(values, self.metrics) for name, values in ended.items()} | live | {run: ending}
        found = among(ends, self.objective, self.metrics)
        self.standings = Standings(front=self.objective.front)
        for name, scored in found.items():
            score = float(scored.samples.mean())
            if name in ended:
                self.standings.finish(name, score, past=name in self._past)
            elif np.isfinite(score):
                self.standings.expect(name, score)
        samples, feasible = found[run]
        rival = self.standings.incumbent(run)
        if rival is not None and rival.run in found:
            samples = samples - found[rival.run].samples + rival.score
        return Scored(samples, feasible)

    def _let_more_count(self) -> None:
        """Begin the objective anew if a metric that it leaves out has a reference by now."""
        assert self.objective is not None
        population = self._complete()
        try:
            now = self._asked.objective(self.metrics, population)
        except (InputError, NotEnoughDataError):  # the runs that it was made of are being trained anew
            return
        if set(now.left_out) < set(self.objective.left_out):
            self.population = population
            self._settle()

    def _ends(self) -> list[NDArray[np.float64]]:
        """Final values of the ended runs, of which references are made, [K] each."""
        return [final(None) for final in (*self._past.values(), *self._finals.values())]

    def _complete(self) -> NDArray[np.float64] | None:
        """Final values of the ended runs that have all of them, [N, K]; None while these are too few."""
        complete = [final for final in self._ends() if np.isfinite(final).all()]
        return np.stack(complete) if len(complete) >= MIN_REFERENCE_RUNS else None

    def _final_scores(self, runs: Sequence[str]) -> list[float]:
        """Scores of runs that have ended; NaN where that has none, or is one among all runs, which are scored anew."""
        assert self.objective is not None
        if not runs or self.objective.relative:
            return [np.nan] * len(runs)
        finals = {**self._past, **self._finals}
        values = np.stack([finals[run](self.objective) for run in runs])
        scores = self.objective.score(values, self.metrics, [self._archs.get(run) for run in runs])
        # Who ended outside of a bound is nobody's rival.
        ended: list[float] = np.where(np.isneginf(scores), np.nan, scores).tolist()
        return ended
