"""What is known of the runs of a sweep: how the finished ones ended, how the others are expected to end."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan
from statistics import median
from typing import NamedTuple

from lcode.decisions.ledger import Outlook
from lcode.decisions.verdict import Verdict


class Incumbent(NamedTuple):
    """What is to be beaten: a run's name, its score, and whether that is its true final score or an expected one."""

    run: str
    score: float
    finished: bool

    def __str__(self) -> str:
        return f"{self.run} ({'ended' if self.finished else 'expected'} at {self.score:.3g})"


class OthersFront(Incumbent):
    """The front of the other runs: a run that is on the front itself has a score above 0."""

    def __str__(self) -> str:
        return "the front of the others"


@dataclass
class Standings:
    """Scores of the runs; one that was stopped or failed is nobody's rival.

    Attributes:
        past: run -> true final score of a run that had ended before the sweep.
        finished: run -> true final score of a run of the sweep. A run without one (diverged, a task missing) is not
            entered.
        expected: run -> median of the forecast score of a live run.
        live: run -> how a live run will end, as it was forecast last.
        stopped: run -> how one that was stopped by its forecast would have ended.
        deviation: standard deviation of the score between seeds, where repeats have told it.
        front: whether a score above 0 is a place on a front, so that no single run is the one to beat.
    """

    past: dict[str, float] = field(default_factory=dict)
    finished: dict[str, float] = field(default_factory=dict)
    expected: dict[str, float] = field(default_factory=dict)
    live: dict[str, Outlook] = field(default_factory=dict)
    stopped: dict[str, Outlook] = field(default_factory=dict)
    deviation: float | None = None
    front: bool = False

    def take(self, verdict: Verdict) -> None:
        """The run was given this verdict: it is live and expected to end with its score, or was stopped."""
        outlook = Outlook(verdict.outlook) if verdict.outlook else None
        if verdict.stop or verdict.score is None:
            if verdict.action == "stop":  # a diverged run is nobody's rival, even in a dry run
                self.stop(verdict.run, outlook)
        else:
            self.expect(verdict.run, verdict.score, outlook)

    def stop(self, run: str, outlook: Outlook | None = None) -> None:
        """The run was stopped, by a forecast of how it would have ended if there is one."""
        self.drop(run)
        if outlook is not None:
            self.stopped[run] = outlook

    def finish(self, run: str, score: float, *, past: bool = False) -> None:
        """The run ended with this score, perhaps before the sweep; NaN: it ended without one."""
        self.drop(run)
        if not isnan(score):
            (self.past if past else self.finished)[run] = score

    def expect(self, run: str, score: float, outlook: Outlook | None = None) -> None:
        """The run is live and expected to end with this score; its outlook stands where none is given."""
        outlook = self.live.get(run) if outlook is None else outlook
        self.drop(run)
        self.expected[run] = score
        if outlook is not None:
            self.live[run] = outlook

    def drop(self, run: str) -> None:
        """The run no longer counts."""
        for scores in (self.past, self.finished, self.expected, self.live, self.stopped):
            scores.pop(run, None)

    def spread(self, run: str, expected: float) -> float | None:
        """Best minus median score of all runs, as they ended or are expected to end; None of fewer than two.

        Args:
            run: one that is looked at now.
            expected: the score that it is expected to end with.
        """
        thought = {name: outlook.expected for name, outlook in self.stopped.items()}
        scores = {**self.past, **self.finished, **self.expected, **thought, run: expected}.values()
        return max(scores) - median(scores) if len(scores) > 1 else None

    def incumbent(self, run: str) -> Incumbent | None:
        """The best of the other ended runs, or else the best expected of the other live ones, if there are any."""
        for scores, finished in (({**self.past, **self.finished}, True), (self.expected, False)):
            others = [(score, name) for name, score in scores.items() if name != run]
            if others and self.front:
                return OthersFront("", 0.0, finished)
            if others:
                score, name = max(others)
                return Incumbent(name, score, finished)
        return None

    def better(self, run: str, score: float) -> int:
        """How many other runs of the sweep ended, or are expected to end, with more than this score."""
        scores = (*self.finished.items(), *self.expected.items())
        return sum(other > score for name, other in scores if name != run)
