"""What Hydra leaves beside a run: `.hydra/config.yaml`, in the folder of the job or in one above the logs.

A logger may write into folders of its own within the job's, as Lightning does: `csv/version_0/metrics.csv`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lcode.readers.logged.base import Logged
from lcode.readers.logged.settings import is_setting, yaml_settings

_FOLDER, _CONFIG, _OVERRIDES = ".hydra", "config.yaml", "overrides.yaml"

_HEIGHT = 4
"""Folders above that of a log in which the job's is looked for: `tensorboard/name/version_0/events…`."""

_REFERENCE = "${"
"""Marks a value that stands elsewhere."""


def with_job_settings(runs: Sequence[Logged]) -> list[Logged]:
    """The runs, each with the settings of the job of Hydra in whose folder it lies; what its own logger says counts."""
    found = {folder: job_settings(folder / "log") for folder in {run.file.parent for run in runs}}
    return [_with_settings(run, *found[run.file.parent]) for run in runs]


def job_settings(file: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The settings of the job in whose folder a file lies, flat, and a remark; nothing where there is no such job."""
    for folder in (*file.parents,)[: _HEIGHT + 1]:
        beside = folder / _FOLDER
        if beside.is_dir():
            return _read(beside)
    return {}, ()


def _read(folder: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    found, remarks = yaml_settings(folder / _CONFIG)
    used = _CONFIG
    if not found and not remarks:  # the whole is there but where somebody has copied a part
        found, used = _overrides(folder / _OVERRIDES), _OVERRIDES
    settings = {name: value for name, value in found.items() if is_setting(name, value) and not _refers(value)}
    if settings:
        remarks = (*remarks, f"the settings of a run are those that Hydra left in {_FOLDER}/{used}.")
    return settings, remarks


def _overrides(path: Path) -> dict[str, Any]:
    """What was given on the command line: a list of `name=value`; empty where it cannot be read."""
    import yaml

    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))
        pairs = [str(entry).lstrip("+~").split("=", 1) for entry in listed if "=" in str(entry)]
        return {name: yaml.safe_load(value) for name, value in pairs}
    except (OSError, ValueError, TypeError, RecursionError, yaml.YAMLError):
        return {}


def _refers(value: Any) -> bool:
    return isinstance(value, str) and _REFERENCE in value


def _with_settings(run: Logged, settings: dict[str, Any], remarks: tuple[str, ...]) -> Logged:
    own = {name: value for name, value in settings.items() if name not in run.columns}
    return replace(run, config={**own, **run.config}, notes=(*run.notes, *remarks)) if own or remarks else run
