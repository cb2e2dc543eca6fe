"""The local engine: worker processes of this machine, which may die without harm."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Self

from lcode.errors import UsageError
from lcode.table import RunStatus
from mtl_runs.sweeps.conductor import Judge, Listener
from mtl_runs.sweeps.pool import GONE, Worker
from mtl_runs.sweeps.worker import Job


def train_locally(
    jobs: Sequence[Job], *, workers: int, judge: Judge | None, listener: Listener
) -> dict[str, RunStatus]:
    """Train all jobs on worker processes that end with this call. See `Crew.train`."""
    with Crew() as crew:
        return crew.train(jobs, workers=workers, judge=judge, listener=listener)


class Crew:
    """Worker processes that stay from one call to the next, since starting them takes seconds. A context manager."""

    def __init__(self) -> None:
        self._pool: list[Worker] = []

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
            workers: number of processes, each on one thread.
            judge: decides on the runs of monitored jobs.
            listener: told about progress.

        Returns:
            Status of every run; `running` for one that was given up because it killed its workers, or paused.
        """
        waiting = deque(jobs)
        statuses: dict[str, RunStatus] = {}
        deaths: set[tuple[str, ...]] = set()
        pool = self._pool
        while len(pool) < min(workers, len(waiting)):
            pool.append(Worker())
        for worker in pool:
            if waiting:
                worker.give(waiting.popleft())
        while busy := [i for i, worker in enumerate(pool) if worker.job is not None]:
            ready = wait([pool[i].connection for i in busy])
            for i in busy:
                if pool[i].connection not in ready:
                    continue
                job = pool[i].job
                assert job is not None
                try:
                    ended = _react(pool[i].connection.recv(), pool[i], job, judge, listener)
                except GONE:
                    # Killed, or out of memory. Its runs are tried again at once, from their last checkpoints; then in
                    # halves, until one is left that takes its worker down again.
                    pool[i].end()
                    pool[i] = Worker()
                    runs = tuple(spec.run for spec in job.specs)
                    if runs not in deaths:
                        deaths.add(runs)
                        pool[i].give(job)
                        continue
                    half = len(runs) // 2
                    if half:
                        waiting.extend(replace(job, specs=part) for part in (job.specs[:half], job.specs[half:]))
                    else:
                        listener.end(runs[0], "running")
                    ended = {} if half else {runs[0]: "running"}
                if ended is None:
                    continue
                statuses.update(ended)
                pool[i].job = None
                if waiting:
                    pool[i].give(waiting.popleft())
        return statuses


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
