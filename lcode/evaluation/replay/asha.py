"""Asynchronous successive halving: nobody waits at a rung."""

from __future__ import annotations

import heapq
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lcode.arguments import check_count
from lcode.evaluation.replay.protocol import Course
from lcode.evaluation.replay.rungs import Rungs, horizon_of, rung_epochs

if TYPE_CHECKING:
    from lcode.evaluation.replay.sweep import RecordedSweep


@dataclass(frozen=True)
class Asha:
    """A free worker goes on with a run that is in the top 1/η of those that came to its rung, or begins a new one.

    Li et al. 2020 (MLSys, arXiv 1810.05934), algorithm 2: `get_job` looks from the highest rung down. The last rung is
    the horizon. With 10 runs and η = 3 no run may come so far; the sweep then ends with the best of the highest rung,
    trained to its end.

    Attributes:
        first: epoch of the first rung.
        eta: see `SuccessiveHalving`.
    """

    first: int = 3
    eta: int = 3

    def __post_init__(self) -> None:
        for name, least in (("first", 1), ("eta", 2)):
            check_count(name, getattr(self, name), least)

    def play(self, sweep: RecordedSweep, order: Sequence[int], workers: int) -> Course:
        """See `Rule`."""
        return _Play(self, sweep, order).run(workers)


class _Play:
    """One replay: who is at which rung, and who was promoted from it."""

    def __init__(self, rule: Asha, sweep: RecordedSweep, order: Sequence[int]) -> None:
        epochs = rung_epochs(rule.first, rule.eta, horizon_of(sweep))
        self._eta, self._sweep, self._rungs, self._count = rule.eta, sweep, Rungs(sweep, epochs), len(epochs)
        self._waiting = list(order)[::-1]
        self._at: list[list[tuple[float, int]]] = [[] for _ in epochs]  # (-score, how many came before it), sorted
        self._runs: list[list[int]] = [[] for _ in epochs]  # in the order in which they came
        self._promoted: list[set[int]] = [set() for _ in epochs]
        self._reports = np.zeros(len(order), dtype=np.int64)

    def run(self, workers: int) -> Course:
        """Train until no worker has anything to do."""
        busy: list[tuple[int, int, int, int]] = []  # (when it is done, job, run, rung that it comes to)
        now, jobs = 0, 0
        while True:
            while len(busy) < workers and (job := self._job()) is not None:
                run, rung = job
                before, after = int(self._reports[run]), self._reports_at(run, rung)
                self._reports[run] = after
                heapq.heappush(busy, (now + after - before, jobs, run, rung))
                jobs += 1
            if not busy:
                break
            now = busy[0][0]
            while busy and busy[0][0] == now:  # what comes at the same time is known before any worker goes on
                *_, run, rung = heapq.heappop(busy)
                if rung < self._count:
                    insort(self._at[rung], (-float(self._rungs.scores[rung, run]), len(self._runs[rung])))
                    self._runs[rung].append(run)
        self._finish_best()
        return Course(self._reports)

    def _job(self) -> tuple[int, int] | None:
        """The next run to train, and the rung to which: promoted from as high as can be, or a new one."""
        for rung in range(self._count - 1, -1, -1):
            for _, place in self._at[rung][: len(self._at[rung]) // self._eta]:
                run = self._runs[rung][place]
                if run not in self._promoted[rung]:
                    self._promoted[rung].add(run)
                    return run, rung + 1
        return (self._waiting.pop(), 0) if self._waiting else None

    def _reports_at(self, run: int, rung: int) -> int:
        return int(self._rungs.reports[rung, run] if rung < self._count else self._sweep.alive[run])

    def _finish_best(self) -> None:
        """Train the best of the highest rung to its end where no run has come so far."""
        if (self._reports == self._sweep.lengths).any():
            return
        highest = max(rung for rung in range(self._count) if self._at[rung])
        run = self._runs[highest][self._at[highest][0][1]]
        self._reports[run] = self._sweep.alive[run]
