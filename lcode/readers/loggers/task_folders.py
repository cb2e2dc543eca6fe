"""Folders within those of runs that hold a task each: a writer for `run/seg`, another for `run/depth`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from pathlib import Path

from lcode.table.metric_words import SPLITS

FEWEST_RUNS = 2
"""Folders that must have the same ones in them: in one alone they may be runs of any kind."""


def folders_of_tasks(names: Mapping[Path, Collection[str]]) -> dict[Path, tuple[Path, dict[str, str]]]:
    """Which of these folders hold a task of the run in a folder above, the latter, and what their curves are of it.

    That is so where several folders have the same ones in them, each of which measures something that none of the
    others does. Where all measure the same they are runs: `seed_1/adam`, `seed_1/sgd`.

    Args:
        names: what was measured, by folder; one that says on which data, `run/seg/val`, is of the task above it.
    """
    tasks = {folder: folder.parent if folder.name.lower() in SPLITS else folder for folder in names}
    within: dict[Path, dict[str, frozenset[str]]] = {}
    for folder, task in tasks.items():
        within.setdefault(task.parent, {})[task.name] = frozenset(names[folder])
    within = {parent: found for parent, found in within.items() if parent not in names}
    whole = max(map(frozenset, within.values()), key=len, default=frozenset())
    # A run that has just begun may lack a task.
    alike = sum(whole == found.keys() for found in within.values())
    if alike < FEWEST_RUNS or len(whole) < 2 or not all(whole >= found.keys() for found in within.values()):
        return {}
    measured = {name: {tag for found in within.values() for tag in found.get(name, ())} for name in whole}
    apart = all(one - other and other - one for one, other in combinations(measured.values(), 2))
    if not apart or any(name[-1:].isdigit() for name in whole):
        return {}
    return {
        folder: (
            task.parent,
            {name: _of_task(task.name, name, "" if task == folder else folder.name) for name in names[folder]},
        )
        for folder, task in tasks.items()
    }


def _of_task(task: str, name: str, data: str) -> str:
    """What a curve of a task's folder is called: `mIoU` of `seg` is `seg/mIoU`, and `val/mIoU` `val/seg/mIoU`."""
    head, _, rest = name.partition("/")
    if not data and rest and head.lower() in SPLITS:
        data, name = head, rest
    return f"{data}/{task}/{name}" if data else f"{task}/{name}"
