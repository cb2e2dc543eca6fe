"""Settings in a file of the folder in which the curves of a run lie: `args.yaml`, as timm leaves it, or `opt.txt`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lcode.readers.formats.settings_beside import SETTINGS, told_settings, with_settings
from lcode.readers.formats.settings_files import STRUCTURED, file_settings
from lcode.readers.logged.base import Logged
from lcode.readers.loggers.hydra import job_settings
from lcode.readers.raw import RawTable
from lcode.readers.understanding.column_words import RUN_NAMES, plain_name

_STEMS = (
    *("args", "config", "hparams", "params", "opt", "cfg", "hyperparameters", "hyperparams", "settings"),
    *("opts", "options", "arguments", "parameters", "train_opt", "train_args", "training_args", "run_config"),
)

_FILES = tuple(f"{stem}.{ending}" for stem in _STEMS for ending in (*STRUCTURED, "txt"))
"""What a program calls the file of its settings."""

_STEPS_OF_DEEPMD = "training.numb_steps"

_OF_TOOLS = (
    ("input.json", ({_STEPS_OF_DEEPMD},)),  # DeePMD-kit's
    ("debug.json", ({"num_epochs", "plans_manager"}, {"num_epochs", "configuration_manager"})),  # nnU-Net's
)
"""Files whose names say nothing, and of which settings one is that tool's."""

_OF_WANDB = "wandb_version"
"""Stands in W&B's `config.yaml`, which has `lr: {desc: null, value: 0.1}` for `lr: 0.1`."""


def with_files_beside(raws: Sequence[RawTable]) -> list[RawTable]:
    """The tables, those that lie alone in a folder with the settings that lie there too, see `with_settings`.

    Several tables of one folder may be as many runs: a file beside them does not say whose settings it has, unless it
    is called as one of them (`a17.csv`, `a17.json`). What Hydra has left is of all that a job has written.
    """
    tables = Counter(raw.path.parent for raw in raws)
    return [_with_file_beside(raw, alone=tables[raw.path.parent] == 1) for raw in raws]


def with_settings_beside(runs: Sequence[Logged]) -> list[Logged]:
    """What programs printed, likewise; where a run has printed a setting itself, this counts."""
    logs = Counter(run.file.parent for run in runs if run.columns)
    return [_of_text(run, alone=logs[run.file.parent] == 1) for run in runs]


def _with_file_beside(raw: RawTable, *, alone: bool) -> RawTable:
    if not frozenset(RUN_NAMES).isdisjoint(map(plain_name, raw.columns)):
        return raw if alone else _of_job(raw)
    found = _file_beside(raw.path, alone=alone)
    if found is None:
        return _of_job(raw)
    settings, remarks = _settings_of(found)
    told = with_settings(raw, settings)
    if told.columns.keys() != raw.columns.keys():
        remarks = (_told(found, raw.path),)
    return replace(told, notes=(*raw.notes, *remarks))


def _of_text(run: Logged, *, alone: bool) -> Logged:
    """A run that was printed, with the settings in a file beside it."""
    found = _file_beside(run.file, alone=alone) if run.columns else None
    if found is None:
        return run
    settings, remarks = _settings_of(found)
    told = {name: value for name, value in told_settings(settings) if name not in run.columns}
    remarks = (_told(found, run.file),) if told else remarks
    last = run.measures_last or _STEPS_OF_DEEPMD in settings
    return replace(run, config={**told, **run.config}, notes=(*run.notes, *remarks), measures_last=last)


def _file_beside(log: Path, *, alone: bool) -> Path | None:
    """The file of the settings of a run, beside its log; None where there is none.

    Args:
        log: the file of its curves.
        alone: whether it is the only one in its folder.
    """
    names = [*_of_its_name(log), *_FILES] if alone else _of_its_name(log)
    found = next((path for name in names if (path := log.with_name(name)) != log and path.is_file()), None)
    if found is not None or not alone:
        return found
    tools = ((log.with_name(name), own) for name, own in _OF_TOOLS)
    return next((path for path, own in tools if path != log and path.is_file() and _is_of_tool(path, own)), None)


def _is_of_tool(path: Path, own: Iterable[set[str]]) -> bool:
    settings, _ = file_settings(path)
    return any(names <= settings.keys() for names in own)


def _of_its_name(log: Path) -> list[str]:
    stem = log.stem.removesuffix(".csv")  # of `a17.csv.gz`
    return [f"{stem}.{ending}" for ending in STRUCTURED]


def _settings_of(found: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    settings, remarks = file_settings(found)
    settings = _plain(settings) if _OF_WANDB in settings else settings
    return {_without_head(name): value for name, value in settings.items()}, remarks


def _told(found: Path, log: Path) -> str:
    """The remark on a file of settings."""
    file = f"the .{found.suffix[1:]} file of its name" if found.name in _of_its_name(log) else found.name
    return f"the settings of a run are those of {file} beside its curves."


def _of_job(raw: RawTable) -> RawTable:
    """The table with the settings of the job of Hydra in whose folder it lies."""
    settings, remarks = job_settings(raw.path)
    return replace(with_settings(raw, settings), notes=(*raw.notes, *remarks)) if settings or remarks else raw


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of W&B's file by their own names: `optimizer.value.lr` is `optimizer.lr`."""
    values = {name.replace(".value", "", 1): value for name, value in settings.items() if ".value" in name}
    return {name: value for name, value in values.items() if not name.startswith("_wandb")}


def _without_head(name: str) -> str:
    """The name of a setting without that of the object around all: `args.lr` is `lr`."""
    head, dot, rest = name.partition(".")
    return rest if dot and head.lower() in SETTINGS else name
