"""The parent process of a sweep: hands out runs, follows their epochs, asks the monitor, survives its workers."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Protocol

from lcode.errors import UsageError
from lcode.graphs.arch import ArchGraph
from lcode.table import RunStatus
from lcode.table.runlog import RunHeader
from mtl_runs.problems import Problem, make_problem
from mtl_runs.sweeps.logs import log_status
from mtl_runs.sweeps.pool import GONE, Worker
from mtl_runs.sweeps.space import RunSpec
from mtl_runs.sweeps.worker import Job
from mtl_runs.training import Decision, run_header

MAX_DEATHS = 2
"""A run that takes this many workers down with it is not tried again in this sweep."""


class RunMonitor(Protocol):
    """The part of `lcode.Monitor` that a sweep uses."""

    def start(
        self,
        run: str,
        *,
        config: Mapping[str, bool | int | float | str | None],
        horizon: int,
        arch: str | None = None,
        graph: ArchGraph | None = None,
        schedule: Sequence[float] | None = None,
    ) -> object:
        """A run begins, or goes on."""

    def report(
        self, *, run: str, epoch: int, values: Mapping[str, float], signals: Mapping[str, float] | None = None
    ) -> Decision:
        """An epoch is over; shall the run go on?"""

    def finish(self, run: str, status: RunStatus) -> object:
        """A run is over."""


class Listener(Protocol):
    """Who is told about the progress of a sweep."""

    def begin(self, epochs: int, runs: int) -> None:
        """So many epochs and runs are ahead, at most."""

    def epoch(self, run: str, epoch: int) -> None:
        """This epoch of a run is logged; the first one told of may be later than 1, when the run was resumed."""

    def end(self, run: str, status: RunStatus) -> None:
        """A run is over; `running` means that it was given up for now."""


@dataclass
class Sweep:
    """Trains many runs on local worker processes.

    Logs and checkpoints are on disk after every epoch: whenever and however a sweep is interrupted, the same call goes
    on from there. Finished runs are skipped, half-finished ones continue, none is logged twice.

    Args:
        folder: folder of the logs.
        workers: number of processes, each on one thread.
        device: where the networks live.
        monitor: decides after each epoch whether a run goes on; lives in this process. None = all runs go on.
        continue_stopped: train the runs that were stopped earlier to their horizon, without asking the monitor.
        listener: told about progress.
    """

    folder: Path
    workers: int = 2
    device: str = "cpu"
    monitor: RunMonitor | None = None
    continue_stopped: bool = False
    listener: Listener | None = None
    _started: set[str] = field(default_factory=set)
    _problems: dict[str, Problem] = field(default_factory=dict)

    def run(self, specs: Sequence[RunSpec]) -> dict[str, RunStatus]:
        """Train these runs.

        Returns:
            Status of every run, in the given order: finished, failed, stopped, or `running` for one that was given
            up because it killed its workers.

        Raises:
            LcodeError: a run cannot be trained as it is configured; the others' logs are kept.
        """
        statuses: dict[str, RunStatus] = {}
        jobs: deque[Job] = deque()
        for spec in specs:
            status = log_status(self.folder, self._header(spec))
            stopped = status == "stopped"
            if status is not None and (status in ("finished", "failed") or (stopped and not self.continue_stopped)):
                statuses[spec.run] = status
            else:
                monitored = self.monitor is not None and not stopped
                jobs.append(Job(spec, self.folder, self.device, monitored, self.continue_stopped))
        if self.listener is not None:
            self.listener.begin(sum(job.spec.horizon for job in jobs), len(jobs))
        if jobs:
            statuses.update(self._train(jobs))
        return {spec.run: statuses[spec.run] for spec in specs}

    def _train(self, jobs: deque[Job]) -> dict[str, RunStatus]:
        statuses: dict[str, RunStatus] = {}
        deaths: Counter[str] = Counter()
        pool = [Worker() for _ in range(min(self.workers, len(jobs)))]
        try:
            for worker in pool:
                worker.give(jobs.popleft())
            while busy := [i for i, worker in enumerate(pool) if worker.job is not None]:
                ready = wait([pool[i].connection for i in busy])
                for i in busy:
                    if pool[i].connection not in ready:
                        continue
                    job = pool[i].job
                    assert job is not None
                    try:
                        status = self._react(pool[i].connection.recv(), pool[i], job)
                    except GONE:
                        # Killed, or out of memory. Its run is tried again at once, from its last checkpoint.
                        pool[i].end()
                        pool[i] = Worker()
                        deaths[job.spec.run] += 1
                        if deaths[job.spec.run] < MAX_DEATHS:
                            pool[i].give(job)
                            continue
                        status = "running"
                    if status is None:
                        continue
                    statuses[job.spec.run] = status
                    if self.listener is not None:
                        self.listener.end(job.spec.run, status)
                    pool[i].job = None
                    if jobs:
                        pool[i].give(jobs.popleft())
        finally:
            for worker in pool:
                worker.end()
        return statuses

    def _react(self, message: tuple[Any, ...], worker: Worker, job: Job) -> RunStatus | None:
        """Do what a worker's message asks for; the run's status if it is over."""
        match message:
            case ("epoch", run, epoch, values, signals):
                if self.listener is not None:
                    self.listener.epoch(run, epoch)
                if job.monitored:
                    decision = self._ask(job.spec, epoch, values, signals)
                    worker.send((decision.stop, decision.reason))
                return None
            case ("done", run, status):
                if self.monitor is not None and run in self._started:
                    self.monitor.finish(run, status)
                return status
            case ("error", run, text, True, _):
                raise UsageError(f"run '{run}': {text}")
            case ("error", run, _, False, trace):
                raise RuntimeError(f"run '{run}' failed with a bug:\n{trace}")
        raise AssertionError(message)

    def _ask(self, spec: RunSpec, epoch: int, values: Mapping[str, float], signals: Mapping[str, float]) -> Decision:
        assert self.monitor is not None
        if spec.run not in self._started:
            header = self._header(spec)
            self.monitor.start(
                spec.run,
                config=header.config,
                horizon=spec.horizon,
                arch=header.arch,
                graph=header.graph,
                schedule=header.schedule,
            )
            self._started.add(spec.run)
        return self.monitor.report(run=spec.run, epoch=epoch, values=values, signals=signals)

    def _header(self, spec: RunSpec) -> RunHeader:
        if spec.problem not in self._problems:
            self._problems[spec.problem] = make_problem(spec.problem)
        problem = self._problems[spec.problem]
        return run_header(problem, spec.config, run=spec.run, seed=spec.seed, horizon=spec.horizon)
