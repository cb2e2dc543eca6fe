"""The crew of a sweep: workers, of this machine or others, that stay from call to call and may die without harm."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from lcode.errors import UsageError
from lcode.table import RunStatus
from mtl_runs.sweeps.conductor import Judge, Listener
from mtl_runs.sweeps.worker import Job

GONE = (EOFError, BrokenPipeError, ConnectionResetError)
"""What hearing a dead worker raises."""


class Worker(Protocol):
    """A process that trains one population after the other; see `mtl_runs.sweeps.worker` for what it says.

    Attributes:
        job: what it is busy with, or None.
        up: whether its process has begun; a cluster may have no place for it yet.
    """

    job: Job | None

    @property
    def up(self) -> bool:
        """See above."""

    def give(self, job: Job) -> None:
        """Send a job. If the worker is gone, hearing it will say so."""

    def send(self, message: Any) -> None:
        """Send an answer; one to a worker that is gone is dropped."""

    def hear(self) -> tuple[Any, ...]:
        """Its next message, waited for; one of `GONE` is raised where there will be none."""

    def end(self) -> None:
        """End it: every complete epoch is on disk."""


Hired = TypeVar("Hired", bound=Worker)


class Crew(ABC, Generic[Hired]):
    """Workers that stay from one call to the next, since starting them takes seconds. A context manager."""

    def __init__(self) -> None:
        self._pool: list[Hired] = []

    @abstractmethod
    def room(self, workers: int) -> int:
        """How many workers there may be, at least 1, where the user has asked for so many."""

    @abstractmethod
    def hire(self) -> Hired:
        """A fresh worker."""

    @abstractmethod
    def ready(self, busy: Sequence[Hired]) -> list[Hired]:
        """Those that have something to say or are gone, at least one of them, waited for."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._pool:
            worker.end()

    def train(
        self, jobs: Sequence[Job], *, workers: int, judge: Judge | None, listener: Listener
    ) -> dict[str, RunStatus]:
        """Train all jobs.

        Args:
            jobs: the populations, at least one.
            workers: number of processes, each on one thread, that the user has asked for; see `room`.
            judge: decides on the runs of monitored jobs.
            listener: told about progress.

        Returns:
            Status of every run; `running` for one that was given up because it killed its workers, or paused.
        """
        waiting = deque(jobs)
        statuses: dict[str, RunStatus] = {}
        deaths: set[tuple[str, ...]] = set()
        while busy := self._busy(waiting, workers):
            for worker in self.ready(busy):
                job = worker.job
                assert job is not None
                try:
                    ended = _react(worker.hear(), worker, job, judge, listener)
                except GONE:
                    self._let_go(worker)
                    runs = tuple(spec.run for spec in job.specs)
                    again, given_up = _after_a_death(job, again=runs not in deaths)
                    deaths.add(runs)
                    waiting.extendleft(reversed(again))
                    for run in given_up:
                        listener.end(run, "running")
                    statuses.update(dict.fromkeys(given_up, "running"))
                    continue
                if ended is not None:
                    statuses.update(ended)
                    worker.job = None
        return statuses

    def _busy(self, waiting: deque[Job], workers: int) -> list[Hired]:
        """Give what waits to workers that are idle, or hired where there is room; those that are busy now."""
        idle = [worker for worker in self._pool if worker.job is None]
        if idle and not waiting:  # what was given to workers that have not begun may wait for a place for ever
            for late in [worker for worker in self._pool if worker.job is not None and not worker.up][: len(idle)]:
                assert late.job is not None
                waiting.append(late.job)
                self._let_go(late)
        room = self.room(workers) if len(waiting) > len(idle) else 0
        while waiting and (idle or len(self._pool) < room):
            if not idle:
                idle.append(self.hire())
                self._pool += idle
            idle.pop(0).give(waiting.popleft())
        return [worker for worker in self._pool if worker.job is not None]

    def _let_go(self, worker: Hired) -> None:
        self._pool.remove(worker)
        worker.end()


def _after_a_death(job: Job, *, again: bool) -> tuple[list[Job], list[str]]:
    """What is to be tried of a population whose worker was killed or ran out of memory, and which runs are given up.

    It is tried again from its last checkpoints; then in halves, until one run is left that takes its worker down again.
    """
    if again:
        return [job], []
    half = len(job.specs) // 2
    if not half:
        return [], [spec.run for spec in job.specs]
    return [replace(job, specs=part) for part in (job.specs[:half], job.specs[half:])], []


def _react(
    message: tuple[Any, ...], worker: Worker, job: Job, judge: Judge | None, listener: Listener
) -> dict[str, RunStatus] | None:
    """Do what a worker's message asks for; the runs' statuses if there is no more to do for them."""
    match message:
        case ("epoch", reports):
            for report in reports:
                listener.epoch(report.run, report.epoch)
            if job.monitored:
                assert judge is not None
                worker.send(judge.decide(reports))
            return None
        case ("done", ended):
            over = {run: status for run, status in ended if status != "running"}
            if judge is not None:
                judge.finish(over)
            for run, status in over.items():
                listener.end(run, status)
            return dict(ended)
        case ("error", text, True, _):
            raise UsageError(text)
        case ("error", _, False, trace):
            raise RuntimeError(f"training {', '.join(spec.run for spec in job.specs)} failed with a bug:\n{trace}")
    raise AssertionError(message)
