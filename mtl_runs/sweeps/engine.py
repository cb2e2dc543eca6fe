"""A sweep: which runs are still to be trained, in which populations, and by which engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any, Literal

from lcode.errors import UsageError
from lcode.table import RunStatus
from lcode.table.runlog import RunHeader
from mtl_runs.problems import Problem, make_problem
from mtl_runs.sweeps.conductor import Judge, Listener, RunMonitor, Silent
from mtl_runs.sweeps.crew import Crew
from mtl_runs.sweeps.local import LocalCrew
from mtl_runs.sweeps.logs import log_status
from mtl_runs.sweeps.on_ray import RayCrew
from mtl_runs.sweeps.packs import PACK, make_packs
from mtl_runs.sweeps.worker import Job
from mtl_runs.training import RunSpec, run_header
from mtl_runs.training.config import check_config, check_features
from mtl_runs.training.memory import bytes_per_member, memory_of

Engine = Literal["local", "ray"]
Train = Callable[..., dict[str, RunStatus]]

ENGINES: dict[Engine, type[Crew[Any]]] = {"local": LocalCrew, "ray": RayCrew}
"""Who trains a sweep's populations."""


@dataclass
class Sweep:
    """Trains many runs.

    Runs of equal shapes are trained together as populations. Logs are on disk after every epoch and checkpoints every
    few: whenever and however a sweep is interrupted, the same call goes on from there. Finished runs are skipped,
    half-finished ones continue, none is logged twice.

    Args:
        folder: folder of the logs.
        workers: number of processes, each on one thread.
        device: where the networks live.
        monitor: decides after each epoch whether a run goes on. None = all runs go on.
        continue_stopped: train the runs that were stopped earlier to their horizon, without asking the monitor.
        listener: told about progress.
        population: how many runs are trained together at most, by each process.
        memory: share of the machine's (or GPU's) memory that all populations together may take, 0..1.
        engine: `local` for processes of this machine, `ray` for those of a Ray cluster, or a function that trains jobs
            as `Crew.train` does.
        features: log as well how far tasks use different features (`training.features`).
    """

    folder: Path
    workers: int = 2
    device: str = "cpu"
    monitor: RunMonitor | None = None
    continue_stopped: bool = False
    listener: Listener = field(default_factory=Silent)
    population: int = PACK
    memory: float = 0.5
    engine: Engine | Train = "local"
    features: bool = False
    _problems: dict[str, Problem] = field(default_factory=dict)

    def run(self, specs: Sequence[RunSpec], *, until: int | Mapping[str, int] | None = None) -> dict[str, RunStatus]:
        """Train these runs.

        Args:
            specs: the runs.
            until: pause after this epoch, see `train_population`; or by run, each after its own.

        Returns:
            Status of every run, in the given order: finished, failed, stopped, or `running` for one that was paused,
            or given up because it killed its workers.

        Raises:
            UsageError: a run cannot be trained as it is configured, or `until` lacks one, or there are no workers; none
                is begun.
        """
        if self.workers < 1:
            raise UsageError(f"workers is {self.workers}; at least 1 is needed")
        left_out = [spec.run for spec in specs if isinstance(until, Mapping) and spec.run not in until]
        if left_out:
            raise UsageError(f"until names no epoch for run '{left_out[0]}'; give one for each run")
        headers = {spec.run: self.header(spec) for spec in specs}
        statuses: dict[str, RunStatus] = {}
        # Runs that were stopped earlier and shall go on to their horizon are nobody's to stop again.
        todo: dict[tuple[bool, int | None], list[RunSpec]] = {}
        for spec in specs:
            status = log_status(self.folder, headers[spec.run])
            stopped = status == "stopped"
            if status is not None and (status in ("finished", "failed") or (stopped and not self.continue_stopped)):
                statuses[spec.run] = status
            else:
                monitored = self.monitor is not None and not stopped
                pause = until[spec.run] if isinstance(until, Mapping) else until
                todo.setdefault((monitored, pause), []).append(spec)
        n_todo = sum(map(len, todo.values()))
        jobs = [
            replace(job, until=pause)
            for (monitored, pause), some in todo.items()
            for job in self._jobs(some, monitored, n_todo)
        ]
        self.listener.begin(
            sum(spec.horizon for job in jobs for spec in job.specs), sum(len(job.specs) for job in jobs)
        )
        judge = None if self.monitor is None else Judge(self.monitor, headers)
        if jobs:
            with self.training() as train:
                statuses |= train(jobs, workers=self.workers, judge=judge, listener=self.listener)
        return {spec.run: statuses[spec.run] for spec in specs}

    @contextmanager
    def training(self) -> Iterator[Train]:
        """What trains populations, to be a sweep's engine: its workers stay from one call of `run` to the next.

        Raises:
            MissingExtraError: the engine needs a library that is not installed.
        """
        if isinstance(self.engine, str):
            with ENGINES[self.engine]() as crew:
                yield crew.train
        else:
            yield self.engine

    def _jobs(self, specs: Sequence[RunSpec], monitored: bool, n_todo: int) -> list[Job]:
        """Populations of these runs, of so many that are to be trained in all."""
        packs, notes = make_packs(
            specs,
            # No process shall idle while another trains all runs.
            largest=max(1, min(self.population, ceil(n_todo / self.workers))),
            bytes_of=lambda spec: bytes_per_member(self._problem(spec), spec.config),
            memory=self.memory * memory_of(self.device) / self.workers,
        )
        for note in notes:
            self.listener.note(note)
        job = Job((), self.folder, self.device, monitored, self.continue_stopped, features=self.features)
        return [replace(job, specs=tuple(pack)) for pack in packs]

    def _problem(self, spec: RunSpec) -> Problem:
        """The problem of a run, restricted to its tasks."""
        if spec.problem not in self._problems:
            self._problems[spec.problem] = make_problem(spec.problem)
        problem = self._problems[spec.problem]
        return problem if spec.config.tasks is None else problem.restrict(spec.config.tasks)

    def header(self, spec: RunSpec) -> RunHeader:
        """What is known of a run before it starts: the first line of its log.

        Raises:
            UsageError: it cannot be trained as it is configured.
        """
        try:
            check_config(spec.config, self._problem(spec))
            if self.features:
                check_features(spec.config, self._problem(spec))
            return run_header(self._problem(spec), spec.config, run=spec.run, seed=spec.seed, horizon=spec.horizon)
        except UsageError as error:
            raise UsageError(f"run '{spec.run}': {error}") from error
