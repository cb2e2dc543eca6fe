"""Settings in a file of the folder in which the curves of a run lie, as timm leaves them: `args.yaml`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from lcode.readers.formats.settings_beside import SETTINGS, with_settings
from lcode.readers.loggers.hydra import job_settings
from lcode.readers.loggers.settings import yaml_settings
from lcode.readers.raw import RawTable
from lcode.readers.understanding.column_words import RUN_NAMES, plain_name

_FILES = tuple(
    f"{stem}.{ending}"
    for stem in ("args", "config", "hparams", "params", "opt", "cfg", "hyperparameters")
    for ending in ("yaml", "yml", "json")
)
"""What a program calls the file of its settings."""


def with_files_beside(raws: Sequence[RawTable]) -> list[RawTable]:
    """The tables, those that lie alone in a folder with the settings that lie there too, see `with_settings`.

    Several tables of one folder may be as many runs: a file beside them does not say whose settings it has. What Hydra
    has left is of all that a job has written.
    """
    tables = Counter(raw.path.parent for raw in raws)
    return [_with_file_beside(raw) if tables[raw.path.parent] == 1 else _of_job(raw) for raw in raws]


def _with_file_beside(raw: RawTable) -> RawTable:
    if not frozenset(RUN_NAMES).isdisjoint(map(plain_name, raw.columns)):
        return raw
    found = next((path for name in _FILES if (path := raw.path.with_name(name)).is_file()), None)
    if found is None:
        return _of_job(raw)
    if found == raw.path:
        return raw
    settings, remarks = yaml_settings(found)  # which reads JSON as well
    told = with_settings(raw, {_without_head(name): value for name, value in settings.items()})
    if told.columns.keys() != raw.columns.keys():
        remarks = (f"the settings of a run are those of {found.name} beside its curves.",)
    return replace(told, notes=(*raw.notes, *remarks))


def _of_job(raw: RawTable) -> RawTable:
    """The table with the settings of the job of Hydra in whose folder it lies."""
    settings, remarks = job_settings(raw.path)
    return replace(with_settings(raw, settings), notes=(*raw.notes, *remarks)) if settings or remarks else raw


def _without_head(name: str) -> str:
    """The name of a setting without that of the object around all: `args.lr` is `lr`."""
    head, dot, rest = name.partition(".")
    return rest if dot and head.lower() in SETTINGS else name
