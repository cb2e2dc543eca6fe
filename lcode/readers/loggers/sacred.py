"""Sacred's `metrics.json`: steps and values per curve, with `config.json` and `run.json` beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from lcode.json_text import as_float, parse_json
from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of, flat
from lcode.readers.logged.lines import head_of, refused
from lcode.readers.logged.several import parsed, sound_runs
from lcode.readers.loggers.per_file import RunPerFolder
from lcode.readers.loggers.points import Points
from lcode.readers.loggers.units import Units, units_of
from lcode.readers.printed.runs.text_runs import trainings_in
from lcode.readers.raw import LARGEST_EXACT
from lcode.table.table import RunStatus

TOOL = "Sacred"

AXIS = "step"

_FILE = "metrics.json"

_BEGINNING = re.compile(rb'\s*\{\s*"[^"]+"\s*:\s*\{\s*"(steps|values|timestamps)"\s*:\s*\[')

_STATUS: dict[str, RunStatus] = {
    "COMPLETED": "finished",
    "FAILED": "failed",
    "INTERRUPTED": "stopped",
    "TIMEOUT": "stopped",
}


class SacredReader(RunPerFolder):
    """Reads the folders of the file observer."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file holds the curves of a run."""
        head = head_of(path, 4096) if path.suffix == ".json" else b""
        return _BEGINNING.match(head) is not None and (path.name == _FILE or b'"timestamps"' in head)

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs of the files.

        Raises:
            InputError: none can be read.
        """
        files, damaged = parsed(paths, lambda path: (path, _told(path)))
        units = units_of([[points] for _, told in files if (points := _points(told)) is not None])
        return sound_runs(files, lambda file: trainings_in(_run(*file, units)), damaged)

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        return _run(path, _told(path), Units())


class _Value(NamedTuple):
    """One value: when it was logged, as what, and at which step."""

    time: float
    name: str
    step: float
    value: float


def _told(path: Path) -> list[_Value]:
    """What a file holds, in the order of logging.

    Raises:
        InputError: it cannot be read.
    """
    curves = _object(path)
    if not curves:
        raise refused(path, TOOL, "it is no whole JSON object")
    told: list[_Value] = []
    for name, curve in curves.items():
        steps, values = (curve.get(key) if isinstance(curve, dict) else None for key in ("steps", "values"))
        if not isinstance(steps, list) or not isinstance(values, list):
            raise refused(path, TOOL, f"'{name}' has no steps and values")
        times = curve.get("timestamps")
        clock = times if isinstance(times, list) else []
        for step, value, time in zip_longest(steps[: len(values)], values[: len(steps)], clock[: len(steps)]):
            if isinstance(value, dict):  # how a NumPy number is written
                value = value.get("value")
            if isinstance(step, (int, float)) and isinstance(value, (int, float)):
                told.append(_Value(_seconds(time), name, step, value))
    return sorted(told, key=lambda one: one.time)


def _points(told: Sequence[_Value]) -> Points | None:
    """The same as columns; None where steps are no whole numbers, so that they are no steps of batches."""
    if not told or any(not abs(one.step) < LARGEST_EXACT or one.step % 1 for one in told):
        return None
    names = list(dict.fromkeys(one.name for one in told))
    place = {name: code for code, name in enumerate(names)}
    codes, steps = np.array([[place[one.name], one.step] for one in told], np.int64).T
    values, times = np.array([[as_float(one.value), one.time] for one in told], np.float64).T
    return Points(names, codes, steps, values, times)


def _run(path: Path, told: Sequence[_Value], units: Units) -> Logged:
    """The run of a file, counted in epochs where some of its curves count these."""
    points = _points(told)
    parts, counter, remarks = units.in_epochs([points] if points is not None else [])
    values: Iterable[tuple[str, float, float]] = ((one.name, one.step, one.value) for one in told)
    if counter is not None:
        values = (
            (part.names[code], step, value)
            for part in parts
            for code, step, value in zip(part.codes.tolist(), part.steps.tolist(), part.values.tolist(), strict=True)
        )
    rows: dict[float, dict[str, Any]] = {}
    for name, step, value in values:
        rows.setdefault(step, {AXIS: step})[name] = value
    columns = columns_of([rows[step] for step in sorted(rows)], path, TOOL)
    if counter is not None and AXIS in columns:
        columns[counter] = columns[AXIS]
    config = flat(_object(path.with_name("config.json")), ".")
    return Logged(
        path,
        columns,
        axis=AXIS if counter is None else None,
        config={name: value for name, value in config.items() if isinstance(value, (int, float, str, bool))},
        status=_STATUS.get(str(_object(path.with_name("run.json")).get("status"))),
        notes=remarks,
    )


def _seconds(text: Any) -> float:
    """A time in seconds, 0 where it is none."""
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def _object(path: Path) -> Mapping[str, Any]:
    """The object in a file; an empty one where it is missing or damaged."""
    try:
        found = parse_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
