"""Ultralytics' `results.csv`, and YOLOv5's, with the arguments beside it; before YOLOv8 also `results.txt`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import spelled_columns
from lcode.readers.logged.lines import Cells, csv_cells, first_header, head_of, refused, text_of, torn_notes
from lcode.readers.logged.settings import yaml_settings
from lcode.readers.loggers.per_file import RunPerFolder
from lcode.readers.raw import as_number

TOOL = "Ultralytics"

ARGUMENTS = ("args.yaml", "opt.yaml", "hyp.yaml")
"""Files of the arguments: of Ultralytics, and of YOLOv5."""

AXIS = "epoch"

_TEXT = "results.txt"

_MEASURED = ("metrics/precision", "metrics/recall", "metrics/mAP_0.5", "metrics/mAP_0.5:0.95")
_LOSSES = ("box_loss", "obj_loss", "cls_loss")
"""Columns of `results.txt`, which has no header, as `results.csv` calls them: the losses of the training and their sum,
the number of labels and the size of the pictures, what was measured, the losses of the validation."""

_SIZES = 32
"""What the sides of pictures are multiples of, in pixels."""

_TEXT_ROW = re.compile(rb"\s*\d+/\d+\s+[\d.]+[GM]?\s+[\d.]+")

_TEXT_END = re.compile(rb"^\s*\d+/(\d+)\s", re.MULTILINE)

_FITNESS = (("metrics/mAP50-95", "metrics/mAP_0.5:0.95", 0.9), ("metrics/mAP50", "metrics/mAP_0.5", 0.1))
"""What the tool counts towards the best epoch: columns as it names them now (boxes, masks and poses each have one of
their own) and as YOLOv5 does, and their weights."""

_FITNESS_OF_CLASSES = ("metrics/accuracy_top1", "metrics/accuracy_top5")
"""What it counts where it classifies, both alike."""

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
            horizon=_said_end(path) if path.name == _TEXT else _horizon(columns, arguments),
            status="finished" if _stopped_early(columns, arguments) else None,
            lines=table.lines,
            notes=tuple(notes),
        )


def _text_cells(path: Path) -> Cells:
    """The cells of a `results.txt`: `3/29  1.9G  0.09 …`, the epoch and the last one, then numbers."""
    text, notes = text_of(path, TOOL)
    names: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    torn: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        cells = line.split()
        names = names or _text_names(cells)
        if names and len(cells) == len(names):
            rows.append([cells[0].partition("/")[0], cells[1].rstrip("GM"), *cells[2:]])
            lines.append(number)
        elif cells:
            torn.append(number)
    if len(torn) > len(rows):
        raise refused(path, TOOL, "this row does not have the numbers of a training", torn[0])
    return Cells(names, rows, lines, (*notes, *torn_notes(path, torn, text.count("\n") + 1)))


def _text_names(cells: Sequence[str]) -> list[str]:
    """The names of a row's cells, of which a model for other tasks has more losses; none where it is no row."""
    at = next(
        (
            at
            for at in range(4, len(cells) - len(_MEASURED) - 1)
            if cells[at].isdigit() and cells[at + 1].isdigit() and int(cells[at + 1]) % _SIZES == 0 < int(cells[at + 1])
        ),
        None,
    )
    if at is None:
        return []
    training, validation = at - 3, len(cells) - at - 2 - len(_MEASURED)
    return [
        *(AXIS, "gpu_mem"),
        *(f"train/{name}" for name in _losses(training)),
        *("train/total_loss", "labels", "img_size", *_MEASURED),
        *(f"val/{name}" for name in _losses(validation)),
    ]


def _losses(number: int) -> Sequence[str]:
    return _LOSSES if number == len(_LOSSES) else [f"loss_{at}" for at in range(1, number + 1)]


def _said_end(path: Path) -> float | None:
    """The last epoch, as the rows of a `results.txt` say it, `0/29`: both count from 0."""
    said = _TEXT_END.findall(path.read_bytes())
    return float(said[-1]) if said else None


def _horizon(columns: Mapping[str, Any], arguments: Mapping[str, Any]) -> float | None:
    """The last epoch of those that were asked for, which count from 0 in YOLOv5 and early versions, else from 1.

    A training that is given hours instead (`time`) changes its epochs as it goes.
    """
    epochs = arguments.get("epochs")
    if not isinstance(epochs, int) or epochs < 1 or arguments.get("time") or AXIS not in columns:
        return None
    first = pc.min(columns[AXIS]).as_py()
    return float(epochs - (first == 0))


def _stopped_early(columns: Mapping[str, Any], arguments: Mapping[str, Any]) -> bool:
    """Whether the last epoch came `patience` epochs after the best one: the tool ends there, and says so nowhere."""
    patience = arguments.get("patience")
    fitness = _fitness(columns)
    if not isinstance(patience, int) or patience < 1 or fitness is None or AXIS not in columns:
        return False
    epochs = _numbers(columns[AXIS])
    # The file rounds, so that epochs are equally good in it of which the tool knows which one is the best.
    since = epochs[-1] - epochs[fitness == fitness.max()]
    return bool(since.min() >= patience or (since == patience).any())


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A column as numbers; NaN for a cell that is none, which is refused where the curves are read."""
    numbers = [as_number(value) for value in column.to_pylist()]
    return np.array([np.nan if number is None else number for number in numbers])


def _fitness(columns: Mapping[str, Any]) -> NDArray[np.float64] | None:
    """By what the tool tells the best epoch, [rows]; None where that was not logged in every row."""
    terms = [
        (weight, column)
        for now, once, weight in _FITNESS
        for name, column in columns.items()
        if name.partition("(")[0] == now or name == once
    ] or [(1.0, columns[name]) for name in _FITNESS_OF_CLASSES if name in columns]
    if not terms:
        return None
    values = sum(weight * _numbers(column) for weight, column in terms)
    fitness: NDArray[np.float64] = np.asarray(values)
    return fitness if len(fitness) and np.isfinite(fitness).all() else None
