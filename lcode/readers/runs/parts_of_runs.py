"""What each file holds of a run, where a run has several: one per task, or per part of the data.

The runs may be folders (`cagrad/train.csv`), or parts of the names of files (`cagrad_train.csv`, `seg_cagrad.csv`).
Words such as `train` say which part is which; a part that is a task is the one on which it depends what is measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from lcode.readers.raw import RawTable
from lcode.readers.runs.curve_files import curves_of
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.run_names import stem_of
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS
from lcode.table.reading import listed

_BETWEEN = r"[_\-. ]+"
"""What stands between the parts of a file's name."""

_REPEATED = re.compile(r"(?:(?:seed|fold|split|rep|repeat|s|f)[_\-. ]*)?[0-9]+", re.IGNORECASE)
"""What repetitions of a run are called."""

_FEWEST = 2
"""So many parts of the data, or tasks, and runs there are at least, where names of files say which."""


@dataclass(frozen=True)
class Parts:
    """The files of each run.

    Attributes:
        runs: path whose last part tells the runs apart -> file -> what stands before the names of its curves.
        notes: how that was read off, where it is not plain from the folders.
    """

    runs: Mapping[Path, Mapping[Path, str]]
    notes: tuple[str, ...] = ()


def parts_of_runs(raws: Mapping[Path, RawTable]) -> Parts | None:
    """What each file holds of a run, where there are several of a run; None where each file is a run."""
    folders: dict[Path, dict[Path, str]] = {}
    for file in raws:
        folders.setdefault(file.parent, {})[file] = stem_of(file)
    found = _by_folder(folders)
    return _by_names(folders, raws) if found is None else Parts(found)


def parts_of_curves(runs: Mapping[Path, Sequence[Path]], raws: Mapping[Path, RawTable]) -> Parts:
    """The same of files that hold one curve each, where a run may have some for each part of the data.

    Args:
        runs: the files by path, whose last part tells the runs, or the parts of the data of each, apart.
        raws: the table of each file.
    """
    whole = {run.parent / f"{run.name}.csv": run for run in runs}
    parts = parts_of_runs({file: raws[runs[run][0]] for file, run in whole.items()})
    said = set() if parts is None else {word.lower() for files in parts.runs.values() for word in files.values()}
    if parts is None or not said <= {*SPLITS, ""}:
        return Parts({run: dict.fromkeys(files, "") for run, files in runs.items()})
    joined = {
        run: {file: word for one, word in files.items() for file in runs[whole[one]]}
        for run, files in parts.runs.items()
    }
    return Parts(joined, parts.notes)


def _by_folder(folders: Mapping[Path, Mapping[Path, str]]) -> Mapping[Path, Mapping[Path, str]] | None:
    """The folders, where each is a run with a file per task, or per part of the data.

    That is so where several have the same files (`a/seg.csv`, `a/depth.csv`, `b/seg.csv`, `b/depth.csv`), or one has
    `train.csv` and `val.csv`, or `training_losses.csv` and `validation_metrics.csv`; files with a number at the end are
    runs, seeds or folds.
    """
    folders = {folder: _parts_of_data(stems) or stems for folder, stems in folders.items()}
    sets = {frozenset(stems.values()) for stems in folders.values()}
    if len(sets) != 1:
        return None
    (stems,) = sets
    of_tasks = len(stems) > 1 and not any(stem[-1:].isdigit() for stem in stems)
    several = len(folders) > 1 or all(stem.lower() in SPLITS for stem in stems)
    return folders if of_tasks and several else None


def _parts_of_data(stems: Mapping[Path, str]) -> dict[Path, str] | None:
    """The part of the data that each file is of; None where one does not say it, or two are of the same."""
    parts = {file: split_name(stem)[0] for file, stem in stems.items()}
    several = len(set(parts.values())) == len(parts) > 1 and "train" in parts.values()
    return parts if several and all(parts.values()) else None


