"""The folders `version_0`, `version_1` … of Lightning's CSVLogger."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lcode.errors import InputError
from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import spelled_columns
from lcode.readers.logged.lines import csv_cells, first_header
from lcode.readers.logged.settings import yaml_settings
from lcode.readers.loggers.lightning_resumed import with_resumed
from lcode.readers.loggers.per_file import RunPerFolder
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.planned import planned, whole

TOOL = "Lightning"

METRICS = "metrics.csv"

SETTINGS = ("config.yaml", "hparams.yaml")
"""What lies beside the metrics: what the command line was given, and what the module has saved, which counts more."""

LENGTH = "max_epochs"
"""The trainer's argument, by whatever name it was saved: `max_epochs`, `trainer.max_epochs`."""


class LightningReader(RunPerFolder):
    """Reads metrics as they were logged: those of training and of validation stand in different rows of one epoch."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether it has the name and the folder that Lightning gives, and its column `step`."""
        if path.name != METRICS:
            return False
        beside = any(path.with_name(name).is_file() for name in SETTINGS)
        if not beside and not re.fullmatch(r"version_\d+", path.parent.name):
            return False
        header = first_header(path)
        return "step" in header if header else path.is_file()

    def read(self, paths: Sequence[Path]) -> list[Logged]:
        """The runs of the files; starts of one training, which have a folder each, are one.

        Raises:
            InputError: none can be read.
        """
        return with_resumed(super().read(sorted(paths, key=_version)))

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        cells = csv_cells(path, TOOL)
        if not cells.rows:
            raise InputError(
                f"has a header and no row, so {TOOL} has logged nothing yet; read it after the first epoch, or move it "
                "away",
                path=path,
            )
        columns = spelled_columns(cells.header, cells.rows)
        config: dict[str, Any] = {}
        notes = list(cells.notes)
        for name in SETTINGS:
            settings, remarks = yaml_settings(path.with_name(name))
            config |= settings
            notes += remarks
        by_steps = "epoch" not in columns or (last_epoch(config) in (None, 0) and _within_one(columns))
        axis = "step" if by_steps else "epoch"
        return Logged(
            file=path,
            columns=columns,
            axis=axis,
            config=config,
            horizon=planned_epoch(config, config, columns) if axis == "epoch" else None,
            lines=cells.lines,
            notes=tuple(notes),
        )


def _version(path: Path) -> tuple[str, int, str]:
    """What orders the starts in a folder: the numbers of their versions."""
    number = re.search(r"\d+$", path.parent.name)
    return str(path.parent.parent), -1 if number is None else int(number[0]), str(path)


def _within_one(columns: Mapping[str, pa.Array]) -> bool:
    """Whether all was measured more than once in a lone epoch, as where a language model is trained by steps.

    The test behind it, which counts another, is none.
    """
    names = [name for name in columns if name not in ("epoch", "step")]
    curves = [columns[name] for name in names if split_name(name)[0] != "test"]
    told = [cells.is_valid().to_numpy(zero_copy_only=False) for cells in curves]
    if not told or "step" not in columns:
        return False
    if pc.count_distinct(columns["epoch"].filter(pa.array(np.logical_or.reduce(told)))).as_py() != 1:
        return False
    return bool(curves) and all(len(cells) - cells.null_count > 1 for cells in curves)


def last_epoch(config: Mapping[str, Any]) -> float | None:
    """The last planned epoch, counted from 0; -1 epochs are as many as it takes."""
    given = [whole(value) for name, value in config.items() if name.rpartition(".")[2] == LENGTH]
    lengths = {length for length in given if length is not None and length > 0}
    return lengths.pop() - 1.0 if len(lengths) == 1 else None


def planned_epoch(
    arguments: Mapping[str, Any], config: Mapping[str, Any], columns: Mapping[str, pa.Array]
) -> float | None:
    """The last planned epoch, counted from 0: that of `max_epochs`, or the one in which `max_steps` will be reached.

    Args:
        arguments: of the trainer, which say `max_epochs` as Lightning means it.
        config: all settings.
        columns: what was logged, with the columns `epoch` and `step`.
    """
    by_epochs = last_epoch(arguments)
    if by_epochs is not None or "step" not in columns or not pa.types.is_integer(columns["step"].type):
        return by_epochs
    given = pc.and_(columns["epoch"].is_valid(), columns["step"].is_valid())
    epochs, steps = (columns[name].filter(given).to_numpy(zero_copy_only=False) for name in ("epoch", "step"))
    total = planned(config, "step", float(steps.max(initial=0)))
    if total is None or np.any(epochs % 1) or planned(config, "epoch", float(epochs.max())) is not None:
        return None
    told = np.unique(epochs)
    sizes = np.diff([steps[epochs == epoch].max() for epoch in told])
    if not len(sizes) or np.any(np.diff(told) != 1) or sizes.min() <= 0:
        return None  # in its first epoch nothing says how long that is
    done = float(steps[epochs == told[-2]].max()) + 1  # the latest epoch may have but begun
    return float(told[-2] + np.ceil((total - done) / np.median(sizes)))
