"""Kaldi's trainings with nnet2 and nnet3: a file per iteration that tells what the network came to on each data set.

`exp/tdnn/log/compute_prob_valid.12.log` and `compute_prob_train.12.log`, of as many outputs as the network has. Where
these are gone, `exp/tdnn/accuracy.report` holds a row per iteration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of, spelled_columns
from lcode.readers.logged.lines import csv_cells, head_of, printed_text, refused
from lcode.readers.logged.several import parsed, sound_runs
from lcode.table.metric import Direction
from lcode.table.table import RunStatus

AXIS = "iteration"

_FILE = re.compile(r"compute_prob_(?P<split>train|valid)\.(?P<at>\d+)\.log")
_REPORT = "accuracy.report"
_ENDED = ("final.mdl", "final.raw")
"""What Kaldi writes after the last iteration."""

_NUMBER = r"-?(?:\d+\.?\d*(?:e[+-]?\d+)?|nan|inf)"

_NNET3 = re.compile(
    rf"Overall (?P<what>[a-z-]+) for '(?P<output>[^']+)' is (?P<value>{_NUMBER})(?: \+ \S+ = (?P<whole>{_NUMBER}))?"
)
"""`Overall log-probability for 'output' is -0.2 + -0.1 = -0.3 per frame, over 9000 frames.`"""

_NNET2 = re.compile(rf"average probability is (?P<value>{_NUMBER})(?: and accuracy is (?P<accuracy>{_NUMBER}))?")
"""`Saw 4000 examples, average probability is -1.25 and accuracy is 0.75 with total weight 4000`."""


class KaldiReader:
    """Reads the folders `exp/NAME`."""

    tool: ClassVar[str] = "Kaldi"

    def sniff(self, path: Path) -> bool:
        """Whether the file is of one iteration, or the report of all."""
        if path.name == _REPORT:
            return head_of(path, 64).startswith(b"%Iter")
        return _FILE.fullmatch(path.name) is not None and b"compute-prob" in head_of(path)

    def owns(self, path: Path) -> Path:
        """The folder of the training, with the logs of what else it ran."""
        return _training_of(path)

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The trainings.

        Raises:
            InputError: none can be read.
        """
        trainings: dict[Path, list[Path]] = {}
        for path in paths:
            trainings.setdefault(_training_of(path), []).append(path)
        return sound_runs(trainings.items(), lambda item: [self._training(*item)])

    def _training(self, folder: Path, paths: Sequence[Path]) -> Logged:
        files = [path for path in paths if path.name != _REPORT]
        status: RunStatus | None = "finished" if any((folder / name).is_file() for name in _ENDED) else None
        if not files:
            return _of_report(paths[0], status)
        told, damaged = parsed(files, self._told)
        if not told:
            raise damaged[0]
        rows: dict[int, dict[str, Any]] = {}
        for at, values in sorted(told, key=lambda one: one[0]):
            rows.setdefault(at, {AXIS: at}).update(values)
        columns = columns_of(list(rows.values()), folder, self.tool)
        directions: dict[str, Direction] = {name: "max" for name in columns if name != AXIS}
        notes = tuple(f"left out: {error}" for error in damaged)
        return Logged(files[0], columns, folder.name, axis=AXIS, status=status, directions=directions, notes=notes)

    def _told(self, path: Path) -> tuple[int, dict[str, float]]:
        """The iteration of a file, and its values by name."""
        name = _FILE.fullmatch(path.name)
        assert name is not None
        values = dict(_values(printed_text(path.read_bytes())[0]))
        if not values:
            raise refused(path, self.tool, "it does not say what the network came to")
        split = "val" if name["split"] == "valid" else "train"
        return int(name["at"]), {f"{split}/{what}": value for what, value in values.items()}


def _training_of(path: Path) -> Path:
    """The folder of the training that left a file, in it or in its folder of logs."""
    return path.parent.parent if path.parent.name == "log" else path.parent


def _values(text: str) -> Iterator[tuple[str, float]]:
    for found in _NNET3.finditer(text):
        yield f"{found['output']}/{found['what']}", float(found["whole"] or found["value"])
    for found in _NNET2.finditer(text):
        yield "log-likelihood", float(found["value"])
        if found["accuracy"] is not None:
            yield "accuracy", float(found["accuracy"])


def _of_report(path: Path, status: RunStatus | None) -> Logged:
    """The table of a training of which the logs are gone; its objective is the accuracy where there is one."""
    found = csv_cells(path, KaldiReader.tool, separator="\t")
    columns = spelled_columns(found.header, found.rows)
    values = [value for name in columns if name.endswith("_objective") for value in columns[name].to_pylist()]
    what = "accuracy" if all(value is None or 0 <= value <= 1 for value in values) else "log-likelihood"
    names = {"%Iter": AXIS, "train_objective": f"train/{what}", "valid_objective": f"val/{what}"}
    kept = {names[name]: cells for name, cells in columns.items() if name in names}
    return Logged(
        path,
        kept,
        path.parent.name,
        axis=AXIS,
        status=status,
        directions={name: "max" for name in kept if name != AXIS},
        lines=found.lines,
        notes=found.notes,
    )
