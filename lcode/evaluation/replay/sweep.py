"""Finished runs, ready to be replayed under rules that stop some of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import MedianRule, Objective, architectures, final_values, make_objective
from lcode.decisions.budget import seed_deviation
from lcode.decisions.objective import ScoreFunction
from lcode.errors import NotEnoughDataError
from lcode.evaluation.replay.forecasts import SweepForecasts
from lcode.evaluation.replay.outcome import Replay
from lcode.evaluation.replay.protocol import Course, Rule
from lcode.evaluation.score_curves import ScoreCurves
from lcode.forecasters.base import Forecaster
from lcode.table import RunTable, as_epochs
from lcode.table.groups import configuration_groups

Policy: TypeAlias = Rule | MedianRule | None
"""A rule; that of `lcode.decisions.MedianRule`; or None, which trains every run to its end."""


class RecordedSweep:
    """Finished runs, ready to be replayed under several rules and orders; forecasts are made once per model.

    Attributes:
        table: the R runs that are replayed.
        history: finished runs from before the sweep, or None.
        objective: what scores are.
        final_scores: true final score of each run, higher is better, [R]; NaN if it diverged.
        past_scores: run of the history -> its final score.
        curves: the score of each run at every epoch.
        past_curves: the same of the history, or None.
    """

    def __init__(
        self,
        table: RunTable,
        *,
        objective: str | Objective | ScoreFunction = "delta_m",
        baseline: Mapping[str, float] | str | os.PathLike[str] | None = None,
        history: RunTable | None = None,
    ) -> None:
        """Prepare the finished runs of a table.

        Args:
            table: the runs to be replayed; those that did not finish are left out, for how they would have ended is
                not known.
            objective: what final scores, and regret, are measured by; see `lcode.decisions.make_objective`.
            baseline: single-task references of `delta_m`.
            history: runs that had finished before the sweep: the first incumbents, the median rule's first peers,
                and the source of references and scales. Without it these come from the replayed runs' final values.

        Raises:
            NotEnoughDataError: no run of the table finished.
        """
        finished = table.with_status("finished")
        measured = set(finished.points["run"].astype(str))
        self.table = finished.select([run for run in finished.run_ids if run in measured])
        if not len(self.table):
            raise NotEnoughDataError(f"none of the {len(table)} runs finished; only finished runs can be replayed")
        self.history = None if history is None else history.with_status("finished")
        finals = final_values(self.table)
        past = None if self.history is None or not len(self.history) else final_values(self.history)
        metrics = table.metrics
        self.objective = make_objective(
            objective, metrics, population=finals if past is None else past, baseline=baseline
        )
        self.final_scores = self.objective.score(finals, metrics, architectures(self.table))
        self.past_scores: dict[str, float] = {}
        if self.history is not None and past is not None:
            scores = self.objective.score(past, metrics, architectures(self.history))
            self.past_scores = dict(zip(self.history.run_ids, scores.tolist(), strict=True))
        self.curves = ScoreCurves(self.table, self.objective)
        self.past_curves = None if past is None or self.history is None else ScoreCurves(self.history, self.objective)
        # A forecaster is kept with its forecasts, so that its id stays its own.
        self._forecasts: dict[int, SweepForecasts] = {}

    def replay(self, policy: Policy, *, order_seed: int = 0, workers: int = 1) -> Replay:
        """Replay the runs in a random order, as a sweep would have trained them.

        Args:
            policy: what to stop by.
            order_seed: seed of the order in which the runs start.
            workers: runs that train at the same time, an epoch each in turn; when one ends, the next one starts.
        """
        order = [int(i) for i in np.random.default_rng(order_seed).permutation(len(self.table))]
        if policy is None:
            return self._outcome(order, Course(self.lengths))
        if isinstance(policy, MedianRule):
            from lcode.evaluation.replay.median import MedianStopping

            policy = MedianStopping(policy)
        return self._outcome(order, policy.play(self, order, workers))

    def told(self, tick: int) -> int | float:
        """Ticks of the table as epochs: a fraction where the table has such."""
        told = self._told.get(tick)
        return as_epochs(tick, self.table.epoch_unit).item() if told is None else told

    def forecasts(self, model: Forecaster) -> SweepForecasts:
        """What this model expects of the runs; made once for all replays, as far as it does not learn in them."""
        if id(model) not in self._forecasts:
            self._forecasts[id(model)] = SweepForecasts(self, model)
        return self._forecasts[id(model)]

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """How often each run reported, [R]."""
        return np.array([len(epochs) for epochs in self.curves.epochs], dtype=np.int64)

    @cached_property
    def alive(self) -> NDArray[np.int64]:
        """How many reports it takes until each run has diverged for good, [R]; of the others all that they have."""
        found = self.lengths.copy()
        for i, (lasting, *_) in self.curves.diverged.items():
            found[i] = self.reach(lasting, i) + 1
        return found

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Score of each run at each of its reports, [R, P]; NaN beyond its last, and where it has none."""
        scores = np.full((len(self.table), int(self.lengths.max())), np.nan)
        for i, epochs in enumerate(self.curves.epochs):
            scores[i, : len(epochs)] = self.curves.of_run(i)
        return scores

    @cached_property
    def best_so_far(self) -> list[list[float]]:
        """Best score of each run up to each of its reports; NaN while it has none."""
        best: list[list[float]] = np.fmax.accumulate(self.scores, axis=1).tolist()
        return best

    @cached_property
    def _told(self) -> dict[int, int | float]:
        return {tick: as_epochs(tick, self.table.epoch_unit).item() for tick in self.curves.grid}

    def reach(self, tick: int, run: int) -> int:
        """Place of the run's first report at or after this tick, or else of its last."""
        epochs = self.curves.epochs[run]
        return min(int(np.searchsorted(epochs, tick)), len(epochs) - 1)

    @cached_property
    def spread(self) -> float:
        """Best minus median final score, in the objective's unit; NaN if no run has one."""
        known = self.final_scores[np.isfinite(self.final_scores)]
        return float(known.max() - np.median(known)) if len(known) else np.nan

    @cached_property
    def seed_deviation(self) -> float | None:
        """Standard deviation of final scores between repeats of a configuration; None without repeats."""
        return seed_deviation(self.final_scores, configuration_groups(self.table))

    @cached_property
    def past_deviation(self) -> float | None:
        """The same of the history, which is what a sweep knows of it."""
        if self.history is None or not self.past_scores:
            return None
        return seed_deviation(np.array(list(self.past_scores.values())), configuration_groups(self.history))

    def _outcome(self, order: Sequence[int], course: Course) -> Replay:
        runs = self.table.run_ids
        # Where epochs count from 0, epoch e is the (e+1)-th.
        offset = 1 if self.curves.first_epoch == 0 else 0
        done = course.reports == self.lengths
        last = [epochs[-1] + offset for epochs in self.curves.epochs]
        trained = [
            epochs[count - 1] + offset if count else 0
            for epochs, count in zip(self.curves.epochs, course.reports.tolist(), strict=True)
        ]
        scores = np.where(np.isfinite(self.final_scores), self.final_scores, -np.inf)
        best = float(scores.max())
        left = float(scores[done].max(initial=-np.inf))
        if course.keeps_stopped or not np.isfinite(left):
            begun = np.flatnonzero(~done & (course.reports > 0))
            reached = self.scores[begun, course.reports[begun] - 1]
            left = max([left, *reached[np.isfinite(reached)].tolist()])
        return Replay(
            order=tuple(runs[i] for i in order),
            epochs_trained=self.told(sum(trained)),
            epochs_total=self.told(sum(last)),
            stopped={runs[i]: self.told(trained[i] - offset if trained[i] else 0) for i in np.flatnonzero(~done)},
            best_run=runs[int(scores.argmax())] if np.isfinite(best) else None,
            regret=_regret(best, left),
            verdicts=course.verdicts,
            spread=self.spread,
        )


def _regret(best: float, left: float) -> float:
    """What is lost where the best score that is left is this; NaN if none is, 0 if there never was one."""
    if not np.isfinite(best):
        return 0.0
    return max(0.0, best - left) if np.isfinite(left) else np.nan


def replay(
    table: RunTable,
    policy: Policy,
    *,
    objective: str | Objective | ScoreFunction = "delta_m",
    baseline: Mapping[str, float] | str | os.PathLike[str] | None = None,
    history: RunTable | None = None,
    order_seed: int = 0,
    workers: int = 1,
) -> Replay:
    """Replay finished runs under one stopping rule; see `RecordedSweep`, which serves several without waste."""
    sweep = RecordedSweep(table, objective=objective, baseline=baseline, history=history)
    return sweep.replay(policy, order_seed=order_seed, workers=workers)
