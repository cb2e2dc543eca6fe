"""Ultralytics' `results.csv`, and YOLOv5's, with the arguments beside it; before YOLOv8 also `results.txt`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.compute as pc

from lcode.readers.loggers.base import Logged
from lcode.readers.loggers.cells import spelled_columns
from lcode.readers.loggers.lines import Cells, csv_cells, first_header, head_of, refused, text_of, torn_notes
from lcode.readers.loggers.per_file import RunPerFolder
from lcode.readers.loggers.settings import yaml_settings

TOOL = "Ultralytics"

ARGUMENTS = ("args.yaml", "opt.yaml", "hyp.yaml")
"""Files of the arguments: of Ultralytics, and of YOLOv5."""

AXIS = "epoch"

_TEXT = "results.txt"

_TEXT_NAMES = (
    *(AXIS, "gpu_mem", "train/box_loss", "train/obj_loss", "train/cls_loss", "train/total_loss", "labels", "img_size"),
    *("metrics/precision", "metrics/recall", "metrics/mAP_0.5", "metrics/mAP_0.5:0.95"),
    *("val/box_loss", "val/obj_loss", "val/cls_loss"),
)
"""Columns of `results.txt`, which has no header: as `results.csv` calls them."""

_TEXT_ROW = re.compile(rb"\s*\d+/\d+\s+[\d.]+[GM]?\s+[\d.]+")

_PLACES = ("save_dir", "project", "name", "exist_ok", "resume")
"""Arguments that say where a run is kept, not what it does."""


class UltralyticsReader(RunPerFolder):
    """Reads trainings of YOLO and the like."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file is a training's results."""
        if path.name == _TEXT:
            return _TEXT_ROW.match(head_of(path, 256)) is not None
        if path.name != "results.csv":
            return False
        header = first_header(path)
        if AXIS in header and any(name.startswith(("metrics/", "lr/pg", "x/lr")) for name in header):
            return True
        try:
            return path.is_file() and any(path.with_name(name).is_file() for name in ARGUMENTS)
        except OSError:
            return False

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        table = _text_cells(path) if path.name == _TEXT else csv_cells(path, TOOL)
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


def _text_cells(path: Path) -> Cells:
    """The cells of a `results.txt`: `3/29  1.9G  0.09 …`, the epoch and the last one, then numbers."""
    text, notes = text_of(path, TOOL)
    rows: list[list[str]] = []
    lines: list[int] = []
    torn: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        cells = line.split()
        if len(cells) == len(_TEXT_NAMES):
            rows.append([cells[0].partition("/")[0], cells[1].rstrip("GM"), *cells[2:]])
            lines.append(number)
        elif cells:
            torn.append(number)
    if len(torn) > len(rows):
        raise refused(path, TOOL, f"this row does not have the {len(_TEXT_NAMES)} numbers of a training", torn[0])
    return Cells(list(_TEXT_NAMES), rows, lines, (*notes, *torn_notes(path, torn, text.count("\n") + 1)))


def _horizon(columns: Mapping[str, Any], arguments: Mapping[str, Any]) -> float | None:
    """The last epoch of those that were asked for, which count from 0 in YOLOv5 and early versions, else from 1.

    A training that is given hours instead (`time`) changes its epochs as it goes.
    """
    epochs = arguments.get("epochs")
    if not isinstance(epochs, int) or epochs < 1 or arguments.get("time") or AXIS not in columns:
        return None
    first = pc.min(columns[AXIS]).as_py()
    return float(epochs - (first == 0))
