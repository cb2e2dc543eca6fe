"""What LibMTL prints while it trains (`LibMTL/_record.py`), kept in a file by whoever ran it."""

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
from lcode.table.table import RunStatus

TOOL = "LibMTL"

HEADER = "LOG FORMAT | "

AXIS = "epoch"

_NUMBER = r"[+-]?(?:\d+\.\d+|nan|inf)"
_EPOCH = re.compile(r"Epoch: (\d+) \| ")
_PART = re.compile(rf"(TRAIN|VAL|TEST): ((?:{_NUMBER} |\| )+)Time: {_NUMBER}")
_PREFIXES = {"TRAIN": "train", "VAL": "val", "TEST": "test"}


class LibMTLReader(RunPerFile):
    """Reads console logs, a run per file."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file is text in which LibMTL has told how it logs."""
        return path.suffix.lower() in PRINTED and HEADER.encode() in head_of(path)

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        text, notes = text_of(path, TOOL)
        line_of = _LineCounter(text)
        rows: list[dict[str, Any]] = []
        lines: list[int] = []
        torn: list[int] = []
        for names, start, epoch, said in _epochs(path, text, line_of):
            row: dict[str, Any] = {AXIS: epoch}
            for part, cells in _PART.findall(said):
                values = [float(cell) for cell in cells.replace("|", " ").split()]
                if len(values) != len(names):
                    wrong = f"{part} has {len(values)} numbers where LOG FORMAT names {len(names)}"
                    raise refused(path, TOOL, wrong, line_of(start))
                row |= {f"{_PREFIXES[part]}/{name}": value for name, value in zip(names, values, strict=True)}
            # The test comes last, and ends the line.
            if any(name.startswith("test/") for name in row):
                rows.append(row)
                lines.append(line_of(start))
            else:
                torn.append(line_of(start))
        if not rows:
            raise refused(path, TOOL, "no epoch is complete yet", torn[0] if torn else None)
        if torn:
            notes = (*notes, f"{path.name}: {len(torn)} incomplete epoch(s) were left out: line {torn[-1]}.")
        run = Logged(
            file=path,
            columns=columns_of(rows, path, TOOL),
            run=path.stem,
            axis=AXIS,
            status=_status(text),
            lines=lines,
            notes=notes,
        )
        return with_ends([run], text)[0]


class _LineCounter:
    """Line of a place in a text, for places asked in ascending order."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._line = text, 0, 1

    def __call__(self, place: int) -> int:
        if place > self._at:
            self._line += self._text.count("\n", self._at, place)
            self._at = place
        return self._line


def _epochs(path: Path, text: str, line_of: _LineCounter) -> Iterator[tuple[list[str], int, int, str]]:
    """Per epoch the curves' names in their order, where it begins in the text, its number, and what is printed of it.

    Other programs may print between the parts of a line, and before it.
    """
    heads = [found.start() for found in re.finditer(re.escape(HEADER), text)]
    begins = list(_EPOCH.finditer(text))
    names: list[str] = []
    for at, begin in enumerate(begins):
        while heads and heads[0] < begin.start():
            head = heads.pop(0)
            names = _curves(path, text[head:].split("\n", 1)[0], line_of(head))
        end = begins[at + 1].start() if at + 1 < len(begins) else len(text)
        if heads and heads[0] < end:
            end = heads[0]
        if names:
            yield names, begin.start(), int(begin.group(1)), text[begin.end() : end]


def _curves(path: Path, header: str, line: int) -> list[str]:
    """`task/metric` of each number in the order in which they are printed: of each task its loss, then its metrics."""
    names = []
    for block in header.removeprefix(HEADER).split(" | ")[:-1]:
        loss, *metrics = block.split()
        task = loss.removesuffix("_LOSS")
        if task == loss:
            raise refused(path, TOOL, f"LOG FORMAT has '{loss}' where a task's loss should stand", line)
        names += [f"{task}/{name}" for name in ("loss", *metrics)]
    if not names:
        raise refused(path, TOOL, "LOG FORMAT names no task", line)
    return names


def _status(text: str) -> RunStatus | None:
    """The best result is printed at the end."""
    return "finished" if "Best Result: Epoch " in text[text.rfind(HEADER) :] else None
