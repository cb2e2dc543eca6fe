"""MLflow's runs, without MLflow: from its database or its folders of files."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lcode.errors import InputError
from lcode.readers.logged.base import Logged
from lcode.readers.logged.several import parsed, sound_runs
from lcode.readers.loggers.database import database, tables_of
from lcode.readers.loggers.mlflow_files import is_run, read_run
from lcode.readers.loggers.mlflow_run import TOOL, Run, logged, names_of, points_of
from lcode.readers.loggers.units import units_of

if TYPE_CHECKING:
    import sqlite3

TABLES = {"experiments", "runs", "metrics", "params", "tags"}
"""Tables by which a database is known as MLflow's."""

USUAL = "mlflow.db"
"""The database's usual name: one of that name is refused if it is damaged, instead of being passed over."""

LARGEST = sys.float_info.max
"""What MLflow stores in place of infinity, which not all databases have."""

_AT_ONCE = 100_000
"""Rows that are held as Python's objects at a time, some 50 MB."""


class MLflowReader:
    """Reads databases (`mlflow.db`) and folders (`mlruns`)."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether it is a database with MLflow's tables, or the file that describes a run in its folder."""
        return is_run(path) or (path.name == USUAL and path.is_file()) or tables_of(path) >= TABLES

    def owns(self, path: Path) -> Path:
        """The folder of a run; of a database the file alone, since it may lie anywhere."""
        return path.parent if is_run(path) else path

    def read(self, paths: Sequence[Path]) -> Iterable[Logged]:
        """The runs in these databases and folders; deleted ones, and those without a metric, are left out.

        Raises:
            InputError: none can be read.
        """
        sources, damaged = parsed(paths, lambda path: [read_run(path)] if is_run(path) else _database(path))
        runs = sorted((run for source in sources for run in source if run is not None), key=lambda run: run.begun)
        names = names_of(runs)
        measured = [run for run in runs if run.metrics]
        if paths and not measured and not damaged:
            raise InputError(
                f"holds no run of {TOOL} with a metric that is not deleted; log one with mlflow.log_metric, or name "
                "another file",
                path=paths[0],
            )
        units = units_of([[points_of(run)] for run in measured])
        return sound_runs(measured, lambda run: [logged(run, names[run.id], units)], damaged)


def _database(path: Path) -> list[Run]:
    """The runs in a database that are not deleted.

    Raises:
        InputError: it is damaged, locked, or older than MLflow 1.0.
    """
    with database(path, TOOL) as base:
        return _runs(base, path)


def _runs(base: sqlite3.Connection, path: Path) -> list[Run]:
    names = dict(base.execute("SELECT experiment_id, name FROM experiments"))
    runs: dict[str, Run] = {}
    for id, name, status, experiment, begun in base.execute(
        "SELECT run_uuid, name, status, experiment_id, start_time FROM runs WHERE lifecycle_stage = 'active'"
    ):
        runs[id] = Run(path, id, name or "", status or "", names.get(experiment, ""), float(begun or 0))
    for table in ("params", "tags"):
        for id, key, value in base.execute(f"SELECT run_uuid, key, value FROM {table} ORDER BY rowid"):
            if id in runs:
                getattr(runs[id], table)[key] = value
    curves: dict[tuple[str, str], int] = {}
    parts: list[tuple[NDArray[Any], ...]] = []
    # The row's number is the order of logging.
    found = base.execute("SELECT run_uuid, key, step, value, is_nan, timestamp FROM metrics ORDER BY rowid")
    while rows := found.fetchmany(_AT_ONCE):
        ids, keys, steps, values, not_numbers, times = zip(*rows, strict=True)
        codes = [curves.setdefault(curve, len(curves)) for curve in zip(ids, keys, strict=True)]
        cells = np.array(values, np.float64)
        cells[np.array(not_numbers, np.bool_)] = np.nan
        cells[np.abs(cells) >= LARGEST] *= np.inf
        parts.append((np.array(codes), np.array(steps, np.int64), cells, np.array(times, np.float64)))
    if parts:
        of_curve, *columns = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(of_curve, kind="stable")
        edges = np.searchsorted(of_curve[order], np.arange(len(curves) + 1))
        for (id, key), start, end in zip(curves, edges[:-1], edges[1:], strict=True):
            if id in runs:
                at, cells, clock = (column[order[start:end]] for column in columns)
                runs[id].metrics[key] = at, cells, clock
    return list(runs.values())
