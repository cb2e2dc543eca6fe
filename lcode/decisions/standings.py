"""What is known of the runs of a sweep: how the finished ones ended, how the live ones are expected to end."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan
from typing import NamedTuple


class Incumbent(NamedTuple):
    """The run to beat: its name, its score, and whether that is its true final score or an expected one."""

    run: str
    score: float
    finished: bool


@dataclass
class Standings:
    """Scores of the runs that still count; a run that was stopped or failed is in none of them.

    Attributes:
        past: run -> true final score of a run that had ended before the sweep.
        finished: run -> true final score of a run of the sweep. A run without one (diverged, a task missing) is not
            entered.
        expected: run -> median of the forecast score of a live run.
    """

    past: dict[str, float] = field(default_factory=dict)
    finished: dict[str, float] = field(default_factory=dict)
    expected: dict[str, float] = field(default_factory=dict)

    def finish(self, run: str, score: float, *, past: bool = False) -> None:
        """The run ended with this score, perhaps before the sweep; NaN: it ended without one."""
        self.drop(run)
        if not isnan(score):
            (self.past if past else self.finished)[run] = score

    def expect(self, run: str, score: float) -> None:
        """The run is live and expected to end with this score."""
        self.drop(run)
        self.expected[run] = score

    def drop(self, run: str) -> None:
        """The run no longer counts."""
        for scores in (self.past, self.finished, self.expected):
            scores.pop(run, None)

    def incumbent(self, run: str) -> Incumbent | None:
        """The best of the other ended runs, or else the best expected of the other live ones, if there are any."""
        for scores, finished in (({**self.past, **self.finished}, True), (self.expected, False)):
            others = [(score, name) for name, score in scores.items() if name != run]
            if others:
                score, name = max(others)
                return Incumbent(name, score, finished)
        return None

    def better(self, run: str, score: float) -> int:
        """How many other runs of the sweep ended, or are expected to end, with more than this score."""
        scores = (*self.finished.items(), *self.expected.items())
        return sum(other > score for name, other in scores if name != run)
