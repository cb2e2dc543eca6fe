"""Ultralytics' `results.csv`, and YOLOv5's, with the arguments beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.compute as pc

from lcode.readers.loggers.base import Logged
from lcode.readers.loggers.cells import spelled_columns
from lcode.readers.loggers.lines import csv_cells, first_header, refused
from lcode.readers.loggers.settings import yaml_settings
from lcode.readers.loggers.several import sound_runs

TOOL = "Ultralytics"

ARGUMENTS = ("args.yaml", "opt.yaml", "hyp.yaml")
"""Files of the arguments: of Ultralytics, and of YOLOv5."""

AXIS = "epoch"

_PLACES = ("save_dir", "project", "name", "exist_ok", "resume")
"""Arguments that say where a run is kept, not what it does."""


class UltralyticsReader:
    """Reads trainings of YOLO and the like."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file is a training's results."""
        if path.name != "results.csv":
            return False
        header = first_header(path)
        if AXIS in header and any(name.startswith(("metrics/", "lr/pg", "x/lr")) for name in header):
            return True
        try:
            return path.is_file() and any(path.with_name(name).is_file() for name in ARGUMENTS)
        except OSError:
            return False

    def owns(self, path: Path) -> Path:
        """The training's folder."""
        return path.parent

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The trainings.

        Raises:
            InputError: none can be read.
        """
        return sound_runs(paths, lambda path: [_training(path)])


def _training(path: Path) -> Logged:
    table = csv_cells(path, TOOL)
    if AXIS not in table.header:
        raise refused(path, TOOL, f"it has no column '{AXIS}'", 1)
    columns = spelled_columns(table.header, table.rows)
    arguments: dict[str, Any] = {}
    notes = list(table.notes)
    for name in ARGUMENTS:
        found, told = yaml_settings(path.with_name(name))
        arguments.update(found)
        notes += told
    return Logged(
        file=path,
        columns=columns,
        axis=AXIS if AXIS in columns else None,
        config={name: value for name, value in arguments.items() if name not in _PLACES},
        horizon=_horizon(columns, arguments),
        lines=table.lines,
        notes=tuple(notes),
    )


def _horizon(columns: Mapping[str, Any], arguments: Mapping[str, Any]) -> float | None:
    """The last epoch of those that were asked for, which count from 0 in YOLOv5 and early versions, else from 1.

    A training that is given hours instead (`time`) changes its epochs as it goes.
    """
    epochs = arguments.get("epochs")
    if not isinstance(epochs, int) or epochs < 1 or arguments.get("time") or AXIS not in columns:
        return None
    first = pc.min(columns[AXIS]).as_py()
    return float(epochs - (first == 0))
