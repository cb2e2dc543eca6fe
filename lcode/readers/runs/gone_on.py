"""Tables of one training in several files of a folder: it was resumed into its own file, or left an old copy.

Of `log.csv` and `log_resume.csv`, `metrics.csv` and `metrics_1.csv`, or two files with dates, the one goes on where the
other ends; seeds and folds are called so too, but they all begin at one epoch.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lcode.errors import InputError
from lcode.readers.raw import RawTable
from lcode.readers.stacked import one_below_another
from lcode.readers.understanding.column_words import OTHER_RUN_NAMES, RUN_NAMES, is_counter, plain_name
from lcode.readers.understanding.layout import CONFIG
from lcode.readers.understanding.run_names import stem_of
from lcode.table.reading import listed

_LATER = frozenset(("resume", "resumed", "restart", "restarted", "continue", "continued", "cont"))
_OLD = frozenset(("old", "bak", "backup", "prev", "previous"))
_PART = frozenset(
    (
        *("part", "pt", "new", "attempt", "try", "v", "copy", "kopie", "copie", "copia"),
        *("final", "last", "latest", "rest", "more", "second", "end"),
    )
)
"""Words in the name of a file that goes on, of a copy that no longer counts, and of either or one among several."""

_MARK = re.compile(rf"(?P<word>{'|'.join(sorted(_LATER | _OLD | _PART, key=len, reverse=True))})?[0-9]*", re.IGNORECASE)

_COUNTED = re.compile(r"([^\W\d_]{3,})([0-9]{1,2})")
"""A word with its number, `log2`; longer ones are of what it counts, and `r2` is one measure."""

_NAMED = 3
"""Runs of which a remark names the files."""

_MOST_AGAIN = 0.5
"""Part of a file's epochs that another has again at most, where their names do not say that one goes on."""


@dataclass(frozen=True, eq=False)
class _File:
    """A table that may be part of a training.

    Attributes:
        raw: the table.
        base: its name without what tells it from the others.
        words: of the marks above, those in its name.
        epochs: of its rows, ascending, [R].
    """

    raw: RawTable
    base: str
    words: frozenset[str]
    epochs: NDArray[np.float64]

    @property
    def stem(self) -> str:
        """The name of its file without its ending."""
        return stem_of(self.raw.path)

    @property
    def name(self) -> str:
        """The file with its folder, as remarks name it."""
        return f"{self.raw.path.parent.name}/{self.raw.path.name}"

    @property
    def first(self) -> float:
        """The epoch at which it begins."""
        return float(self.epochs[0])

    @property
    def last(self) -> float:
        """The epoch at which it ends."""
        return float(self.epochs[-1])


@dataclass(frozen=True)
class _Training:
    """A training in several files, in their order, and files of the folder that are old copies of one of them."""

    files: Sequence[_File]
    old: Sequence[_File]


def with_gone_on(raws: Sequence[RawTable]) -> tuple[list[RawTable], list[str]]:
    """The tables, those of one training as one, and without its old copies; remarks say which."""
    told = [_file(raw) for raw in raws]
    sizes = Counter(file.raw.path.parent for file in told if file is not None)
    groups: dict[tuple[Path, str, frozenset[str]], list[int]] = {}
    for at, file in enumerate(told):
        if file is not None:
            groups.setdefault((file.raw.path.parent, file.base, frozenset(file.raw.columns)), []).append(at)
    whole, found = dict(enumerate(raws)), list[_Training]()
    for (folder, *_), places in groups.items():
        files = [file for at in places if (file := told[at]) is not None]
        training = _training(files, alone=len(files) == sizes[folder] and len(sizes) > 1)
        if training is not None:
            found.append(training)
            whole = {at: raw for at, raw in whole.items() if at not in places[1:]}
            whole[places[0]] = _joined(training.files)
    return list(whole.values()), [*_remarks(found)]


def _remarks(found: Sequence[_Training]) -> Iterator[str]:
    resumed = [training.files for training in found if len(training.files) > 1]
    if resumed:
        several = "1 run is" if len(resumed) == 1 else f"{len(resumed)} runs are"
        names = listed(["+".join(file.name for file in files) for files in resumed], _NAMED)
        yield (
            f"{several} read as resumed from one file to the next ({names}); of epochs that come again the later count."
        )
    old = [file.name for training in found for file in training.old]
    if old:
        yield f"old by name, and beside a table of the same epochs, so not read: {listed(old)}; name one to read it."