def _by_names(folders: Mapping[Path, Mapping[Path, str]], raws: Mapping[Path, RawTable]) -> Parts | None:
    """The runs of each folder, where the names of its files say of which run they are, and what of it they hold."""
    if any(len(set(stems.values())) < len(stems) for stems in folders.values()):
        return None
    runs: dict[Path, dict[Path, str]] = {}
    splits: set[str] = set()
    tasks: set[str] = set()
    for folder, stems in folders.items():
        of_data = _data_in_names(stems)
        curves: dict[str, set[str]] = {}
        for file, (_, rest) in of_data.items():
            curves.setdefault(rest, set()).update(curves_of(raws[file]))
        of_tasks = _tasks_in_names({rest: frozenset(names) for rest, names in curves.items()})
        for file, (split, rest) in of_data.items():
            task, run = of_tasks.get(rest, ("", rest))
            splits.add(split)
            tasks.add(task)
            own = bool(task) and all(re.match(rf"{re.escape(task)}[_/.]", name) for name in curves_of(raws[file]))
            before = "/".join(word for word in (split, "" if own else task) if word)
            runs.setdefault(folder / run, {})[file] = before
    if all(len(files) == 1 for files in runs.values()):
        return None
    many = f"so the files are read as {len(runs)} run{'s' if len(runs) > 1 else ''}."
    notes = []
    if splits != {""}:
        notes.append(f"the names of the files say on which data they tell of a run ({_words(splits)}), {many}")
    if tasks != {""}:
        notes.append(
            f"what is measured goes by a part of the files' names that is read as a task ({_words(tasks)}), {many}"
        )
    return Parts(runs, tuple(notes))


def _words(words: Iterable[str]) -> str:
    return listed(sorted(filter(None, words)))


def _data_in_names(stems: Mapping[Path, str]) -> dict[Path, tuple[str, str]]:
    """On which data each file of a folder was measured, and of which run it is; empty, and its name, where it is a run.

    A name alone does not say it: others are those of other parts of the same run.
    """
    told = {file: split_name(stem) for file, stem in stems.items()}
    whole = {file: ("", stem) for file, stem in stems.items()}
    of_runs: dict[str, list[str]] = {}
    for split, rest in told.values():
        if split:
            of_runs.setdefault(rest, []).append(split)
    several = [rest for rest, found in of_runs.items() if len(found) >= _FEWEST]
    if len(several) < min(_FEWEST, len(of_runs)) or not several or set(stems.values()) & of_runs.keys():
        return whole
    if any(len(set(found)) < len(found) for found in of_runs.values()) or all(map(known_metric, several)):
        return whole
    return {file: found if found[0] else whole[file] for file, found in told.items()}


def _tasks_in_names(curves: Mapping[str, frozenset[str]]) -> dict[str, tuple[str, str]]:
    """The task and the run of each name, where each run has each task, and the task alone says what is measured.

    Args:
        curves: what each file measures, by its name.

    Returns:
        Empty where the names are those of runs, or nothing tells it: each of two sets of curves must have a metric that
        the other lacks, for a way to train may log more than others do.
    """
    groups: dict[frozenset[str], list[str]] = {}
    for name, measured in curves.items():
        groups.setdefault(measured, []).append(name)
    metrics = [{curve for curve in measured if known_metric(split_name(curve)[1])} for measured in groups]
    if len(groups) < _FEWEST or any(one <= other for one, other in permutations(metrics, 2)):
        return {}
    everywhere = set.intersection(*(set(_cut(name)) for name in curves))
    told: dict[str, tuple[str, str]] = {}
    unclear: list[str] = []
    for names in groups.values():
        shared = set.intersection(*(set(_cut(name)) for name in names)) - everywhere
        task = [word for word in _cut(names[0]) if word in shared]
        if len(names) >= _FEWEST and task and all(_without(name, task) for name in names):
            told |= {name: ("_".join(task), _without(name, task)) for name in names}
        else:
            unclear += names
    runs = sorted({run for _, run in told.values()}, key=len, reverse=True)
    for name in unclear:  # as where two tasks have the same metrics
        run = next((run for run in runs if _without(name, _cut(run))), None)
        if run is None:
            return {}
        told[name] = _without(name, _cut(run)), run
    tasks = {task for task, _ in told.values()}
    complete = len(set(told.values())) == len(told) == len(tasks) * len(runs)
    # `gan_seed0` and `vae_seed0` are ways to train, which may as well measure other things each.
    numbered = any(task[-1:].isdigit() for task in tasks) or all(map(_REPEATED.fullmatch, runs))
    return told if complete and len(runs) >= _FEWEST and not numbered else {}


def _cut(name: str) -> list[str]:
    return [word for word in re.split(_BETWEEN, name) if word]


def _without(name: str, words: Iterable[str]) -> str:
    """The name without these words, which follow each other in it; empty where they do not, or nothing is left."""
    inner = _BETWEEN.join(map(re.escape, words))
    found = re.fullmatch(rf"(?:(?P<head>.*?){_BETWEEN})?{inner}(?P<tail>{_BETWEEN}.*)?", name)
    if found is None:
        return ""
    head, tail = found["head"] or "", found["tail"] or ""
    return f"{head}{tail}" if head else re.sub(rf"^{_BETWEEN}", "", tail)
