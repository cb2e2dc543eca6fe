"""MMEngine's `vis_data/scalars.json`, and the `TIMESTAMP.log.json` of MMCV before it: rows of training and validation.

A work folder holds a folder (MMCV: a file) per start; a resumed training goes on in a new one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of
from lcode.readers.logged.lines import first_object, json_objects, refused
from lcode.readers.logged.settings import python_settings
from lcode.readers.logged.several import sound_runs

TOOL = "MMEngine"

EPOCH, ITERATION, STEP = "epoch", "iter", "step"

_SCALARS = "scalars.json"
_OF_ROW = {ITERATION, STEP, "time", "data_time"}
"""What stands in the rows of no other tool, whatever their file is called."""

_STAMP = re.compile(r"(\d{8}_\d{6}|None)(\.log)?\.json")
"""How its files are named: by the time of the start, which is None where nobody gave it to the logger."""

_OF_BOTH = frozenset(
    (EPOCH, ITERATION, STEP, "lr", "base_lr", "momentum", "time", "data_time", "memory", "eta", "mode")
)
"""What is logged in training and is not of the training data."""

_PLACES = ("work_dir", "experiment_name", "resume", "resume_from", "load_from", "launcher")
"""Settings that say where a run is kept or comes from, not what it does."""


@dataclass(frozen=True)
class _Start:
    """What was logged from one start of a training on."""

    path: Path
    rows: list[dict[str, Any]]
    lines: list[int]
    notes: tuple[str, ...]
    axis: str
    first: float


class MMEngineReader:
    """Reads trainings of the OpenMMLab packages."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file holds the rows of a training."""
        if path.suffix != ".json":
            return False
        first = first_object(path)
        if not _is_named(path):
            return "env_info" in first or first.keys() >= _OF_ROW
        if path.name.endswith(".log.json"):
            return "env_info" in first or "mode" in first
        return STEP in first or (path.parent.name == "vis_data" and _is_file(path))

    def owns(self, path: Path) -> Path:
        """The work folder."""
        return _work_folder(path)

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The trainings.

        Raises:
            InputError: none can be read.
        """
        folders: dict[Path, list[Path]] = {}
        named = set(paths)
        for path in paths:
            if path.name == _SCALARS or path.with_name(_SCALARS) not in named:  # it has a copy named by the time
                folders.setdefault(_work_folder(path), []).append(path)
        return sound_runs(folders.items(), lambda item: _trainings(item[0], sorted(item[1])))


def _is_named(path: Path) -> bool:
    """Whether the file has a name that the tool gives; others were copied from their work folder."""
    return path.name == _SCALARS or _STAMP.fullmatch(path.name) is not None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _work_folder(path: Path) -> Path:
    if not _is_named(path):
        return path
    return path.parent.parent.parent if path.parent.name == "vis_data" else path.parent


def _trainings(folder: Path, paths: Sequence[Path]) -> list[Logged]:
    """The trainings of a work folder: a start that does not begin at the beginning goes on with the one before."""
    runs: list[list[_Start]] = []
    for path in paths:
        start = _start(path)
        if runs and start.axis == runs[-1][0].axis and start.first > runs[-1][0].first:
            runs[-1].append(start)
        else:
            runs.append([start])
    name = folder.name if _is_named(paths[0]) else _stamp(folder)
    return [_logged(name if len(runs) == 1 else f"{name}/{_stamp(run[0].path)}", run) for run in runs]


def _stamp(path: Path) -> str:
    return path.parent.parent.name if path.parent.name == "vis_data" else path.name.split(".")[0]


def _logged(name: str, starts: Sequence[_Start]) -> Logged:
    last = starts[-1]
    rows = [row for start in starts for row in start.rows]
    config = _settings(last.path)
    return Logged(
        file=last.path,
        columns=columns_of(rows, last.path, TOOL),
        run=name,
        axis=last.axis,
        config={name: value for name, value in config.items() if name not in _PLACES},
        horizon=_horizon(config, last.axis),
        lines=last.lines if len(starts) == 1 else None,
        notes=tuple(note for start in starts for note in start.notes),
    )


def _settings(path: Path) -> dict[str, Any]:
    """The configuration beside the rows: MMEngine keeps it there, MMCV in the work folder."""
    if not _is_named(path):
        return {}
    found = [path.with_name("config.py")] if path.parent.name == "vis_data" else sorted(path.parent.glob("*.py"))
    return python_settings(found[0]) if len(found) == 1 else {}


def _horizon(config: Mapping[str, Any], axis: str) -> float | None:
    names = ("max_epochs", "total_epochs") if axis == EPOCH else ("max_iters", "total_iters")
    for name in (f"{part}{name}" for part in ("train_cfg.", "runner.", "") for name in names):
        planned = config.get(name)
        if isinstance(planned, int) and planned > 0:
            return float(planned)
    return None


def _start(path: Path) -> _Start:
    found = json_objects(path, TOOL)
    axis = EPOCH if any(EPOCH in row for row in found.rows) else ITERATION
    rows, lines = [], []
    for row, line in _placed(found.rows, found.lines, axis):
        rows.append(row)
        lines.append(line)
    if not rows:
        raise refused(path, TOOL, "no row counts iterations or steps", found.lines[0])
    return _Start(path, rows, lines, found.notes, axis, rows[0][axis])


def _placed(rows: Sequence[Mapping[str, Any]], lines: Sequence[int], axis: str) -> Iterator[tuple[dict[str, Any], int]]:
    """The rows with names that say whether they are of the training or the validation, all with a place on the axis.

    A validation row says `step`, which is the epoch or the iteration, as the logging hook was set. It follows the
    training rows of its epoch.
    """
    epoch: float | None = None
    iteration: float | None = None
    for row, line in zip(rows, lines, strict=True):
        if row.get("mode", "train" if ITERATION in row else "val") == "train":
            epoch, iteration = row.get(EPOCH, epoch), row.get(ITERATION, iteration)
            named = {name if name in _OF_BOTH else f"train/{name}": value for name, value in row.items()}
            if isinstance(row.get(axis), (int, float)):
                yield _without_mode(named), line
            continue
        step = row.get(STEP, row.get(axis))
        if not isinstance(step, (int, float)):
            continue  # the first line of MMCV's files tells of the machine
        if axis == EPOCH:
            place = epoch if epoch is not None and step == iteration and "mode" not in row else step
        else:
            place = step if iteration is None or step > iteration else iteration
        values = {f"val/{name}": value for name, value in row.items() if name not in _OF_BOTH}
        yield {axis: place, **values}, line


def _without_mode(row: dict[str, Any]) -> dict[str, Any]:
    # The step of a training row is its iteration.
    return {name: value for name, value in row.items() if name not in ("mode", STEP)}
