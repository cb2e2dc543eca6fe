"""What the scripts of MTAN print while they train, and those of Nash-MTL, CAGrad, FAMO and others made after them.

A line names the numbers of every epoch's line: `LOSS FORMAT: SEMANTIC_LOSS MEAN_IOU PIX_ACC | DEPTH_LOSS …`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.logged.lines import PRINTED, head_of, refused, text_of
from lcode.readers.loggers.per_file import RunPerFile
from lcode.readers.printed.runs.broken_off import with_ends
from lcode.table.metric import Direction

TOOL = "MTAN's scripts"

HEADER = "LOSS FORMAT: "

AXIS = "epoch"

_NUMBERS = r"((?:(?:[+-]?\d+\.?\d*(?:e[+-]?\d+)?|nan|inf)(?:[ |]+|$))+)"
_EPOCH = re.compile(rf"Epoch: (\d+)[ |]+TRAIN:? {_NUMBERS}TEST:? {_NUMBERS}", re.IGNORECASE | re.MULTILINE)
_TOTAL = re.compile(r"\[Epoch \d+/(\d+)\]")

_ANGLES: dict[str, Direction] = {"mean": "min", "med": "min"}
"""Of the angles between true and found normals; shares of small ones are named `<11.25`."""

DELTA = "delta_m"
"""How much worse than single tasks, in per cent: the scripts that print it have smaller ones better."""


class MtanReader(RunPerFile):
    """Reads console logs, a run per file."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file is text in which one of the scripts has told how it logs."""
        return path.suffix.lower() in PRINTED and HEADER.encode() in head_of(path)

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        text, notes = text_of(path, TOOL)
        start = text.find(HEADER)
        names = list(_names(text[start + len(HEADER) :].split("\n", 1)[0]))
        rows: list[dict[str, Any]] = []
        lines: list[int] = []
        for found in _EPOCH.finditer(text + "\n"):
            row: dict[str, Any] = {AXIS: int(found.group(1))}
            for split, cells in (("train", found.group(2)), ("test", found.group(3))):
                values = [float(cell) for cell in cells.replace("|", " ").split()]
                if len(values) < len(names) - (DELTA in names):
                    wrong = f"it has {len(values)} numbers where {HEADER.strip(': ')} names {len(names)}"
                    raise refused(path, TOOL, wrong, text.count("\n", 0, found.start()) + 1)
                row |= {f"{split}/{name}": value for name, value in zip(names, values, strict=False)}
            rows.append(row)
            lines.append(text.count("\n", 0, found.start()) + 1)
        if not rows:
            raise refused(path, TOOL, "no epoch is complete yet")
        absent = [name for name in rows[0] if name != AXIS and all(row.get(name) == 0 for row in rows)]
        if absent:  # the scripts print zeros for the tasks that they do not train
            rows = [{name: value for name, value in row.items() if name not in absent} for row in rows]
        total = _TOTAL.search(text)
        columns = columns_of(rows, path, TOOL)
        run = Logged(
            path,
            columns,
            run=path.stem,
            axis=AXIS,
            total=None if total is None else float(total.group(1)),
            directions={name: way for name in columns for way in _direction(name)},
            lines=lines,
            notes=notes,
        )
        return with_ends([run], text)[0]


def _names(header: str) -> Iterator[str]:
    """`task/metric` of each number of a line."""
    for block in header.split("|"):
        words = block.lower().split()
        if words and words[0].endswith("_loss"):
            task = words[0].removesuffix("_loss")
            yield from (f"{task}/{name}" for name in ("loss", *words[1:]))
        elif words:
            yield DELTA


def _direction(name: str) -> Iterator[Direction]:
    bare = name.rpartition("/")[2]
    if bare in _ANGLES or bare == DELTA:
        yield _ANGLES.get(bare, "min")
    elif bare.startswith("<"):
        yield "max"
