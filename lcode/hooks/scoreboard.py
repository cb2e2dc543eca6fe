"""What live runs are compared by: an objective, fixed when enough runs have ended, and the scores that it gave."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import Constraint, Objective, Standings, Verdict, make_objective, scores_alone
from lcode.decisions.budget import seed_deviation
from lcode.decisions.constraints import parse_constraints
from lcode.decisions.kinds import check_objective
from lcode.decisions.objective import ScoreFunction
from lcode.errors import InputError, NotEnoughDataError, UsageError
from lcode.table import Metric

MIN_REFERENCE_RUNS = 3
"""Finished runs needed before an objective that takes its references or scales from them says anything."""


class Scoreboard:
    """Final values of the runs that have ended, and the scores of all that count.

    The objective is fixed as soon as it can be had, so that scores stay comparable; a metric that comes later begins it
    anew, and so does one that was left out, since the median of the first runs was 0 or near it, when it no longer is.
    Once all metrics count, an ended run costs the same however many there are.

    Attributes:
        metrics: what is measured.
        objective: what runs are compared by; None until there is something to compare with.
        standings: the scores.
        obstacle: why the runs that ended cannot be compared, if so; a training must not end over it.
    """

    def __init__(
        self,
        metrics: Sequence[Metric],
        *,
        objective: str | Objective | ScoreFunction,
        baseline: Mapping[str, float] | str | os.PathLike[str] | None,
        past: Mapping[str, NDArray[np.float64]],
        groups: Mapping[str, int] | None = None,
        archs: Mapping[str, str],
        learns: bool = False,
        constraints: Sequence[str | Constraint] = (),
    ) -> None:
        """Begin with the runs that had ended before.

        Args:
            metrics: the K metrics.
            objective: see `make_objective`.
            baseline: single-task references of `delta_m`.
            past: run -> final values [K] of those that had ended.
            groups: run -> number that is equal for repeats of one configuration; what seeds are worth is told by them.
            archs: run -> key of its architecture, where it has one.
            learns: whether more metrics may come: references and bounds of theirs then wait for them.
            constraints: bounds on final values; a run that ends outside of one has no score.

        Raises:
            UsageError: an unknown objective or one that scores runs against one another, references that are none, or
                a bound on what is not measured.
            InputError: a file of references that cannot be read, or a reference of 0.
        """
        if not scores_alone(objective):
            raise UsageError(
                f"the objective '{objective}' scores runs against one another, and a score must stay while runs come "
                "and go; choose delta_m, mean, worst or weights:NAME=W"
            )
        self.metrics = tuple(metrics)
        self.objective: Objective | None = None
        self.standings = Standings()
        self.obstacle: str | None = None
        self.population: NDArray[np.float64] | None = None
        self._spec, self._baseline = objective, baseline
        self._past, self._finals = dict(past), dict[str, NDArray[np.float64]]()
        self._groups = dict(groups or {})
        self._archs, self._learns = dict(archs), learns
        check_objective(objective, baseline)
        self._constraints = parse_constraints(constraints)
        self._settle()

    @property
    def ended(self) -> int:
        """How many runs have ended, with or without a score."""
        return len(self._past) + len(self._finals)

    @property
    def awaited(self) -> dict[str, str]:
        """Metrics that may still come, and where they are named; a file of references may have any rows."""
        if not self._learns:
            return {}
        keys = [metric.key for metric in self.metrics]
        named = {one.metric: "a bound" for one in self._constraints}
        named |= dict.fromkeys(self._baseline if isinstance(self._baseline, Mapping) else (), "the baseline")
        return {name: where for name, where in named.items() if name not in keys}

    def note_arch(self, run: str, arch: str) -> None:
        """The run has this architecture, whose references are its own."""
        self._archs[run] = arch

    def finish(self, run: str, final: NDArray[np.float64]) -> None:
        """The run ended with these values, [K]."""
        self.drop(run)
        self._finals[run] = final
        if self.objective is not None:
            self.standings.finish(run, self._scores([run], [final])[0])
            if self.objective.left_out:
                self._let_more_count()
            return
        try:
            self._settle()
        except InputError as error:  # a reference of 0
            self.obstacle = str(error)

    def expect(self, run: str, score: float) -> None:
        """The live run is expected to end with this score."""
        self.standings.expect(run, score)

    def drop(self, run: str) -> None:
        """The run no longer counts: it goes on, or is trained anew, or ended without a result."""
        self.standings.drop(run)
        self._past.pop(run, None)
        self._finals.pop(run, None)

    def take(self, verdict: Verdict) -> None:
        """The live run was given this verdict."""
        self.standings.take(verdict)

    def measure(self, metrics: Sequence[Metric]) -> None:
        """From now on these metrics are measured; the scores so far, which lack the new ones, are given up."""
        more = len(metrics) - len(self.metrics)
        self.metrics, self.objective, self.population, self.standings = tuple(metrics), None, None, Standings()
        for finals in (self._past, self._finals):
            for run, final in finals.items():
                finals[run] = np.append(final, np.full(more, np.nan))
        self._settle()

    def restore(self, population: NDArray[np.float64] | None, finals: Mapping[str, NDArray[np.float64]]) -> None:
        """Take up the objective of a saved sweep, and the final values of its own runs.

        The history may have grown since: references and scales are those of the saved objective.
        """
        self.objective, self.standings, self.population = None, Standings(), population
        for run, final in finals.items():
            self.drop(run)
            self._finals[run] = final
        self._settle()

    def _settle(self) -> None:
        """Fix the objective if it can be had, and enter the runs that have ended."""
        if not self.metrics:
            return
        population = self._complete() if self.population is None else self.population
        try:
            self.objective = self._objective_of(population)
        except NotEnoughDataError:
            return
        self.population = population
        for past, ended in ((True, self._past), (False, self._finals)):
            scores = self._scores(list(ended), list(ended.values()))
            for run, score in zip(ended, scores, strict=True):
                self.standings.finish(run, score, past=past)
        repeats = {run: score for run, score in self.standings.past.items() if run in self._groups}
        groups = np.array([self._groups[run] for run in repeats], dtype=np.int64)
        self.standings.deviation = seed_deviation(np.array(list(repeats.values())), groups)

    def _let_more_count(self) -> None:
        """Begin the objective anew if a metric that it leaves out has a reference by now."""
        assert self.objective is not None
        population = self._complete()
        try:
            now = self._objective_of(population)
        except (InputError, NotEnoughDataError):  # the runs that it was made of are being trained anew
            return
        if set(now.left_out) < set(self.objective.left_out):
            self.population, self.standings = population, Standings()
            self._settle()

    def _complete(self) -> NDArray[np.float64] | None:
        """Final values of the ended runs that have all of them, [N, K]; None while these are too few."""
        finals = [*self._past.values(), *self._finals.values()]
        complete = [final for final in finals if np.isfinite(final).all()]
        return np.stack(complete) if len(complete) >= MIN_REFERENCE_RUNS else None

    def _objective_of(self, population: NDArray[np.float64] | None) -> Objective:
        baseline = self._baseline
        if isinstance(baseline, Mapping):
            baseline = {name: value for name, value in baseline.items() if name not in self.awaited}
        bounds = [one for one in self._constraints if one.metric not in self.awaited]
        return make_objective(self._spec, self.metrics, population=population, baseline=baseline, constraints=bounds)

    def _scores(self, runs: Sequence[str], finals: Sequence[NDArray[np.float64]]) -> list[float]:
        if not runs:
            return []
        assert self.objective is not None
        scores = self.objective.score(np.stack(finals), self.metrics, [self._archs.get(run) for run in runs])
        # Who ended outside of a bound is nobody's rival.
        ended: list[float] = np.where(np.isneginf(scores), np.nan, scores).tolist()
        return ended
