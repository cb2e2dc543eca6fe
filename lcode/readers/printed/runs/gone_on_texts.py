"""Texts of one training in several files of a folder: `train.log` and `train_resume.log`, `job-1.out` and `job-2.out`.

Their names differ in a word for going on, or in the number of a job or of a part: `lr0.1.log` and `lr0.01.log`,
`fold1.log` and `fold2.log`, `resnet18.log` and `resnet50.log` are others, wherever they begin and end. As with tables,
the one must go on where the other ends, since jobs are also numbered of which each is a run of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median

import pyarrow as pa

from lcode.readers.logged.base import Logged
from lcode.readers.printed.runs.rotated import joined
from lcode.readers.printed.runs.text_runs import counter_of
from lcode.readers.understanding.column_words import words_of
from lcode.table.metric_names import known_metric

_LATER = re.compile(
    r"[_\-. ]*(?:resum(?:ed?|ing)|restart(?:ed)?|continued?|cont)(?![a-z])(?:[_\-. ]*\d+(?!\.?\d|[a-z]))?",
    re.IGNORECASE,
)
"""What stands in the name of a file that goes on."""

_COUNTER = re.compile(
    r"(?P<before>^|(?<![a-z])(?:jobs?(?:[_-]?id)?|parts?|slurm|out|output|stdout|logs?|runs?|attempt)[_\-. ]*)"
    r"\d+(?!\.?\d|[a-z])",
    re.IGNORECASE,
)
"""The number of a job or of a part; behind other words it is that of a seed, a setting, a model."""

_FEWEST = 3
"""Counts of each file by which it is told that the one goes on where the other ends."""

_OF_RESUMING = frozenset(("resume", "resumed", "load", "checkpoint", "ckpt", "init", "start", "pretrained", "continue"))
"""Words of settings that a training is given when it goes on, and has not before."""


def with_gone_on_texts(runs: Sequence[Logged]) -> list[Logged]:
    """The runs, of which those are one that lie in one folder, are called alike and go on where another ends."""
    groups: dict[tuple[Path, str], list[Logged]] = {}
    for run in runs:
        groups.setdefault((run.file.parent, _base(run.file.name)), []).append(run)
    whole: list[Logged] = []
    for members in groups.values():
        whole += [_put_together(ordered)] if (ordered := _in_order(members)) else members
    return whole


def _base(name: str) -> str:
    """What the names of the files of one training have in common."""
    return _COUNTER.sub(r"\g<before>0", _LATER.sub("", name))


def _in_order(members: Sequence[Logged]) -> list[Logged]:
    """The files of one training in their order; none where they are of several."""
    told = {id(run): _counts(run) for run in members}
    if len(members) < 2 or len({run.file for run in members}) < len(members):
        return []
    if min(map(len, told.values())) < _FEWEST:
        return []
    if len({counter_of(run) for run in members}) > 1 or len({_metrics(run) for run in members}) > 1:
        return []
    ordered = sorted(members, key=lambda run: (told[id(run)][0], told[id(run)][-1]))
    for one, other in pairwise(ordered):
        before, after = told[id(one)], told[id(other)]
        if not (after[0] > before[0] and after[-1] > before[-1]):
            return []
        apart = median(now - last for last, now in pairwise(before))
        if not _earliest(before, other) <= after[0] <= before[-1] + apart:
            return []
        if one.status == "finished" or not _set_alike(one, other):
            return []
    return ordered


def _earliest(before: Sequence[float], other: Logged) -> float:
    """Where a file may begin that goes on: where the one before ends, or earlier if its name says what it does."""
    is_said = _LATER.search(other.file.name) is not None
    return before[0] if is_said else before[-1]


def _counts(run: Logged) -> list[float]:
    """The values of the counter in their order, each once; none where they fall."""
    axis = counter_of(run)
    if axis is None or axis not in run.columns or pa.types.is_string(run.columns[axis].type):
        return []
    counts = [float(count) for count in run.columns[axis].drop_null().to_pylist()]
    return [*dict.fromkeys(counts)] if counts == sorted(counts) else []


def _metrics(run: Logged) -> frozenset[str]:
    return frozenset(name for name in run.columns if known_metric(name) is not None)


def _set_alike(one: Logged, other: Logged) -> bool:
    """Whether no setting that both print differs, but those of resuming."""
    both = one.config.keys() & other.config.keys()
    return all(one.config[name] == other.config[name] for name in both if _OF_RESUMING.isdisjoint(words_of(name)))


def _put_together(ordered: Sequence[Logged]) -> Logged:
    """One run of the first file's name, of whose epochs that come again the later count."""
    whole = ordered[0]
    for run in ordered[1:]:
        axis = counter_of(run)
        assert axis is not None
        first = _counts(run)[0]
        kept = pa.array([count is None or count < first for count in whole.columns[axis].to_pylist()])
        ended = f"{whole.file.name}: {whole.status}, by "  # which was not its end
        notes = tuple(note for note in whole.notes if not note.startswith(ended))
        before = replace(
            whole, columns={name: cells.filter(kept) for name, cells in whole.columns.items()}, notes=notes
        )
        whole = replace(joined(before, run), file=whole.file)
    return whole
