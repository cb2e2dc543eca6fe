"""Names of runs that no column names: those of their files or folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_words import SPLITS


def names_of(files: Sequence[Path], root: Path) -> list[str]:
    """A name for the run of each file, distinct.

    What tells the files apart is kept: of `runs/a/version_0/metrics.csv` and `runs/b/version_0/metrics.csv` it is `a`
    and `b`. A single file in a folder that was named is called after the folder, one that was named itself by its stem.

    Args:
        files: one or more.
        root: the file or folder that the user named.
    """
    if root.is_file() or not root.is_dir():
        return _numbered([_stem(file) for file in files])
    parts = [[*file.relative_to(root).parts[:-1], _stem(file)] for file in files]
    if len(files) == 1:
        inner = parts[0][:-1]
        return [inner[-1] if inner else root.resolve().name or _stem(files[0])]
    # Parts that all files have at one place say nothing.
    while len({tuple(part[:1]) for part in parts}) == 1 and all(len(part) > 1 for part in parts):
        parts = [part[1:] for part in parts]
    while len({part[-1] for part in parts}) == 1 and all(len(part) > 1 for part in parts):
        parts = [part[:-1] for part in parts]
    return _numbered(["/".join(part) for part in parts])


def names_of_tool(stated: Sequence[str], by_path: Sequence[str]) -> list[str]:
    """The names that a tool gave to its runs, distinct.

    Where two runs have one name, that of the file stands beside it; where there is none, the file's is taken.

    Args:
        stated: name of each run; empty: there is none.
        by_path: name of each run by its file.
    """
    names = [name or path for name, path in zip(stated, by_path, strict=True)]
    often = {name for name, times in Counter(names).items() if times > 1}
    return _numbered([f"{name} ({path})" if name in often else name for name, path in zip(names, by_path, strict=True)])


def _numbered(names: Sequence[str]) -> list[str]:
    """The names, those that came before with a number behind them that makes them another: `a`, `a#2`."""
    numbers = {name: count(2) for name in names}
    seen: set[str] = set()
    distinct = []
    for name in names:
        again = (f"{name}#{number}" for number in numbers[name])
        distinct.append(next(own for own in again if own not in numbers) if name in seen else name)
        seen.add(name)
    return distinct


def names_of_runs(files: Sequence[Path], root: Path) -> list[str]:
    """Names for runs that lie in a folder each: of the folders; of the files where several lie in one folder.

    A folder that only says on which data was measured, as Keras has it (`run/train`), is not part of the name. Runs in
    one and the same file are numbered.
    """
    own = list(dict.fromkeys(files))
    if len(own) < len(files):
        by_file = dict(zip(own, names_of_runs(own, root), strict=True))
        return _numbered([by_file[file] for file in files])
    folders = [file.parent for file in files]
    if root.is_file() or len(set(folders)) < len(folders):
        return names_of(files, root)
    inner = [folder.parent for folder in folders if folder.name.lower() in SPLITS and folder != root]
    if len(set(inner)) == len(folders):
        folders = inner
    names = names_of([folder / "run" for folder in folders if folder != root] or [root / "run"], root)
    if root not in folders or len(folders) == 1:
        return names
    names.insert(folders.index(root), root.resolve().name)
    return _numbered(names)


def parts_of_runs(files: Sequence[Path]) -> dict[Path, dict[Path, str]] | None:
    """What each file holds of a run, where each folder is a run with a file per task, or per part of the data.

    That is so where several folders have the same files (`a/seg.csv`, `a/depth.csv`, `b/seg.csv`, `b/depth.csv`), or
    one has `train.csv` and `val.csv`, or `training_losses.csv` and `validation_metrics.csv`; files with a number at the
    end are runs, seeds or folds.

    Returns:
        Folder -> file -> its stem, or the part of the data that it says, in the order of the files; None where each
        file is a run.
    """
    folders: dict[Path, dict[Path, str]] = {}
    for file in files:
        folders.setdefault(file.parent, {})[file] = _stem(file)
    folders = {folder: _parts_of_data(stems) or stems for folder, stems in folders.items()}
    sets = {frozenset(stems.values()) for stems in folders.values()}
    if len(sets) != 1:
        return None
    (stems,) = sets
    of_tasks = len(stems) > 1 and not any(stem[-1:].isdigit() for stem in stems)
    if of_tasks and (len(folders) > 1 or all(stem.lower() in SPLITS for stem in stems)):
        return folders
    return None


def _parts_of_data(stems: Mapping[Path, str]) -> dict[Path, str] | None:
    """The part of the data that each file is of; None where one does not say it, or two are of the same."""
    parts = {file: split_name(stem)[0] for file, stem in stems.items()}
    several = len(set(parts.values())) == len(parts) > 1 and "train" in parts.values()
    return parts if several and all(parts.values()) else None


def _stem(file: Path) -> str:
    """The file's name without its endings: `a.csv.gz` is `a`."""
    name = file.name
    for ending in (".gz", ".zip", ".bz2", ".xz"):
        name = name.removesuffix(ending)
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name
