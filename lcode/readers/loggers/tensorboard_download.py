"""Curves downloaded from TensorBoard's page, a file per run and tag: `Wall time,Step,Value`, or triples in JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.logged.lines import csv_cells, first_header, head_of
from lcode.readers.logged.several import parsed, sound_runs
from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import why_left_out
from lcode.readers.understanding.rates import is_rate
from lcode.table.metric_parse import Name

TOOL = "TensorBoard download"

AXIS = "step"

HEADER = ["Wall time", "Step", "Value"]

UNNAMED = "value"
"""The tag of a curve whose file's name does not say it, as the column is called."""

_NAME = re.compile(r"(?:run-)?(?P<run>.*?)-?tag-(?P<tag>.+)")
"""What TensorBoard calls the file: a run and a tag, with `_` for every slash."""

_TRIPLE = re.compile(rb"\s*\[\s*\[\s*\d{9,}(\.\d+)?\s*,\s*\d+\s*,\s*[-\dN\"]")


class TensorBoardDownloadReader:
    """Reads downloaded curves; those of one run in one folder belong together."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file is a downloaded curve."""
        suffix = path.suffix.lower()
        if suffix == ".csv":
            return [name.lower() for name in first_header(path)] == [name.lower() for name in HEADER]
        return suffix == ".json" and _TRIPLE.match(head_of(path, 256)) is not None

    def owns(self, path: Path) -> Path:
        """The file alone."""
        return path

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs.

        Raises:
            InputError: none can be read.
        """
        files, damaged = parsed(paths, lambda path: (path, *_points(path)))
        runs: dict[tuple[Path, str], dict[float, dict[str, Any]]] = {}
        first: dict[tuple[Path, str], Path] = {}
        notes: dict[tuple[Path, str], list[str]] = {}
        for path, points, told in files:
            named = _NAME.fullmatch(path.stem)
            run, tag = _of_name(path.stem) if named is None else (named["run"].strip("-_. "), named["tag"])
            key = (path.parent, run)
            first.setdefault(key, path)
            notes.setdefault(key, []).extend(told)
            rows = runs.setdefault(key, {})
            for step, value in points:
                rows.setdefault(step, {AXIS: step})[tag] = value
        return sound_runs(
            runs.items(),
            lambda item: [
                Logged(
                    first[item[0]],
                    columns_of([item[1][step] for step in sorted(item[1])], first[item[0]], TOOL),
                    run=item[0][1],
                    axis=AXIS,
                    notes=tuple(notes[item[0]]),
                )
            ],
            damaged,
        )


def _of_name(stem: str) -> tuple[str, str]:
    """Run and tag of a file that was renamed: a name with the word of a metric says which curve it is, else which run.

    What stands before a metric may be a run as well as a task, so such files are curves of one run.
    """
    told = bool(Name.parse(stem).found) or why_left_out(stem) is not None or is_rate(stem)
    return ("", stem) if told else (stem, UNNAMED)


def _points(path: Path) -> tuple[list[tuple[float, float]], tuple[str, ...]]:
    """Steps and values, and remarks."""
    if path.suffix.lower() == ".csv":
        table = csv_cells(path, TOOL)
        cells: list[Any] = [row[1:3] for row in table.rows]
        notes = table.notes
    else:
        try:
            found = parse_json(path.read_bytes())
        except ValueError as error:
            raise InputError(
                f"is read as a file of {TOOL}, but is no JSON ({error}); download it again", path=path
            ) from error
        cells, notes = [row[1:3] for row in found if isinstance(row, list) and len(row) == len(HEADER)], ()
    numbers = [(as_number(step), as_number(value)) for step, value in cells]
    return [(step, value) for step, value in numbers if step is not None and value is not None], notes
