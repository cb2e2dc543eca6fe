"""Names of runs that no column names: those of their files or folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import count
from pathlib import Path

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
        return _numbered([stem_of(file) for file in files])
    parts = [[*file.relative_to(root).parts[:-1], stem_of(file)] for file in files]
    if len(files) == 1:
        inner = parts[0][:-1]
        return [inner[-1] if inner else root.resolve().name or stem_of(files[0])]
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


def stem_of(file: Path) -> str:
    """The file's name without its endings: `a.csv.gz` is `a`."""
    name = file.name
    for ending in (".gz", ".zip", ".bz2", ".xz"):
        name = name.removesuffix(ending)
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name
