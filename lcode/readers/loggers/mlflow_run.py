"""A run of MLflow, wherever it was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lcode.errors import InputError
from lcode.readers.logged.base import Logged
from lcode.readers.loggers.points import Points, rows_of
from lcode.readers.loggers.units import Units
from lcode.table.table import RunStatus

TOOL = "MLflow"

STATUSES: Mapping[str, RunStatus] = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "stopped"}
"""What MLflow calls a run that has ended."""

PARENT, RUN_NAME = "mlflow.parentRunId", "mlflow.runName"
"""Tags of a run within another, and of a run's name before runs had one."""


@dataclass(eq=False)
class Run:
    """What MLflow knows of a run.

    Attributes:
        file: the database, or the file in its folder that describes it.
        id: 32 characters that nobody wants to see.
        name: given by the user, or made up by MLflow.
        status: in MLflow's words.
        experiment: name or number of the experiment it belongs to.
        begun: when it was, in ms since 1970.
        params: its parameters, as texts.
        tags: its tags.
        metrics: steps, values and times (ms since 1970) of each metric in the order of logging, each of shape [N].
        notes: remarks on what was left out.
    """

    file: Path
    id: str
    name: str = ""
    status: str = ""
    experiment: str = ""
    begun: float = 0.0
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What MLflow shows."""
        return self.name or self.tags.get(RUN_NAME, "") or self.id


def names_of(runs: Sequence[Run]) -> dict[str, str]:
    """Name by id; runs that are named alike get the name of the run that they are part of before it.

    Those that are part of none get the experiment's.
    """
    by_id = {run.id: run for run in runs}
    taken = Counter(run.title for run in runs)
    names = {}
    for run in runs:
        parent = by_id.get(run.tags.get(PARENT, ""))
        outer = run.experiment if parent is None else parent.title
        names[run.id] = f"{outer}/{run.title}" if taken[run.title] > 1 and outer else run.title
    return names


def points_of(run: Run) -> Points:
    """What a run has logged, in the order of logging."""
    sizes = [len(steps) for steps, _, _ in run.metrics.values()]
    steps, values, times = (np.concatenate(column) for column in zip(*run.metrics.values(), strict=True))
    order = np.argsort(times, kind="stable")
    codes = np.repeat(np.arange(len(sizes)), sizes)
    return Points(list(run.metrics), codes[order], steps[order], values[order], times[order] / 1000)


def logged(run: Run, name: str, units: Units) -> Logged:
    """The run as rows, one per step, or per epoch where some of its curves count these.

    Args:
        run: the run.
        name: what it is called.
        units: what the curves of all runs count.

    Raises:
        InputError: nearly every step has metrics of its own.
    """
    parts, counter, remarks = units.in_epochs([points_of(run)])
    if not parts:
        raise InputError("; ".join(remarks), path=run.file)
    columns = rows_of(parts, run.file, TOOL)
    if counter is not None:
        columns[counter] = columns["step"]
    return Logged(
        file=run.file,
        columns=columns,
        run=name,
        axis="step" if counter is None else None,
        config=run.params,
        status=STATUSES.get(run.status),
        notes=(*run.notes, *remarks),
    )
