"""Detectron2's `metrics.json`: a JSON object per iteration at which something was logged."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.logged.lines import first_object, json_objects
from lcode.readers.logged.settings import yaml_settings
from lcode.readers.loggers.per_file import RunPerFolder

TOOL = "detectron2"

AXIS = "iteration"

_CLOCKS = frozenset((AXIS, "eta_seconds", "time", "data_time"))

ITERATIONS = "SOLVER.MAX_ITER"
"""Setting that plans the iterations. They count from 0, but what is evaluated after the last one is logged at their
number (`detectron2/engine/train_loop.py`), so that this is the end."""


class Detectron2Reader(RunPerFolder):
    """Reads the metrics of trainings."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file holds a training's metrics."""
        return path.name == "metrics.json" and AXIS in first_object(path)

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        found = json_objects(path, TOOL)
        # A training that is broken off logs once more how long it would have taken.
        told = [(row, line) for row, line in zip(found.rows, found.lines, strict=True) if not row.keys() <= _CLOCKS]
        columns = columns_of([row for row, _ in told], path, TOOL)
        config, odd = yaml_settings(path.with_name("config.yaml"))
        planned = config.get(ITERATIONS)
        return Logged(
            file=path,
            columns=columns,
            axis=AXIS if AXIS in columns else None,
            config={name: value for name, value in config.items() if name != "OUTPUT_DIR"},
            horizon=float(planned) if isinstance(planned, int) and planned > 0 else None,
            lines=[line for _, line in told],
            notes=(*found.notes, *odd),
        )
