"""The median rule and its like, replayed: runs are held against those that have finished, at the same epoch."""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from lcode.decisions import MedianRule, Verdict
from lcode.decisions.rule import Bar
from lcode.evaluation.replay.in_turn import in_turn
from lcode.evaluation.replay.protocol import Course

if TYPE_CHECKING:
    from lcode.evaluation.replay.sweep import RecordedSweep


@dataclass(frozen=True)
class MedianStopping:
    """`lcode.decisions.MedianRule` as a rule that can be replayed; finished runs of the history are peers as well."""

    rule: MedianRule

    def play(self, sweep: RecordedSweep, order: Sequence[int], workers: int) -> Course:
        """See `Rule`."""
        return in_turn(sweep, order, workers, _ByPeers(self.rule, sweep))


class _ByPeers:
    """Scores of the finished runs at each epoch, in ascending order, and the bars that they make."""

    def __init__(self, rule: MedianRule, sweep: RecordedSweep) -> None:
        self._rule, self._sweep = rule, sweep
        self._peers: dict[int, list[float]] = {
            epoch: [] if sweep.past_curves is None else _known(sweep.past_curves.at(epoch).tolist())
            for epoch in sweep.curves.grid
        }
        self._bars: dict[int, Bar] = {}

    def decide(self, run: int, position: int, waiting: Sequence[int], training: Collection[int]) -> Verdict | None:
        """See `Judge`."""
        sweep = self._sweep
        epoch = sweep.curves.epochs[run][position]
        bar = self._bars.get(epoch)
        if bar is None:
            bar = self._bars[epoch] = self._rule.bar(self._peers[epoch])
        return self._rule.decide(sweep.table.run_ids[run], sweep.told(epoch), sweep.best_so_far[run][position], bar)

    def ended(self, run: int, verdict: Verdict | None) -> None:
        """See `Judge`."""
        if verdict is None:
            for epoch, score in zip(self._sweep.curves.grid, self._sweep.curves.on_grid(run), strict=True):
                if isfinite(score):
                    insort(self._peers[epoch], score)
            self._bars.clear()


def _known(scores: list[float]) -> list[float]:
    return sorted(score for score in scores if isfinite(score))
