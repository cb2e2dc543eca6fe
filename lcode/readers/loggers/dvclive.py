"""DVCLive's `plots/metrics`: a table per curve, of the steps at which it was logged; all of one folder are one run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.logged.lines import csv_cells, first_header
from lcode.readers.logged.settings import yaml_settings
from lcode.readers.logged.several import parsed, sound_runs
from lcode.readers.raw import as_number

TOOL = "DVCLive"

AXIS = "step"

PARAMETERS = "params.yaml"

PLACE = ("plots", "metrics")
"""Folders in which the curves lie."""


class DVCLiveReader:
    """Reads what `dvclive.Live` logs."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file is a curve of a run."""
        if path.suffix != ".tsv" or _run_folder(path) is None:
            return False
        header = first_header(path, "\t")
        return len(header) in (2, 3) and AXIS in header

    def owns(self, path: Path) -> Path:
        """The run's folder."""
        return _run_folder(path) or path

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs.

        Raises:
            InputError: none can be read.
        """
        files, damaged = parsed(paths, lambda path: (path, csv_cells(path, TOOL, separator="\t")))
        folders: dict[Path, dict[float, dict[str, Any]]] = {}
        notes: dict[Path, list[str]] = {}
        for path, cells in files:
            folder = self.owns(path)
            name = path.relative_to(folder.joinpath(*PLACE)).with_suffix("").as_posix()
            rows = folders.setdefault(folder, {})
            notes.setdefault(folder, []).extend(cells.notes)
            step, value = cells.header.index(AXIS), len(cells.header) - 1
            for row in cells.rows:
                at, number = as_number(row[step]), as_number(row[value])
                if at is not None and number is not None:
                    rows.setdefault(at, {AXIS: at})[name] = number
        return sound_runs(folders.items(), lambda item: [_run(item[0], item[1], notes[item[0]])], damaged)


def _run_folder(path: Path) -> Path | None:
    """`dvclive` of `dvclive/plots/metrics/eval/loss.tsv`."""
    parts = path.parts
    for at in range(len(parts) - 2, 1, -1):
        if parts[at - 1 : at + 1] == PLACE:
            return Path(*parts[: at - 1])
    return None


def _run(folder: Path, rows: dict[float, dict[str, Any]], notes: Sequence[str]) -> Logged:
    settings, told = yaml_settings(folder / PARAMETERS)
    ordered = [rows[at] for at in sorted(rows)]
    return Logged(
        folder / "metrics.json",
        columns_of(ordered, folder, TOOL),
        config=settings,
        axis=None if any("epoch" in row for row in ordered) else AXIS,
        notes=(*notes, *told),
    )
