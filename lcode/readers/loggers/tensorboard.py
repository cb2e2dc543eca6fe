"""TensorBoard: one run per folder, with the folders within that belong to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from lcode.errors import InputError
from lcode.readers.logged.base import Logged, says_epochs
from lcode.readers.logged.settings import yaml_settings
from lcode.readers.logged.several import sound_runs
from lcode.readers.loggers.lightning import SETTINGS, planned_epoch
from lcode.readers.loggers.points import Points, rows_of
from lcode.readers.loggers.points_in_order import counted, without_steps
from lcode.readers.loggers.task_folders import folders_of_tasks
from lcode.readers.loggers.tensorboard_events import TOOL, EventFile, read_events
from lcode.readers.loggers.units import Units, units_of
from lcode.table.metric_words import SPLITS
from lcode.table.reading import listed

FEWEST_COUNTS = 3
"""Steps at which a training must have logged before another file is taken to begin anew."""

_OF_EPOCH = re.compile(r"(^|/)epoch_\w+$")
_OF_BATCH = re.compile(r"(^|/)(evaluation_\w+_vs_iterations|batch_\w+)$")
"""Keras' curves by epoch, and those by batch beside them: their steps are those of another counter."""


@dataclass(eq=False)
class _Run:
    """What is known of a run's folder, before the folders within are added to it."""

    folder: Path
    files: list[EventFile] = field(default_factory=list)
    damaged: list[InputError | OSError] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(name for file in self.files for name in file.points.names))


class TensorBoardReader:
    """Reads event files: scalars of either version of TensorFlow, of torch, and of what builds on them."""

    tool: ClassVar[str] = TOOL

    def sniff(self, path: Path) -> bool:
        """Whether it is named as event files are; those of the profiler hold no scalars."""
        return "tfevents" in path.name and path.suffix != ".profile-empty" and path.is_file()

    def owns(self, path: Path) -> Path:
        """The folder of the file: the writer takes one per run."""
        return path.parent

    def read(self, paths: Sequence[Path]) -> Iterable[Logged]:
        """The runs of these event files.

        Files of one folder are one run, which was restarted. Folders that `add_scalars`, `add_hparams` and Keras make
        within it belong to it: a curve `tag` of the folder `tag_sub` is named `tag_sub`, one of the folder
        `validation` is named `validation/tag`.

        Raises:
            InputError: no file holds a scalar.
            MissingExtraError: TensorBoard is not installed.
        """
        runs: dict[Path, _Run] = {}
        for path in paths:
            run = runs.setdefault(path.parent, _Run(path.parent))
            try:
                run.files.append(read_events(path))
            except (InputError, OSError) as error:
                run.damaged.append(error)
        joined = _joined(runs)
        points = [[file.points for file in _curves(run)] for run in joined]
        unnumbered = without_steps(points)
        numbered = [[counted(part, unnumbered) for part in parts] for parts in points]
        units = units_of([_of_one_counter(parts) for parts in numbered])
        return sound_runs(joined, lambda run: _logged(run, units, unnumbered))


def _joined(runs: dict[Path, _Run]) -> list[_Run]:
    """The runs, each with what the folders within add to it; the innermost folders come first."""
    for run in runs.values():
        run.files.sort(key=lambda file: (file.begun, file.path.name))
    # Keras, TensorFlow's estimators and many scripts write what a run measures on one part of the data into a folder of
    # its own, under the same names in each.
    splits: dict[Path, int] = {}
    for folder in runs:
        if folder.name.lower() in SPLITS:
            splits[folder.parent] = splits.get(folder.parent, 0) + 1
    for folder in sorted(runs, key=lambda folder: len(folder.parts), reverse=True):
        outer = next((runs[parent] for parent in folder.parents if parent in runs), None)
        run, names = runs[folder], runs[folder].names
        if (
            folder.parent in splits
            and folder.name.lower() in SPLITS
            and (splits[folder.parent] > 1 or folder.parent in runs)
        ):
            home = runs.setdefault(folder.parent, _Run(folder.parent))
            renamed = [_renamed(file, {name: f"{folder.name}/{name}" for name in names}) for file in run.files]
        elif outer is None:
            continue
        elif run.files and all(file.is_summary for file in run.files):
            home, renamed = outer, run.files
        elif len(names) == 1 and (sub := _sub(outer.folder, folder, names[0])):
            home, renamed = outer, [_renamed(file, {names[0]: f"{names[0]}_{sub}"}) for file in run.files]
        else:
            continue
        home.files += renamed
        home.damaged += run.damaged
        del runs[folder]
    tasks = folders_of_tasks({folder: run.names for folder, run in runs.items()})
    for folder, (parent, curves) in tasks.items():
        run, home = runs.pop(folder), runs.setdefault(parent, _Run(parent))
        home.files += [_renamed(file, curves) for file in run.files]
        home.damaged += run.damaged
    return list(runs.values())


