"""The folder `catboost_info`, in which CatBoost keeps how its metrics went from tree to tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from lcode.json_text import parse_json
from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.logged.lines import csv_cells, first_header, refused, text_of
from lcode.readers.logged.several import sound_runs
from lcode.readers.raw import as_number
from lcode.table.metric import Direction

TOOL = "CatBoost"

TRAINING = "catboost_training.json"
TABLES = {"learn_error.tsv": "learn", "test_error.tsv": "test"}
"""The same curves, without directions and the planned number of trees."""

AXIS = "iteration"

_WAYS: dict[str, Direction] = {"Min": "min", "Max": "max"}

_LOSSES = frozenset(("MultiClass", "MultiClassOneVsAll", "PairLogit", "QueryRMSE", "Lq", "Expectile", "MultiRMSE"))
"""Losses whose names say that to nobody else, in tables, which say no directions."""


class CatBoostReader:
    """Reads `catboost_info` folders, a run each. What CatBoost calls the test set is that given as `eval_set`."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether it is named as CatBoost names what it logs, and begins so."""
        return path.name == TRAINING or (path.name in TABLES and first_header(path, "\t")[:1] == ["iter"])

    def owns(self, path: Path) -> Path:
        """The folder, in which event files and the time that is left are kept as well."""
        return path.parent

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs.

        Raises:
            InputError: none can be read.
        """
        folders: dict[Path, dict[str, Path]] = {}
        for path in paths:
            folders.setdefault(path.parent, {})[path.name] = path
        return sound_runs(folders.values(), lambda files: [_run(files)])


def _run(files: Mapping[str, Path]) -> Logged:
    return _from_json(files[TRAINING]) if TRAINING in files else _from_tables(files)


def _from_json(path: Path) -> Logged:
    text, notes = text_of(path, TOOL)
    try:
        told = parse_json(text)
    except ValueError as error:
        raise refused(path, TOOL, f"it is no whole JSON ({error})") from error
    meta, iterations = (told.get(name) if isinstance(told, dict) else None for name in ("meta", "iterations"))
    if not isinstance(meta, dict) or not isinstance(iterations, list) or not _is_list_of_objects(iterations):
        raise refused(path, TOOL, "it has no meta and list of iterations")
    metrics = {kind: _metrics(meta.get(f"{kind}_metrics")) for kind in ("learn", "test")}
    sets = _texts(meta.get("test_sets"))
    names = {"learn": "learn"} | {name: _held_out(name, sets) for name in sets}
    rows = []
    for at in iterations:
        row: dict[str, Any] = {AXIS: at.get("iteration")}
        for name, prefix in names.items():
            values = at.get(name)
            of = metrics["learn" if name == "learn" else "test"]
            if isinstance(values, list):
                row |= {f"{prefix}/{metric}": value for (metric, _), value in zip(of, values, strict=False)}
        rows.append(row)
    planned = meta.get("iteration_count")
    return Logged(
        path,
        columns_of(rows, path, TOOL),
        axis=AXIS,
        total=float(planned) if isinstance(planned, int) and planned > 0 else None,
        directions={
            f"{prefix}/{metric}": _WAYS[way]
            for name, prefix in names.items()
            for metric, way in metrics["learn" if name == "learn" else "test"]
            if way in _WAYS
        },
        notes=notes,
    )


def _metrics(told: Any) -> list[tuple[str, str]]:
    """Names of metrics, and which of their values is best."""
    found = told if _is_list_of_objects(told) else []
    return [(str(one.get("name")), str(one.get("best_value"))) for one in found]


def _is_list_of_objects(told: Any) -> bool:
    return isinstance(told, list) and all(isinstance(one, dict) for one in told)


def _texts(told: Any) -> list[str]:
    return [name for name in told if isinstance(name, str)] if isinstance(told, list) else []


def _held_out(name: str, sets: Sequence[str]) -> str:
    return "validation" if len(sets) == 1 else f"validation/{name}"


def _from_tables(files: Mapping[str, Path]) -> Logged:
    rows: dict[float, dict[str, Any]] = {}
    notes: list[str] = []
    for name, path in files.items():
        prefix = _held_out("", ["test"]) if TABLES[name] == "test" else "learn"
        cells = csv_cells(path, TOOL, separator="\t")
        notes += cells.notes
        for line, row in zip(cells.lines, cells.rows, strict=True):
            numbers = [as_number(cell) for cell in row]
            if numbers[0] is None:
                raise refused(path, TOOL, f"'{row[0]}' is no iteration", line)
            told = {f"{prefix}/{metric}": value for metric, value in zip(cells.header[1:], numbers[1:], strict=True)}
            rows.setdefault(numbers[0], {AXIS: numbers[0]}).update(told)
    path = next(iter(files.values()))
    columns = columns_of([rows[at] for at in sorted(rows)], path, TOOL)
    directions: dict[str, Direction] = {
        name: "min" for name in columns if name.rpartition("/")[2].partition(":")[0] in _LOSSES
    }
    return Logged(path, columns, axis=AXIS, directions=directions, notes=tuple(notes))
