"""Syne Tune's experiments: `results.csv.zip` with a row per report, and `metadata.json` beside it."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from lcode.json_text import parse_json
from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import spelled_columns
from lcode.readers.logged.lines import refused
from lcode.readers.logged.several import sound_runs
from lcode.table.axis import MAX_TICKS
from lcode.table.direction import Direction
from lcode.table.table import RunStatus

TOOL = "Syne Tune"

RESULTS = "results.csv.zip"

TRIAL, REPORT = "trial_id", "st_worker_iter"
"""Columns that name the trial, and that count its reports."""

CONFIG = "config_"


class SyneTuneReader:
    """Reads the trials of experiments."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file holds an experiment's results."""
        try:
            return path.name == RESULTS and path.is_file()
        except OSError:
            return False

    def owns(self, path: Path) -> Path:
        """The experiment's folder."""
        return path.parent

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The trials.

        Raises:
            InputError: no experiment can be read.
        """
        return sound_runs(paths, _trials)


def _trials(path: Path) -> list[Logged]:
    """The trials of an experiment, in the order of their first reports."""
    header, rows = _unpacked(path)
    if TRIAL not in header:
        raise refused(path, TOOL, f"its table has no column '{TRIAL}'", 1)
    at = header.index(TRIAL)
    by_trial: dict[str, list[list[str]]] = {}
    for row in rows:
        by_trial.setdefault(row[at], []).append(row)
    metadata = _metadata(path.with_name("metadata.json"))
    return [_trial(path, trial, spelled_columns(header, own), metadata) for trial, own in by_trial.items()]


def _trial(path: Path, trial: str, columns: Mapping[str, pa.Array], metadata: Mapping[str, Any]) -> Logged:
    axis = next((name for name in (str(metadata.get("time_attr")), "epoch", REPORT) if name in columns), None)
    curves = {
        name: column
        for name, column in columns.items()
        if name == axis or not (name.startswith((CONFIG, "st_")) or name == TRIAL)
    }
    config = {
        name.removeprefix(CONFIG): column.drop_null()[0].as_py()
        for name, column in columns.items()
        if name.startswith(CONFIG)
    }
    horizon = _horizon(columns, axis, metadata, config)
    return Logged(
        file=path,
        columns=curves,
        run=f"{path.parent.name}/{trial}",
        axis=axis,
        config=config,
        horizon=horizon,
        status=_status(columns, axis, horizon),
        directions={name: way for name, way in _directions(metadata).items() if name in curves},
    )


def _horizon(
    columns: Mapping[str, pa.Array], axis: str | None, metadata: Mapping[str, Any], config: Mapping[str, Any]
) -> float | None:
    """The end of the budget: what the scheduler gives at most, else the trial's own `epochs`."""
    if axis is None or axis == REPORT:
        return None
    most = metadata.get("max_t") if axis == metadata.get("time_attr") else None
    if isinstance(most, int) and 0 < most <= MAX_TICKS:
        return float(most)
    epochs = config.get("epochs")
    if not isinstance(epochs, int) or not 1 <= epochs <= MAX_TICKS:
        return None
    return float(epochs - (pc.min(columns[axis]).as_py() == 0))


def _status(columns: Mapping[str, pa.Array], axis: str | None, horizon: float | None) -> RunStatus | None:
    """How the trial ended, by the decision on its last report: one is also told to stop at the end of its budget."""
    last = None if axis is None else columns[axis][-1].as_py()
    if horizon is not None and isinstance(last, (int, float)) and last >= horizon:
        return "finished"
    return "stopped" if "st_decision" in columns and columns["st_decision"][-1].as_py() == "STOP" else None


def _unpacked(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table in the archive, which is always written anew, as a whole.

    Raises:
        InputError: it is empty, no archive, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
            rows = list(csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline="")))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, IndexError, EOFError, ValueError, NotImplementedError) as error:
        raise refused(path, TOOL, f"it is no whole archive ({error or 'empty'})") from error
    except (csv.Error, RuntimeError, zlib.error) as error:
        raise refused(path, TOOL, f"the table in it cannot be read ({error})") from error
    rows = [row for row in rows if row]
    if len(rows) < 2:
        raise refused(path, TOOL, "no trial has reported anything yet")
    header = rows[0]
    wrong = next((at for at, row in enumerate(rows) if len(row) != len(header)), None)
    if wrong is not None:
        raise refused(path, TOOL, f"this row does not have the {len(header)} cells of the header", wrong + 1)
    return header, rows[1:]


def _metadata(path: Path) -> dict[str, Any]:
    """What the experiment says of itself; empty where it cannot be read."""
    try:
        found = parse_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    scheduler = found.get("scheduler_kwargs")
    return {**(scheduler if isinstance(scheduler, dict) else {}), **found}


def _directions(metadata: Mapping[str, Any]) -> dict[str, Direction]:
    """Direction by metric: one for all, or one for each."""
    names, modes = metadata.get("metric_names"), metadata.get("metric_mode")
    if not isinstance(names, list):
        return {}
    each = modes if isinstance(modes, list) else [modes] * len(names)
    ways: dict[object, Direction] = {"min": "min", "max": "max"}
    return {str(name): ways[mode] for name, mode in zip(names, each, strict=False) if mode in ("min", "max")}