def _sub(outer: Path, folder: Path, name: str) -> str:
    """What `add_scalars(name, {sub: …})` called the curve that lies in this folder; empty: another wrote it."""
    head, beside = name.replace("/", "_") + "_", folder.relative_to(outer).as_posix()
    return beside.removeprefix(head) if beside.startswith(head) else ""


def _renamed(file: EventFile, names: dict[str, str]) -> EventFile:
    points = replace(file.points, names=[names[name] for name in file.points.names])
    return replace(file, points=points)


def _curves(run: _Run) -> list[EventFile]:
    """The files of a run with its curves, or with final values where it has no curve."""
    curves = [file for file in run.files if len(file.points.codes) and not file.is_summary]
    return curves or [file for file in run.files if len(file.points.codes)]


def _logged(run: _Run, units: Units, unnumbered: Collection[str]) -> list[Logged]:
    """The runs of a folder.

    Args:
        run: its files.
        units: what the curves of all runs count.
        unnumbered: names of curves that were logged without a step.

    Raises:
        InputError: it holds no scalar.
    """
    curves = [replace(file, points=counted(file.points, unnumbered)) for file in _curves(run)]
    if not curves:
        if run.damaged and not run.files:
            raise run.damaged[0]
        raise InputError(
            f"an event file of {TOOL} without a scalar (texts, pictures and histograms are not read); log numbers with "
            "add_scalar or tf.summary.scalar, or move it away",
            path=run.files[0].path,
        )
    config: dict[str, Any] = {}
    told: list[str] = []
    for name in SETTINGS:  # Lightning's logger writes them into the folder of the events
        settings, remarks = yaml_settings(run.folder / name)
        config |= settings
        told += remarks
    arguments = dict(config)
    for file in run.files:
        config |= file.config
    most = max(curves, key=lambda file: len(file.points.codes)).path
    inner = most.relative_to(run.folder).parts
    left_out = [f"left out: {error}" for error in run.damaged]
    names = listed([name for name in run.names if name in unnumbered], 3)
    if names:
        told.append(
            f"logged without a step, so counted in the order of logging: {names} (add_scalar takes the step as "
            "its third argument)."
        )
    trainings = _trainings(curves)
    if len(trainings) > 1:
        told.append(
            f"{run.folder.name}: its files begin anew {len(trainings) - 1} times, so it holds {len(trainings)} runs."
        )
    logged = []
    for training in trainings:
        points, counter, remarks = units.in_epochs(_of_one_counter([file.points for file in training]))
        if not points:
            raise InputError("; ".join(remarks), path=most)
        columns = rows_of(points, most, TOOL)
        horizon = planned_epoch(arguments, config, columns) if "epoch" in columns and counter is None else None
        if counter is not None:
            columns[counter] = columns["step"]
        logged.append(
            Logged(
                # Of a run in folders, the folder names it, not that of the part of the data.
                file=most if len(inner) == 1 else run.folder / inner[0],
                columns=columns,
                axis=None if says_epochs(columns) else "step",
                horizon=horizon,
                # The plugin's status is no help: it says finished as soon as the hyper-parameters are written.
                config=config,
                notes=(*told, *remarks, *(note for file in run.files for note in file.notes), *left_out),
            )
        )
    return logged


def _trainings(files: Sequence[EventFile]) -> list[list[EventFile]]:
    """The files of each training, in order of time: one that is started again, not resumed, begins where others did."""
    trainings: list[list[EventFile]] = []
    firsts: dict[str, int] = {}
    counts: dict[str, set[int]] = {}
    for file in files:
        own = {name: file.points.steps[file.points.codes == code] for code, name in enumerate(file.points.names)}
        anew = any(
            name in firsts and steps[0] <= firsts[name] and len(counts[name]) >= FEWEST_COUNTS
            for name, steps in own.items()
        )
        if anew or not trainings:
            trainings.append([])
            firsts, counts = {}, {}
        trainings[-1].append(file)
        for name, steps in own.items():
            firsts.setdefault(name, int(steps[0]))
            counts.setdefault(name, set()).update(steps[:FEWEST_COUNTS].tolist())
    return trainings


def _of_one_counter(parts: Sequence[Points]) -> list[Points]:
    """What was logged by epoch, where Keras has logged by batch beside it; else everything."""
    if not any(_OF_EPOCH.search(name) for part in parts for name in part.names):
        return list(parts)
    kept = [np.array([_OF_BATCH.search(name) is None for name in part.names], dtype=bool) for part in parts]
    return [part.where(names[part.codes]) for part, names in zip(parts, kept, strict=True)]
