"""Logs of interatomic potentials in training: MACE's and NequIP's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from lcode.readers.logged.base import Logged
from lcode.readers.logged.cells import columns_of, spelled_columns
from lcode.readers.logged.lines import csv_cells, first_header, first_object, json_objects
from lcode.readers.logged.settings import call_settings, yaml_settings
from lcode.readers.loggers.per_file import RunPerFile, RunPerFolder

AXIS = "epoch"

_MODES = {"opt": "train", "eval": "val"}

_MACE_METRIC = re.compile(r"((?:rel_)?(?:mae|rmse|q95))_(.+)")

_NEQUIP_CURVE = re.compile(r"(training|validation)_(?:(loss)(?:_(.+))?|(.+)_([a-z0-9]+))")


class MaceReader(RunPerFile):
    """Reads `results/NAME_run-SEED_train.txt`: JSON lines of the batches (`opt`) and the evaluations (`eval`)."""

    tool: ClassVar[str] = "MACE"

    def sniff(self, path: Path) -> bool:
        """Whether the file holds such lines."""
        if path.suffix != ".txt":
            return False
        first = first_object(path)
        return AXIS in first and first.get("mode") in tuple(_MODES)  # whatever type a damaged file has there

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        found = json_objects(path, self.tool)
        rows, lines = [], []
        for row, line in zip(found.rows, found.lines, strict=True):
            if row.get(AXIS) is not None:  # before the first epoch the untrained network is evaluated
                rows.append(_named(row))
                lines.append(line)
        name = path.stem.removesuffix("_train")
        config = _mace_arguments(path.parent, name)
        epochs = config.get("max_num_epochs")
        return Logged(
            file=path,
            columns=columns_of(rows, path, self.tool),
            run=name,
            axis=AXIS if rows else None,
            config=config,
            horizon=float(epochs - 1) if isinstance(epochs, int) and epochs > 1 else None,
            lines=lines,
            notes=found.notes,
        )


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    """A line's metrics under names that say of which data they are, and of which head where there are several."""
    mode = str(row.get("mode"))
    prefix = _MODES.get(mode, mode)
    head = row.get("head")
    if isinstance(head, str) and head != "Default":
        prefix += f"/{head}"
    return {AXIS: row[AXIS]} | {
        f"{prefix}/{_MACE_METRIC.sub(_by_quantity, name)}": value
        for name, value in row.items()
        if name not in (AXIS, "mode", "head", "time")
    }


def _by_quantity(name: re.Match[str]) -> str:
    """`rmse_f` is the metric rmse of the task f: forces."""
    return f"{name.group(2)}/{name.group(1)}"


def _mace_arguments(results: Path, name: str) -> dict[str, Any]:
    """The arguments that MACE prints into its log, in a folder beside that of the results; else empty."""
    for log in (f"{name}_debug.log", f"{name}.log"):
        try:
            text = (results.parent / "logs" / log).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        found = re.search(r"Configuration: (Namespace\(.*\))$", text, re.MULTILINE)
        if found:
            return call_settings(found.group(1))
    return {}


def _by_key(name: re.Match[str]) -> str:
    """`validation_f_mae` is the mae of the task f on the validation set, `validation_loss_f` its part of the loss."""
    split, loss, part, key, metric = name.groups()
    task = part if loss else key
    return "/".join(filter(None, ("train" if split == "training" else "val", task, loss or metric)))


class NequIPReader(RunPerFolder):
    """Reads `metrics_epoch.csv`, which NequIP wrote up to 0.6; newer versions log through Lightning."""

    tool: ClassVar[str] = "NequIP"

    def sniff(self, path: Path) -> bool:
        """Whether the file has NequIP's columns."""
        header = first_header(path) if path.name == "metrics_epoch.csv" else []
        return AXIS in header and not {"wall", "wal", "LR"}.isdisjoint(header)

    def logged(self, path: Path) -> Logged:
        """The run of a file."""
        table = csv_cells(path, self.tool)
        header = ["wall" if name == "wal" else _NEQUIP_CURVE.sub(_by_key, name) for name in table.header]
        columns = spelled_columns(header, table.rows)
        config, told = yaml_settings(path.with_name("config.yaml"))
        epochs = config.get("max_epochs")
        return Logged(
            file=path,
            columns=columns,
            axis=AXIS if AXIS in columns else None,
            config={name: value for name, value in config.items() if name not in ("root", "run_name", "workdir")},
            horizon=float(epochs) if isinstance(epochs, int) and epochs > 0 else None,
            lines=table.lines,
            notes=(*table.notes, *told),
        )
