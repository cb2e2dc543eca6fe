"""MLflow's store of files: `mlruns/<experiment>/<run>/` with a file per metric, parameter and tag."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lcode.readers.logged.lines import head_of, refused
from lcode.readers.loggers.mlflow_run import TOOL, Run

DESCRIPTION = "meta.yaml"

_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
"""`RunStatus` in MLflow's protocol; its files hold the number."""


_INT64 = range(-(2**63), 2**63)


def is_run(path: Path) -> bool:
    """Whether a file describes a run; an experiment's has the same name."""
    return path.name == DESCRIPTION and b"lifecycle_stage:" in (head := head_of(path)) and b"run_id:" in head


def read_run(path: Path) -> Run | None:
    """The run that a file describes, with the files beside it; None: it was deleted.

    Raises:
        InputError: the description cannot be read.
    """
    import yaml

    try:
        told: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        raise refused(path, TOOL, f"it is no YAML ({str(error).splitlines()[0]})") from error
    if not isinstance(told, dict):
        raise refused(path, TOOL, "it does not describe a run")
    if told.get("lifecycle_stage") == "deleted":
        return None
    status, begun = told.get("status"), told.get("start_time")
    run = Run(
        path,
        id=str(told.get("run_id") or path.parent.name),
        name=str(told.get("run_name") or ""),
        status=_STATUSES.get(status, "") if isinstance(status, int) else "",
        experiment=path.parent.parent.name,
        begun=float(begun) if isinstance(begun, int) else 0.0,
    )
    run.params = dict(_texts(path.with_name("params")))
    run.tags = dict(_texts(path.with_name("tags")))
    torn = 0
    for name, text in _texts(path.with_name("metrics")):
        points, lost = _points(text)
        torn += lost
        if points:
            steps, values, times = zip(*points, strict=True)
            run.metrics[name] = np.array(steps, np.int64), np.array(values), np.array(times)
    if torn:
        run.notes = (f"{path.parent.name}: {torn} torn line(s) of metrics were left out.",)
    return run


def _points(text: str) -> tuple[list[tuple[int, float, float]], int]:
    """Step, value and time of each line of a metric's file, and how many lines are torn.

    A line holds time, value and step; in very old files no step, in new ones the data set's name as well.
    """
    *lines, rest = text.split("\n")
    width = len(lines[0].split()) if lines else 0
    points, torn = [], int(bool(rest.strip()))  # the last line is whole once its end is written
    for line in lines:
        words = line.split()
        try:
            step = int(words[2]) if width > 2 else 0
            if step not in _INT64:
                raise OverflowError
            points.append((step, float(words[1]), float(words[0])))
        except (ValueError, IndexError, OverflowError):
            torn += bool(words)
    return points, torn


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and content of each file in a folder; of names with a slash, folders are made."""
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if file.is_file():
            yield file.relative_to(folder).as_posix(), file.read_text(encoding="utf-8", errors="replace")