def _file(raw: RawTable) -> _File | None:
    """What is known of a table; None where it cannot be part of a training, or says itself which runs it has."""
    counter = next(filter(is_counter, raw.columns), None)
    if raw.inner_runs or counter is None or not len(raw):
        return None
    if not {*RUN_NAMES, *OTHER_RUN_NAMES}.isdisjoint(map(plain_name, raw.columns)):
        return None
    try:
        epochs, given = raw.numbers(counter, remedy="it counts")
    except InputError:
        return None  # it is told where the epochs are read
    if not given.all() or not np.isfinite(epochs).all() or (np.diff(epochs) < 0).any():
        return None
    tokens = [word for word in re.split(r"([_\-. ()#~]+)", stem_of(raw.path)) if word]
    if (counted := _COUNTED.fullmatch(tokens[-1] if tokens else "")) is not None:
        tokens[-1:] = counted.groups()
    words: set[str] = set()
    for at in (-1, 0):
        while tokens and (mark := _mark(tokens[at], at)) is not None:
            words |= mark
            tokens.pop(at)
    return _File(raw, "".join(tokens), frozenset(words), epochs)


def _mark(token: str, at: int) -> set[str] | None:
    """What a part of a name marks, at its beginning that it is later or old alone; None where it is another part."""
    if not any(map(str.isalnum, token)):
        return set()
    found = _MARK.fullmatch(token)
    word = "" if found is None else (found["word"] or "").lower()
    if found is None or (at == 0 and word not in _LATER | _OLD):
        return None
    return {word} if word else set()


def _training(files: Sequence[_File], *, alone: bool) -> _Training | None:
    """The training that is in these files; None where they are of several.

    Args:
        files: those of one folder with the same columns and, but for their marks, the same name.
        alone: whether the folder holds no other, so that it is that of a run.
    """
    if len({file.raw.path for file in files}) < max(len(files), 2):
        return None
    current = [file for file in files if not file.words & _OLD]
    for members in (files, current):
        ordered = sorted(members, key=lambda file: (file.first, bool(file.words & _LATER), file.last))
        old = [file for file in files if file not in members]
        of_one = alone and len(ordered) == 1 and all(ordered[0].stem in file.stem for file in old)
        if (len(ordered) > 1 or of_one) and _go_on(ordered):
            return _Training(ordered, old)
    return None


def _go_on(ordered: Sequence[_File]) -> bool:
    """Whether each file goes on where the one before ends, and all have the same settings."""
    for one, other in pairwise(ordered):
        said = bool(other.words & _LATER)
        apart = float(np.median(np.diff(np.unique(one.epochs)))) if one.first < one.last else 1.0
        further = other.last >= one.last if said else other.last > one.last and other.first > one.first
        again = one.last - other.first > _MOST_AGAIN * (one.last - one.first)
        if not further or (not said and (again or other.first > one.last + apart)):
            return False
    return len({_settings(file.raw) for file in ordered}) == 1


def _settings(raw: RawTable) -> tuple[tuple[str, ...], ...]:
    """The cells of the columns that hold settings."""
    return tuple(
        tuple(sorted(raw.names(name)[1]))
        for name in sorted(raw.columns)
        if name.startswith(CONFIG) or plain_name(name) == "seed"
    )


def _joined(ordered: Sequence[_File]) -> RawTable:
    """The rows of the files up to where the next begins, as a table of the name that they share."""
    if len(ordered) == 1:
        return ordered[0].raw
    ends = [file.first for file in ordered[1:]]
    kept = [file.raw.where(file.epochs < end) for file, end in zip(ordered, ends, strict=False)]
    table = one_below_another([raw for raw in (*kept, ordered[-1].raw) if len(raw)])
    path, base = ordered[0].raw.path, ordered[0].base
    named = path.with_name(f"{base}{path.name.removeprefix(ordered[0].stem)}") if base else path
    return replace(table, path=named)
