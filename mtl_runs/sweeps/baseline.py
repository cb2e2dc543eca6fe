"""Single-task baselines: each task alone on each architecture, the reference of Δm."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

from lcode.errors import UsageError
from lcode.files import replacing
from lcode.table import split_key
from mtl_runs.sweeps.logs import last_values
from mtl_runs.training import RunConfig, RunSpec


def single_task_runs(
    problem: str, tasks: Sequence[str], archs: Iterable[str], *, horizon: int, seed: int
) -> list[RunSpec]:
    """One run per architecture and task, at a setting that is sensible everywhere: Adam, 1e-3, cosine."""
    return [
        RunSpec(
            run=f"single-{task}-{arch}",
            problem=problem,
            config=RunConfig(arch=arch, optimizer="adam", lr=1e-3, schedule="cosine", clip=0.0, tasks=(task,)),
            seed=seed,
            horizon=horizon,
        )
        for arch in archs
        for task in tasks
    ]


def write_baseline(path: Path, folder: Path, specs: Iterable[RunSpec]) -> None:
    """Write the baselines' final values as a CSV with the columns arch, task, metric, value; atomic.

    Args:
        path: the file.
        folder: folder of the baselines' logs.
        specs: the baselines, all finished.

    Raises:
        UsageError: a baseline has no value.
    """
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("arch", "task", "metric", "value"))
    for spec in specs:
        values = last_values(folder, spec.run)
        if not values:
            raise UsageError(f"the single-task baseline '{spec.run}' in {folder} has no epoch; run the sweep again")
        writer.writerows((spec.config.arch, *split_key(key), value) for key, value in values.items())
    with replacing(path) as file:
        file.write(text.getvalue().encode())
