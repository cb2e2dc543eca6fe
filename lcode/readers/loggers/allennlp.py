"""AllenNLP's `metrics_epoch_N.json`: an object per epoch, each in a file of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.loggers.base import Logged
from lcode.readers.loggers.cells import columns_of, flat
from lcode.readers.loggers.lines import refused
from lcode.readers.loggers.several import parsed, sound_runs

TOOL = "AllenNLP"

AXIS = "epoch"

_FILE = re.compile(r"metrics_epoch_(\d+)\.json")

_ENDED = "metrics.json"
"""What is written after the last epoch."""


class AllenNLPReader:
    """Reads serialization directories."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether the file holds an epoch's metrics."""
        return _FILE.fullmatch(path.name) is not None

    def owns(self, path: Path) -> Path:
        """The serialization directory, in which event files lie as well."""
        return path.parent

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The trainings.

        Raises:
            InputError: none can be read.
        """
        files, damaged = parsed(paths, lambda path: (path, _epoch(path)))
        folders: dict[Path, list[dict[str, Any]]] = {}
        for path, row in files:
            folders.setdefault(path.parent, []).append(row)
        return sound_runs(folders.items(), lambda item: [_training(*item)], damaged)


def _epoch(path: Path) -> dict[str, Any]:
    found = _FILE.fullmatch(path.name)
    assert found is not None
    try:
        told = parse_json(path.read_bytes())
    except ValueError as error:
        raise InputError(f"is read as a file of {TOOL}, but is no JSON ({error}); write it again", path=path) from error
    if not isinstance(told, dict):
        raise refused(path, TOOL, "it is no object")
    return {**flat(told, "/"), AXIS: int(found.group(1))}


def _training(folder: Path, rows: Sequence[dict[str, Any]]) -> Logged:
    ordered = sorted(rows, key=lambda row: int(row[AXIS]))
    return Logged(
        folder / "metrics_epoch_0.json",
        columns_of(ordered, folder, TOOL),
        axis=AXIS,
        status="finished" if (folder / _ENDED).is_file() else None,
    )
