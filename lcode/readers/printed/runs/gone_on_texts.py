"""Texts of one training in several files of a folder: `train.log` and `train_resume.log`, `job-1.out` and `job-2.out`.

As with tables, the one must go on where the other ends: seeds and folds are called so too, but all begin at one epoch.
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

_LATER = re.compile(r"[_\-. ]*(?:resumed?|restart(?:ed)?|continued?|cont)(?![a-z])", re.IGNORECASE)
"""What stands in the name of a file that goes on."""

_COUNTED = re.compile(r"\d+")

_MOST_AGAIN = 0.5
"""Part of a file's epochs that another has again at most, where its name does not say that it goes on."""

_OF_RESUMING = frozenset(("resume", "resumed", "load", "checkpoint", "ckpt", "init", "start", "pretrained", "continue"))
"""Words of settings that a training is given when it goes on, and has not before."""


def with_gone_on_texts(runs: Sequence[Logged]) -> list[Logged]:
    """The runs, of which those are one that lie in one folder, are called alike and go on where another ends."""
    groups: dict[tuple[Path, str], list[Logged]] = {}
    for run in runs:
        groups.setdefault((run.file.parent, _COUNTED.sub("0", _LATER.sub("", run.file.name))), []).append(run)
    whole: list[Logged] = []
    for (_, base), members in groups.items():
        whole += [_put_together(ordered)] if (ordered := _in_order(members, base)) else members
    return whole


def _in_order(members: Sequence[Logged], base: str) -> list[Logged]:
    """The files of one training in their order; none where they are of several."""
    told = {id(run): _counts(run) for run in members}
    if len(members) < 2 or len({run.file for run in members}) < len(members) or not all(told.values()):
        return []
    if len({counter_of(run) for run in members}) > 1 or len({_metrics(run) for run in members}) > 1:
        return []
    ordered = sorted(members, key=lambda run: (told[id(run)][0], told[id(run)][-1]))
    for one, other in pairwise(ordered):
        before, after = told[id(one)], told[id(other)]
        later = _COUNTED.sub("0", other.file.name) != base
        apart = median(now - last for last, now in pairwise(before)) if len(before) > 1 else 1.0
        again = before[-1] - after[0] > _MOST_AGAIN * (before[-1] - before[0])
        if not (after[0] > before[0] and after[-1] > before[-1] and after[0] <= before[-1] + apart):
            return []
        if (again and not later) or one.status == "finished" or not _set_alike(one, other):
            return []
    return ordered


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
