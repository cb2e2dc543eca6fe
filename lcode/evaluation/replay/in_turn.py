"""Runs that train an epoch each in turn, and rules that decide whenever one of them reports."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from lcode.decisions import StopRule, Verdict, diverged_verdict
from lcode.decisions.standings import Standings
from lcode.evaluation.replay.protocol import Course
from lcode.forecasters.base import Forecaster

if TYPE_CHECKING:
    from lcode.evaluation.replay.sweep import RecordedSweep


class Judge(Protocol):
    """Decides on the runs of one replay."""

    def decide(self, run: int, position: int, waiting: Sequence[int], training: Collection[int]) -> Verdict | None:
        """The verdict on a run that has made its report at this position and is not over; None: it has none.

        Args:
            run: index of the run.
            position: of the report among its own.
            waiting: runs that have not begun; the next one is the last of them.
            training: runs that train now, this one among them.
        """
        ...

    def ended(self, run: int, verdict: Verdict | None) -> None:
        """The run ended: it was stopped by this verdict, or finished (None)."""
        ...


def in_turn(sweep: RecordedSweep, order: Sequence[int], workers: int, judge: Judge) -> Course:
    """The course of a sweep in which each run that trains comes to its next report in turn.

    A run that has diverged for good is stopped whatever the judge says; one that has reached its horizon is not judged.
    When a run ends, the next one in the order begins.
    """
    curves = sweep.curves
    reports, verdicts = np.zeros(len(order), dtype=np.int64), list[Verdict]()
    alive, lengths, horizons = sweep.alive.tolist(), sweep.lengths.tolist(), curves.horizons.tolist()
    waiting, training = list(order)[::-1], dict[int, int]()  # the latter: run -> position of its next report
    while waiting or training:
        while waiting and len(training) < workers:
            training[waiting.pop()] = 0
        for i, position in list(training.items()):
            reports[i] = position + 1
            verdict = None
            if i in curves.diverged and position + 1 >= alive[i]:
                verdict = _diverged(sweep, i, position)
            elif curves.epochs[i][position] < horizons[i]:
                verdict = judge.decide(i, position, waiting, training.keys())
            if verdict is not None:
                verdicts.append(verdict)
            stopped = verdict is not None and verdict.stop
            if stopped or position + 1 == lengths[i]:
                judge.ended(i, verdict if stopped else None)
                del training[i]
            else:
                training[i] = position + 1
    return Course(reports, tuple(verdicts))


def _diverged(sweep: RecordedSweep, run: int, position: int) -> Verdict:
    _, first, metric, value = sweep.curves.diverged[run]
    verdict = diverged_verdict(sweep.table.run_ids[run], sweep.told(first), metric, value)
    return dataclasses.replace(verdict, epoch=sweep.told(sweep.curves.epochs[run][position]))


@dataclass(frozen=True, eq=False)
class ForecastPolicy:
    """Stop by forecasts, as the live monitor does.

    Attributes:
        model: a forecaster that has not seen the runs to be replayed. One that can take up finished runs, as the
            shipped one, learns while the sweep goes on; see `InSweep`.
        rule: when to stop.
    """

    model: Forecaster
    rule: StopRule = StopRule()  # noqa: RUF009 (a frozen value)

    def play(self, sweep: RecordedSweep, order: Sequence[int], workers: int) -> Course:
        """See `Rule`."""
        return in_turn(sweep, order, workers, _ByForecast(self, sweep))


class _ByForecast:
    """What a forecast policy knows in one replay."""

    def __init__(self, policy: ForecastPolicy, sweep: RecordedSweep) -> None:
        self._rule, self._sweep, self._forecasts = policy.rule, sweep, sweep.forecasts(policy.model)
        self._standings, self._done = Standings(deviation=sweep.past_deviation), list[int]()
        for run, score in sweep.past_scores.items():
            self._standings.finish(run, score, past=True)

    def decide(self, run: int, position: int, waiting: Sequence[int], training: Collection[int]) -> Verdict | None:
        """See `Judge`."""
        sweep, name, epochs = self._sweep, self._sweep.table.run_ids[run], self._sweep.curves.epochs[run]
        epoch = sweep.told(epochs[position])
        if not self._rule.due(epoch, sweep.told(epochs[position - 1]) if position else -1):
            return None
        samples, lost = self._forecasts.expected(run, epochs[position], self._done, [*training, *waiting[::-1]])
        if lost:
            return Verdict(name, epoch, "stop", "diverged, says the forecaster", 0.0)
        left = 1 - epochs[position] / max(int(sweep.curves.horizons[run]), 1)
        verdict = self._rule.decide(name, epoch, samples, self._standings, left=left, unit=sweep.objective.unit)
        self._standings.take(verdict)
        return verdict

    def ended(self, run: int, verdict: Verdict | None) -> None:
        """See `Judge`."""
        name = self._sweep.table.run_ids[run]
        if verdict is not None:
            self._standings.take(verdict)
            return
        self._standings.finish(name, float(self._sweep.final_scores[run]))
        self._done.append(run)
