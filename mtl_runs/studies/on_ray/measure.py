"""Trains a sweep in one way, and measures what it took, what it left and what was sent."""

from __future__ import annotations

import json
import pickle
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any, cast

import lcode
from lcode.errors import LcodeError
from lcode.table import RunStatus
from mtl_runs.studies.on_ray.asking import WAYS, AtOnce, asking
from mtl_runs.studies.on_ray.killing import Killer
from mtl_runs.studies.on_ray.plan import Plan, Way
from mtl_runs.sweeps import Sweep
from mtl_runs.sweeps.conductor import Judge, Listener, RunMonitor, Silent
from mtl_runs.sweeps.engine import Engine, Train
from mtl_runs.sweeps.logs import epoch_lines
from mtl_runs.sweeps.worker import Job
from mtl_runs.training import EpochReport
from mtl_runs.training.loop import checkpoint_path

FORECASTS, NOTHING = "forecasts", "nothing"
"""What a monitor thinks of before it answers."""


@dataclass(frozen=True)
class Trained:
    """What one sweep came to. Bytes are those of a pickle, or of a file.

    Attributes:
        way: as a text.
        seed: of the sweep.
        finished: runs that were trained to their ends.
        other: runs whose logs are not, to the last bit, those of the first way; wall times are not looked at.
        again: epochs that were trained twice, all runs together.
        first: seconds until the first epoch was told of.
        rest: seconds from there to the end.
        told: milliseconds of the processor per run and epoch, from there to the end, of the process that conducts.
        job: bytes of a job, per run.
        report: bytes of a report of an epoch, per run.
        log: bytes of a log, per epoch.
        checkpoint: bytes of a checkpoint, per run that did not diverge.
        memory: bytes that the killed process had at most; NaN where none was killed.
    """

    way: str
    seed: int
    finished: int
    other: int
    again: int
    first: float
    rest: float
    told: float
    job: float
    report: float
    log: float
    checkpoint: float
    memory: float


@dataclass(frozen=True)
class Asked:
    """What one decision costs whoever waits for it.

    Attributes:
        way: one of `asking.WAYS`.
        seed: of the sweep.
        monitor: `FORECASTS` or `NOTHING`.
        seconds: median over the decisions.
        decisions: how many there were.
    """

    way: str
    seed: int
    monitor: str
    seconds: float
    decisions: int


class _Watch(Silent):
    """Notes when the first epoch is told of, and which jobs there are; passes on the epochs."""

    def __init__(self, train: Train, to: Listener) -> None:
        self._train, self._to = train, to
        self.jobs: Sequence[Job] = ()
        self.clocks: tuple[float, float] | None = None
        self.told = 0

    def train(self, jobs: Sequence[Job], **options: Any) -> dict[str, RunStatus]:
        """See `Crew.train`."""
        self.jobs = jobs
        return self._train(jobs, **options)

    def epoch(self, run: str, epoch: int) -> None:
        """See `Listener`."""
        self.clocks = self.clocks or clocks()
        self.told += 1
        self._to.epoch(run, epoch)


def trained(plan: Plan, out: Path, way: Way, seed: int) -> list[Trained]:
    """Train one sweep; that of the plan's first way comes first. What an interrupted call left is begun anew.

    Args:
        plan: what is trained.
        out: folder of the study.
        way: how.
        seed: which.

    Returns:
        One row.
    """
    folder, specs = folder_of(out, way, seed), plan.specs(seed)
    shutil.rmtree(folder, ignore_errors=True)
    sweep = Sweep(folder, way.workers, population=plan.population, engine=cast("Engine", way.engine))
    killer = Killer(folder, sweep.header(specs[-1]), plan.killed_at) if way.killed else None
    began = clocks()
    with sweep.training() as train:
        watch = _Watch(train, killer or Silent())
        statuses = replace(sweep, engine=watch.train, listener=watch).run(specs)
    ended = clocks()
    if killer is not None and not killer.logged:
        raise LcodeError(f"nobody was killed, for '{specs[-1].run}' in {folder} ended before; train longer")
    assert watch.clocks is not None
    wall, processor = (end - start for start, end in zip(watch.clocks, ended, strict=True))
    runs, reports = [spec.run for spec in specs], [report for spec in specs for report in reports_of(folder, spec.run)]
    together = next(len(job.specs) for job in watch.jobs if specs[-1] in job.specs)
    truth = folder_of(out, next(iter(plan.ways)), seed)
    row = Trained(
        way=str(way),
        seed=seed,
        finished=list(statuses.values()).count("finished"),
        other=sum(_log(folder, run) != _log(truth, run) for run in runs),
        again=0 if killer is None else together * (killer.logged - killer.kept),
        first=watch.clocks[0] - began[0],
        rest=wall,
        told=1000 * processor / watch.told,
        job=sum(len(pickle.dumps(job)) for job in watch.jobs) / len(runs),
        report=sum(len(pickle.dumps(report)) for report in reports) / len(reports),
        log=sum((folder / f"{run}.jsonl").stat().st_size for run in runs) / len(reports),
        checkpoint=fmean(path.stat().st_size for run in runs if (path := checkpoint_path(folder, run)).exists()),
        memory=float("nan") if killer is None else killer.memory,
    )
    return [row]


def asked(plan: Plan, out: Path, seed: int) -> list[Asked]:
    """Ask a monitor that knows a sweep's finished runs about the epochs of one, as if it were trained once more.

    What it learns when it meets an epoch for the first time is no part of the figures.

    Args:
        plan: what was trained.
        out: folder of the study.
        seed: of the sweep.

    Returns:
        A row per way to ask and monitor.
    """
    folder = folder_of(out, next(iter(plan.ways)), seed)
    header, reports = Sweep(folder).header(plan.specs(seed)[0]), reports_of(folder, plan.specs(seed)[0].run)
    reports = reports[: max(1, len(reports) - 1)]  # the last one would end the run, and the monitor learn of it
    headers = {f"{header.run}-{name}": replace(header, run=f"{header.run}-{name}") for name in ("first", *WAYS)}
    forecasting = lcode.Monitor(lcode.load(), history=lcode.read_logs(folder))
    monitors: dict[str, RunMonitor] = {FORECASTS: forecasting, NOTHING: AtOnce()}
    judges = {name: Judge(monitor, headers) for name, monitor in monitors.items()}
    judges[FORECASTS].decide([replace(report, run=f"{header.run}-first") for report in reports])
    rows = []
    for way in WAYS:
        again = [replace(report, run=f"{header.run}-{way}") for report in reports]
        with asking(way) as ask:
            for name, judge in judges.items():
                seconds = ask(judge, again)
                rows.append(Asked(way, seed, name, median(seconds), len(seconds)))
    return rows


def reports_of(folder: Path, run: str) -> list[EpochReport]:
    """What a run reported, by its log."""
    lines = epoch_lines(folder, run)
    return [EpochReport(run, epoch, line["values"], line["signals"]) for epoch, line in lines.items()]


def folder_of(out: Path, way: Way, seed: int) -> Path:
    """Where the logs of a sweep are."""
    return out / f"{str(way).replace(', ', '-').replace(' ', '-')}-s{seed}"


def clocks() -> tuple[float, float]:
    """Seconds of the wall, and of the processor of this process."""
    return time.perf_counter(), time.process_time()


def _log(folder: Path, run: str) -> list[dict[str, Any]]:
    """The lines of a log, without their wall times."""
    lines = [json.loads(line) for line in (folder / f"{run}.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]
