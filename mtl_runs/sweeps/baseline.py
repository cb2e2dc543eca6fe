"""Single-task baselines: each task alone on each architecture, the reference of Δm."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

from lcode.errors import UsageError
from lcode.files import replacing
from lcode.table import split_key
from mtl_runs.sweeps.logs import last_values
from mtl_runs.sweeps.space import SENSIBLE
from mtl_runs.training import RunSpec


def single_task_runs(
    problem: str, tasks: Sequence[str], archs: Iterable[str], *, horizon: int, seed: int
) -> list[RunSpec]:
    """One run per architecture and task, at the setting that is sensible everywhere."""
    return [
        RunSpec(
            run=f"single-{task}-{arch}",
            problem=problem,
            config=replace(SENSIBLE, arch=arch, tasks=(task,)),
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
