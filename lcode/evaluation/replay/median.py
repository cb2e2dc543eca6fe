"""The median rule and its like, replayed: runs are held against those that have finished, at the same epoch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
    def __init__(self, rule: MedianRule, sweep: RecordedSweep) -> None:
        self._rule, self._sweep = rule, sweep
        self._done: list[int] = []
        self._bars: dict[int, Bar] = {}

    def decide(self, run: int, position: int, waiting: Sequence[int], training: Collection[int]) -> Verdict | None:
        """See `Judge`."""
        curves = self._sweep.curves
        epoch = curves.epochs[run][position]
        if epoch not in self._bars:
            peers = curves.at(epoch)[self._done]
            if self._sweep.past_curves is not None:
                peers = np.concatenate([self._sweep.past_curves.at(epoch), peers])
            self._bars[epoch] = self._rule.bar(peers)
        best, name = curves.best_until(run, epoch), self._sweep.table.run_ids[run]
        return self._rule.decide(name, self._sweep.told(epoch), best, self._bars[epoch])

    def ended(self, run: int, verdict: Verdict | None) -> None:
        """See `Judge`."""
        if verdict is None:
            self._done.append(run)
            self._bars.clear()
