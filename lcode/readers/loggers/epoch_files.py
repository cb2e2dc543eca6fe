"""An object of JSON per epoch, each in a file or folder of its own: `epoch_3_metrics.json`, `checkpoint-500/eval.json`.

AllenNLP leaves `metrics_epoch_N.json`; many programs of one's own do the like.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of, flat
from lcode.readers.logged.lines import HEAD, head_of, refused
from lcode.readers.logged.several import parsed, sound_runs
from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import EPOCHS
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS

_NUMBERED = re.compile(
    r"(?P<what>epoch|ep|round|step|iter|iteration|checkpoint|ckpt)s?[_\-.= ]?(?P<at>\d+)(?!\d)", re.IGNORECASE
)
"""What a file or folder of one count is called after."""

MOST_CLASSES = 100
"""Numbers in a list that are those of classes: a longer one holds samples, or a curve."""

_ENDED = "metrics.json"
"""What AllenNLP writes after the last epoch."""


@dataclass(frozen=True)
class _Place:
    """Where a file stands: of which run, at which count, on which data."""

    run: tuple[Path, str]
    axis: str
    at: int
    split: str


class EpochFilesReader:
    """Reads folders in which each epoch, or each checkpoint, has left a file of what was measured."""

    tool: ClassVar[str] = "JSON file per epoch"

    def sniff(self, path: Path) -> bool:
        """Whether the file says at which count it was written, and holds metrics and no list of rows."""
        if path.suffix.lower() != ".json" or _place(path) is None:
            return False
        head = head_of(path)
        if len(head) == HEAD or not head.lstrip().startswith(b"{"):
            return False
        try:
            told = parse_json(head)
        except ValueError:
            return False
        return isinstance(told, dict) and any(known_metric(name) is not None for name in _measured(told))

    def owns(self, path: Path) -> Path:
        """The file alone."""
        return path

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The trainings.

        Raises:
            InputError: none can be read.
        """
        files, damaged = parsed(paths, lambda path: (path, _told(path, self.tool)))
        runs: dict[tuple[Path, str], list[tuple[Path, dict[str, Any]]]] = {}
        for path, told in files:
            place = _place(path)
            assert place is not None
            runs.setdefault(place.run, []).append((path, told))
        return sound_runs(runs.items(), lambda item: [_training(item[0][0], item[1], self.tool)], damaged)


class AllenNLPReader(EpochFilesReader):
    """Reads serialization directories."""

    tool: ClassVar[str] = "AllenNLP"

    def sniff(self, path: Path) -> bool:
        """Whether the file holds an epoch's metrics."""
        return re.fullmatch(r"metrics_epoch_\d+\.json", path.name) is not None

    def owns(self, path: Path) -> Path:
        """The serialization directory, in which event files lie as well."""
        return path.parent


def _place(path: Path) -> _Place | None:
    """Where a file stands by its name, or by that of its folder; None where neither says a count."""
    for of, folder in ((path, path.parent), (path.parent, path.parent.parent)):
        found = _NUMBERED.search(of.name)
        if found is None:
            continue
        rest = f"{of.name[: found.start()]} {of.name[found.end() :]} {path.name if of is not path else ''}".lower()
        words = [word for word in re.split(r"[^a-z0-9]+", rest) if word]
        split = next((SPLITS[word] for word in words if word in SPLITS), "")
        others = " ".join(word for word in words if word not in SPLITS)
        axis = "epoch" if found["what"].lower() in (*EPOCHS, "ep") else "step"
        return _Place((folder, others), axis, int(found["at"]), split)
    return None


def _told(path: Path, tool: str) -> dict[str, Any]:
    """What a file says, and when.

    Raises:
        InputError: it is no object of JSON.
    """
    try:
        told = parse_json(path.read_bytes())
    except ValueError as error:
        raise InputError(f"is read as a file of {tool}, but is no JSON ({error}); write it again", path=path) from error
    if not isinstance(told, dict):
        raise refused(path, tool, "it is no object")
    place = _place(path)
    assert place is not None
    measured = {
        f"{place.split}/{name}" if place.split and not split_name(name)[0] else name: value
        for name, value in _measured(told).items()
    }
    return {**measured, place.axis: place.at}


def _measured(told: dict[str, Any]) -> dict[str, Any]:
    """The values of an object, inner ones by their path, and of a metric's list those of each class."""
    values: dict[str, Any] = {}
    for name, value in flat(told, "/").items():
        if not isinstance(value, list):
            values[name] = value
        elif len(value) <= MOST_CLASSES and known_metric(name) is not None and None not in map(as_number, value):
            values |= {f"{name}_{at}": number for at, number in enumerate(value)}
    return values


def _training(folder: Path, files: Sequence[tuple[Path, dict[str, Any]]], tool: str) -> Logged:
    axis = "epoch" if all("epoch" in row for _, row in files) else "step"
    at: dict[int, dict[str, Any]] = {}
    for _, row in sorted(files, key=lambda file: int(file[1].get(axis, 0))):
        at.setdefault(int(row.get(axis, 0)), {}).update(row)
    return Logged(
        folder / files[0][0].name,
        columns_of(list(at.values()), folder, tool),
        axis=axis,
        status="finished" if tool == AllenNLPReader.tool and (folder / _ENDED).is_file() else None,
    )
