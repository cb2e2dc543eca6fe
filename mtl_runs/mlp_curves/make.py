"""Trains what is missing, one run of each task in turn, so that stopping at any moment leaves random samples."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mtl_runs.mlp_curves.perceptron import train
from mtl_runs.mlp_curves.sample import plan_run
from mtl_runs.mlp_curves.shards import shard_path, write_shard
from mtl_runs.mlp_curves.tables import BinaryTable, load_table


@dataclass(frozen=True)
class MadeRun:
    """A run that was trained just now.

    Attributes:
        name: of the run: task and number.
        seconds: what the training took.
        last: its last test loss; NaN: it diverged.
    """

    name: str
    seconds: float
    last: float


@dataclass(frozen=True)
class _Job:
    folder: Path
    task: str
    seed: int
    index: int


def make_runs(
    folder: Path,
    tasks: Sequence[str],
    *,
    runs: int,
    seed: int = 0,
    workers: int = 1,
    listener: Callable[[MadeRun, int, int], None] = lambda run, done, of: None,
) -> int:
    """Train the runs 0 to `runs` - 1 of each task that are not stored yet.

    Args:
        folder: keeps a file per run.
        tasks: keys of `TABLES`.
        runs: of each task.
        seed: of everything random.
        workers: processes, one thread each.
        listener: told of each new run, how many there are now and how many there will be.

    Returns:
        How many were trained.

    Raises:
        UsageError: there is no such task.
        DataNotFoundError: a table is not on this machine.
    """
    for task in tasks:
        _table(task, seed)  # a missing file is found before anything is trained
    jobs = [_Job(folder, task, seed, index) for index in range(runs) for task in tasks]
    missing = [job for job in jobs if not shard_path(job.folder, job.task, job.seed, job.index).is_file()]
    before = len(jobs) - len(missing)

    def tell(made: Iterable[MadeRun]) -> None:
        for number, run in enumerate(made, start=1):
            listener(run, before + number, len(jobs))

    if workers == 1:
        tell(map(_make, missing))
    else:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            tell(pool.imap_unordered(_make, missing))
    return len(missing)


_table: Callable[[str, int], BinaryTable] = cache(load_table)


def _make(job: _Job) -> MadeRun:
    table, plan = _table(job.task, job.seed), plan_run(job.task, job.index, job.seed)
    name = f"{job.task}-{job.index:04d}"
    began = time.perf_counter()
    curves = train(table, plan)
    seconds = time.perf_counter() - began
    write_shard(shard_path(job.folder, job.task, job.seed, job.index), name, table.train_inputs.shape[1], plan, curves)
    return MadeRun(name, seconds, float(curves.test_loss[-1]))
