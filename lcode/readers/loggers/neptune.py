"""Neptune's export as a table: a row per value of a series, and one without a step per parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.logged.lines import Cells, csv_cells, first_header
from lcode.readers.logged.settings import is_setting
from lcode.readers.logged.several import sound_runs
from lcode.readers.raw import as_number

TOOL = "Neptune"

RUN, NAME, AXIS = "run_id", "attribute_path", "step"

_VALUES = ("float_value", "int_value", "bool_value", "string_value")
"""Columns of which one holds the value."""

_SYSTEM = ("sys/", "source_code/", "monitoring/")
"""What names begin with that are of the machine and of Neptune itself."""

_SETTINGS = ("parameters", "params", "hyperparameters", "config")
"""Groups of names that say nothing: `parameters/lr` is `lr`."""


class NeptuneReader:
    """Reads exported tables, each of one run or of several."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether its header is Neptune's."""
        return path.suffix.lower() == ".csv" and {RUN, NAME, AXIS, _VALUES[0]} <= {*first_header(path)}

    def owns(self, path: Path) -> Path:
        """The file alone: exports lie anywhere."""
        return path

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs.

        Raises:
            InputError: none can be read.
        """
        return sound_runs(paths, lambda path: _runs(path, csv_cells(path, TOOL)))


def _runs(path: Path, cells: Cells) -> list[Logged]:
    rows: dict[str, dict[float, dict[str, Any]]] = {}
    settings: dict[str, dict[str, Any]] = {}
    for texts in cells.rows:
        told = dict(zip(cells.header, texts, strict=True))
        name = told[NAME]
        value = next((told[column] for column in _VALUES if told.get(column)), "")
        if not value or name.startswith(_SYSTEM):
            continue
        at, number = as_number(told[AXIS]), as_number(value)
        if at is None:
            settings.setdefault(told[RUN], {})[_plain(name)] = value if number is None else number
        elif number is not None:
            rows.setdefault(told[RUN], {}).setdefault(at, {AXIS: at})[name] = number
    runs = [_run(path, run, own, settings.get(run, {})) for run, own in rows.items()]
    return [replace(run, notes=tuple(cells.notes)) for run in runs]


def _run(path: Path, run: str, rows: Mapping[float, dict[str, Any]], settings: Mapping[str, Any]) -> Logged:
    return Logged(
        path,
        columns_of([rows[at] for at in sorted(rows)], path, TOOL),
        run=run,
        axis=AXIS,
        config={name: value for name, value in settings.items() if is_setting(name, value)},
    )


def _plain(name: str) -> str:
    """The name of a parameter without that of the group of all, inner groups before a dot: `optim.lr`."""
    first, slash, rest = name.partition("/")
    return (rest if slash and first in _SETTINGS else name).replace("/", ".")
