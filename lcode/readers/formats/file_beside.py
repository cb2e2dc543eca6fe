"""Settings in a file of the folder in which the curves of a run lie, as timm leaves them: `args.yaml`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lcode.readers.formats.settings_beside import SETTINGS, with_settings
from lcode.readers.loggers.hydra import job_settings
from lcode.readers.loggers.settings import yaml_settings
from lcode.readers.raw import RawTable
from lcode.readers.understanding.column_words import RUN_NAMES, plain_name

_ENDINGS = ("yaml", "yml", "json")

_FILES = tuple(
    f"{stem}.{ending}"
    for stem in ("args", "config", "hparams", "params", "opt", "cfg", "hyperparameters", "hyperparams", "settings")
    for ending in _ENDINGS
)
"""What a program calls the file of its settings."""

_OF_WANDB = "wandb_version"
"""Stands in W&B's `config.yaml`, which has `lr: {desc: null, value: 0.1}` for `lr: 0.1`."""


def with_files_beside(raws: Sequence[RawTable]) -> list[RawTable]:
    """The tables, those that lie alone in a folder with the settings that lie there too, see `with_settings`.

    Several tables of one folder may be as many runs: a file beside them does not say whose settings it has, unless it
    is called as one of them (`a17.csv`, `a17.json`). What Hydra has left is of all that a job has written.
    """
    tables = Counter(raw.path.parent for raw in raws)
    return [_with_file_beside(raw, alone=tables[raw.path.parent] == 1) for raw in raws]


def _with_file_beside(raw: RawTable, *, alone: bool) -> RawTable:
    if not frozenset(RUN_NAMES).isdisjoint(map(plain_name, raw.columns)):
        return raw if alone else _of_job(raw)
    stem = raw.path.stem.removesuffix(".csv")  # of `a17.csv.gz`
    own = [f"{stem}.{ending}" for ending in _ENDINGS]
    names = [*own, *_FILES] if alone else own
    found = next((path for name in names if (path := raw.path.with_name(name)) != raw.path and path.is_file()), None)
    if found is None:
        return _of_job(raw)
    settings, remarks = yaml_settings(found)  # which reads JSON as well
    settings = _plain(settings) if _OF_WANDB in settings else settings
    told = with_settings(raw, {_without_head(name): value for name, value in settings.items()})
    if told.columns.keys() != raw.columns.keys():
        file = f"the .{found.suffix[1:]} file of its name" if found.name in own else found.name
        remarks = (f"the settings of a run are those of {file} beside its curves.",)
    return replace(told, notes=(*raw.notes, *remarks))


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
