"""Ray Tune's and RLlib's result folders: `result.json`, or `progress.csv` where that is missing.

Both say the same, but the table has only the columns of the first report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from lcode.json_text import parse_json
from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of, flat, spelled_columns
from lcode.readers.logged.lines import csv_cells, first_header, first_object, head_of, json_objects, refused
from lcode.readers.logged.several import sound_runs

TOOL = "Ray Tune"

AXIS = "training_iteration"

_RESULT, _PROGRESS = "result.json", "progress.csv"

_OF_ROW = {AXIS, "trial_id"}
"""What stands in every report."""

AUTOFILLED = frozenset(
    [
        "time_this_iter_s",
        "time_total_s",
        "time_since_restore",
        "timestamp",
        "date",
        "pid",
        "hostname",
        "node_ip",
        "trial_id",
        "done",
        "experiment_tag",
        "experiment_id",
        "iterations_since_restore",
        "timesteps_since_restore",
        "should_checkpoint",
        "checkpoint_dir_name",
        "warmup_time",
        "trial_num_failures",
    ]
)
"""What Ray adds to every report (`ray/tune/result.py`), whatever the training reports."""

_TRIAL_ID = re.compile(r"[0-9a-f]{5,8}_\d{5,}")


class RayTuneReader:
    """Reads the trials of experiments: a folder each."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file holds a trial's results."""
        if path.name == _RESULT:
            return _beside(path, "params.json") or f'"{AXIS}"'.encode() in head_of(path)
        if path.name != _PROGRESS:  # copied from its folder
            return path.suffix == ".json" and first_object(path).keys() >= _OF_ROW
        return set(first_header(path)) >= _OF_ROW

    def owns(self, path: Path) -> Path:
        """The trial's folder."""
        return path.parent if path.name in (_RESULT, _PROGRESS) else path

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The trials.

        Raises:
            InputError: no trial can be read.
        """
        best: dict[Path, Path] = {}
        for path in sorted(paths, key=lambda path: (bool(head_of(path).strip()), path.name)):
            best[self.owns(path)] = path
        runs = sound_runs([best[folder] for folder in sorted(best)], lambda path: [_trial(path)])
        ended = {folder: _statuses(folder) for folder in {run.file.parent.parent for run in runs}}
        longest = {folder: max(_length(run) for run in runs if run.file.parent.parent == folder) for folder in ended}
        return [_with_status(run, ended[run.file.parent.parent], longest[run.file.parent.parent]) for run in runs]


def _trial(path: Path) -> Logged:
    notes: tuple[str, ...] = ()
    lines: list[int] | None = None
    config = _params(path.with_name("params.json"))
    if path.suffix == ".csv":
        table = csv_cells(path, TOOL)
        columns, lines, notes = spelled_columns(table.header, table.rows), table.lines, table.notes
        if not config:
            config = {
                name.removeprefix("config/").replace("/", "."): column[-1].as_py()
                for name, column in columns.items()
                if name.startswith("config/")
            }
        columns = {name: column for name, column in columns.items() if not _is_autofilled(name)}
    elif config and not head_of(path).strip():
        columns, notes = {}, (f"{path.parent.name}: the trial has reported nothing yet.",)
    else:
        found = json_objects(path, TOOL)
        rows = [
            {name: value for name, value in flat(_reported(row), "/").items() if not _is_autofilled(name)}
            for row in found.rows
        ]
        columns, lines, notes = columns_of(rows, path, TOOL), found.lines, found.notes
        if AXIS not in columns:
            raise refused(path, TOOL, f"no report says '{AXIS}'", lines[0])
        said = found.rows[-1].get("config")
        config = config or (flat(said, ".") if isinstance(said, Mapping) else {})
    return Logged(
        file=path,
        columns=columns,
        run=_name(path.parent.name if path.name in (_RESULT, _PROGRESS) else path.stem),
        axis=AXIS if AXIS in columns else None,
        config=config,
        lines=lines,
        notes=notes,
    )


def _reported(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a trial reported: without its configuration, which every line repeats."""
    return {name: value for name, value in row.items() if name != "config"}


def _is_autofilled(name: str) -> bool:
    return name in AUTOFILLED or name.startswith("config/")


def _beside(path: Path, name: str) -> bool:
    try:
        return path.is_file() and path.with_name(name).is_file()
    except OSError:
        return False


def _params(path: Path) -> dict[str, Any]:
    """The configuration that a trial was given; empty where it cannot be read."""
    try:
        found = parse_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return flat(found, ".") if isinstance(found, dict) else {}


def _name(folder: str) -> str:
    """The folder's name without the parameters and the time that follow the trial's id, cut off by Ray."""
    found = _TRIAL_ID.search(folder)
    return folder[: found.end()] if found else folder


def _length(run: Logged) -> int:
    return max((len(column) for column in run.columns.values()), default=0)


def _with_status(run: Logged, statuses: Mapping[str, str], longest: int) -> Logged:
    """The run and how it ended.

    Ray calls a trial terminated whether it ran to its end or a scheduler stopped it: of those of an experiment, which
    all have one budget, the ones that came further than any other ran to their end.
    """
    status = next((status for trial, status in statuses.items() if trial in run.file.parent.name), None)
    if status == "ERROR" or (run.file.parent / "error.txt").exists():
        return replace(run, status="failed")
    if status == "TERMINATED":
        return replace(run, status="finished" if _length(run) == longest else "stopped")
    return run


def _statuses(experiment: Path) -> dict[str, str]:
    """Status by trial id as of the latest state that Ray kept of an experiment; empty where it cannot be read."""
    statuses: dict[str, str] = {}
    for path in sorted(experiment.glob("experiment_state-*.json")):
        try:
            found = parse_json(path.read_bytes())
        except (OSError, ValueError):
            continue
        for trial in _trials(found):
            if isinstance(trial.get("trial_id"), str) and isinstance(trial.get("status"), str):
                statuses[trial["trial_id"]] = trial["status"]
    return statuses


def _trials(state: Any) -> Iterator[Mapping[str, Any]]:
    """The trials of an experiment's state: each is JSON within the JSON, up to Ray 2.3 without its run-time part."""
    listed = state.get("trial_data") or state.get("checkpoints") if isinstance(state, Mapping) else None
    for entry in listed if isinstance(listed, list) else ():
        text = entry[0] if isinstance(entry, list) and entry else entry
        try:
            trial = parse_json(text) if isinstance(text, str) else text
        except ValueError:
            continue
        if isinstance(trial, Mapping):
            yield trial
