"""Polyaxon's `events/metric`: a table per curve, `step|timestamp|metric`; all of one folder are one run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.logged.lines import csv_cells, first_header
from lcode.readers.logged.several import parsed, sound_runs
from lcode.readers.raw import as_number

TOOL = "Polyaxon"

HEADER = ["step", "timestamp", "metric"]

AXIS = HEADER[0]

PLACE = ("events", "metric")
"""Folders in which the curves of a run lie."""

_MARK = "|"


class PolyaxonReader:
    """Reads the metrics that Polyaxon's tracking keeps in files."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file is a curve of a run."""
        return path.suffix == ".plx" and path.parts[-3:-1] == PLACE and first_header(path, _MARK) == HEADER

    def owns(self, path: Path) -> Path:
        """The run's folder."""
        return path.parent.parent.parent

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs.

        Raises:
            InputError: none can be read.
        """
        files, damaged = parsed(paths, lambda path: (path, csv_cells(path, TOOL, separator=_MARK)))
        folders: dict[Path, dict[float, dict[str, Any]]] = {}
        notes: dict[Path, list[str]] = {}
        for path, cells in files:
            folder = self.owns(path)
            rows = folders.setdefault(folder, {})
            notes.setdefault(folder, []).extend(cells.notes)
            for step, _, value in cells.rows:
                at, number = as_number(step), as_number(value)
                if at is not None and number is not None:
                    rows.setdefault(at, {AXIS: at})[path.stem] = number
        return sound_runs(folders.items(), lambda item: [_run(item[0], item[1], notes[item[0]])], damaged)


def _run(folder: Path, rows: dict[float, dict[str, Any]], notes: Sequence[str]) -> Logged:
    ordered = [rows[at] for at in sorted(rows)]
    return Logged(folder / "events", columns_of(ordered, folder, TOOL), axis=AXIS, notes=tuple(notes))
