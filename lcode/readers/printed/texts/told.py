"""What a program has told, as rows in the order in which it was printed, and what of it sums up or says nothing.

A line alone does not say what it is: what is told in the batches of an epoch is of the training where other lines tell
of the whole epoch.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import chain, pairwise
from math import isfinite
from statistics import mean
from typing import Any

from lcode.readers.printed.lines.form_parts import DATA
from lcode.readers.printed.lines.printed_line import BATCH, EPOCH, IN_BATCH, RUN, STEP
from lcode.readers.printed.runs.text_runs import starts_of
from lcode.readers.printed.texts.counted_by import counter_of_rows, planned_epochs, planned_steps
from lcode.readers.printed.texts.few_epochs import steps_through
from lcode.readers.printed.texts.told_once import at_several_counts, closing_in
from lcode.readers.printed.texts.whole_epochs import goes_on_beside_held_out, of_evaluation, told_twice, within_epochs
from lcode.readers.understanding.column_words import why_left_out, words_of
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.learners import of_learner
from lcode.readers.understanding.planned import is_endless
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS
from lcode.table.reading import listed

_EVALUATED = re.compile(
    r"(?<![A-Za-z])(?:(?:hr|hit|hits|recall|precision|map|mrr)@\d|ndcg|mrr|bleu|rouge)(?![A-Za-z]{2})", re.IGNORECASE
)
"""Metrics of rankings and of texts: a loss beside them is of the training, they are not."""

_SOME = 5
"""Values at either end of a curve by which it is told whether it falls."""


@dataclass
class Told:
    """What a program has told.

    Attributes:
        rows: counters and values in the order in which they were printed; a row per value of the counters.
        lines: 1-based line at which each row begins.
        totals: the last value that each counter is said to reach where a row is told, by counter, of each row.
        nameless: names that say no metric as they are read, by the way that the first of them went, and what they were.
        once: names that are told at one count alone, and so are no curves by themselves: left out of the rows.
        remarks: what to tell the user of how names were understood.
        is_evaluated_first: whether epoch 0 is the state before the training, see `OneCount`.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    totals: list[Mapping[str, float]] = field(default_factory=list)
    nameless: Mapping[str, str] = field(default_factory=dict)
    once: frozenset[str] = frozenset()
    remarks: tuple[str, ...] = ()
    is_evaluated_first: bool = False

    @property
    def axis(self) -> str:
        """The counter of the rows: epochs where there are several, else steps."""
        return counter_of_rows(self.rows, self.once)

    @cached_property
    def is_training(self) -> bool:
        """Whether a known metric is told at several values of the counters."""
        return any(known_metric(name) is not None for name in at_several_counts(self.rows) - {EPOCH, STEP, BATCH})


def in_order(told: Told, curves: Collection[str] = ()) -> Told:
    """The rows with the passes that they belong to and the data that was measured, without what only sums up.

    Args:
        told: the rows as they were printed.
        curves: names that other texts tell at several counts, so that here they do not sum up either.
    """
    told = _with_steps(_with_one_count(_with_passes(_without_endless_epochs(told))))
    return _without_summaries(_with_splits(told, curves), curves)


def _without_endless_epochs(told: Told) -> Told:
    """The rows without epochs that are planned to go on for ever, `Epoch 3/999999`, where steps are counted as well."""
    if not any(is_endless(total[EPOCH]) for total in told.totals if EPOCH in total):
        return told
    totals: list[Mapping[str, float]] = [
        {name: total for name, total in one.items() if name != EPOCH} for one in told.totals
    ]
    rows = told.rows
    if all(STEP in row for row in rows if any(known_metric(name) is not None for name in row)):
        rows = [{name: value for name, value in row.items() if name != EPOCH} for row in rows]
    return replace(told, rows=rows, totals=totals)


def _with_steps(told: Told) -> Told:
    """The rows with steps that count through its epochs, where these are few and nothing is told of a whole one.

    Where the program itself counts steps through all epochs, and says how many epochs are planned, so are its steps;
    and epochs where it says how many steps are.
    """
    rows, totals = steps_through(told.rows, told.totals)
    if rows:
        return replace(told, rows=rows, totals=[*totals])
    axis, plan = (STEP, planned_steps) if told.axis == STEP else (EPOCH, planned_epochs)
    planned = plan(told.rows, told.totals)
    return told if planned is None else replace(told, totals=[{**total, axis: planned} for total in told.totals])


def _with_one_count(told: Told) -> Told:
    """The rows with one way to count epochs, where held-out data are measured in `epoch 0` below lines of `epoch 1`."""
    behind, last = set[float](), None
    for row in told.rows:
        at = row.get(EPOCH)
        if at is None:
            return told
        if any(split_name(name)[0] in ("val", "test") for name in row):
            behind.add(-1.0 if last is None else last - at)
        elif BATCH in row or STEP in row:
            last = at
        else:
            return told
    if behind != {1.0}:
        return told
    rows = [
        row if any(split_name(name)[0] in ("val", "test") for name in row) else {**row, EPOCH: row[EPOCH] - 1}
        for row in told.rows
    ]
    return replace(told, rows=rows)


def _with_passes(told: Told) -> Told:
    """The rows with the number of the pass over the data, where only its batches are counted, anew in each.

    Batches of one epoch alone are steps, up to the last of them where nothing says how many epochs are planned.
    """
    epochs, batches = ({row.get(name) for row in told.rows} for name in (EPOCH, BATCH))
    if len(epochs) == 1 < len(batches) and None not in epochs and not any(STEP in row for row in told.rows):
        return _with_batches_as_steps(told)
    if not told.rows or any(EPOCH in row or STEP in row for row in told.rows):
        return told
    rows, number, last, seen = [], 1, -1.0, set[str]()
    for row in told.rows:
        at, names = row.get(BATCH, last), row.keys() - {BATCH}
        if at < last and not seen.isdisjoint(names):  # or it is of other data in the same pass
            number, seen = number + 1, set()
        last, seen = at, seen | names
        rows.append({EPOCH: float(number), **row})
    return _with_batches_as_steps(told) if number == 1 else replace(told, rows=rows)


def _with_batches_as_steps(told: Told) -> Told:
    """The rows with their batches, of one pass over the data, as steps."""
    totals = [
        {**total, STEP: total[BATCH]} if BATCH in total and EPOCH not in total else total for total in told.totals
    ]
    return replace(told, rows=[{STEP: row.get(BATCH, 0.0), **row} for row in told.rows], totals=totals)


def _with_splits(told: Told, curves: Collection[str]) -> Told:
    """The rows with names that say on which data was measured, where that is to be told from other lines.

    What is told within an epoch is of the training where other lines are of held-out data, more than once: a test at
    the end says nothing of the epochs before. `train 0.31 val 0.35` names no metric: it is a loss where it falls, else
    a score.
    """
    names = set(chain.from_iterable(told.rows))
    of_batches = [name for name in names if name.startswith(IN_BATCH)]
    others = names.difference(of_batches)
    telling = others - (closing_in(told.rows) - {*curves})
    apart = any(
        split_name(name)[0] in ("val", "test") or SPLITS.get(name.lower()) in ("val", "test") for name in telling
    )
    # A score that is told without a batch, and in no batch, comes from an evaluation.
    in_batches = {name.removeprefix(IN_BATCH).lower() for name in of_batches}
    tell = any(known_metric(name) is not None for name in in_batches)  # or what they came to is told below them
    apart = apart or any(
        tell and known_metric(name) is not None and not split_name(name)[0] and "loss" not in words_of(name)
        for name in telling
        if name.lower() not in (*in_batches, *DATA) and why_left_out(name) is None and not of_learner([name])
    )
    evaluated = {name for name in of_batches if _EVALUATED.search(name)}
    apart = apart or 0 < len(evaluated) < len(of_batches)
    renamed = {
        name: ("train/" if apart and name not in evaluated else "") + name.removeprefix(IN_BATCH) for name in of_batches
    }
    if evaluated_losses := of_evaluation(told.rows, others) if apart and of_batches else ():
        renamed |= {name: f"eval/{name}" for name in evaluated_losses}
    of_training = goes_on_beside_held_out(told.rows, others) if apart else []
    renamed |= {name: f"train/{name}" for name in (*within_epochs(told.rows, others), *of_training)}
    dropped, same = told_twice(told.rows)
    if known := sorted({name.removeprefix(IN_BATCH) for name in dropped if known_metric(name) is not None}):
        told = replace(
            told,
            remarks=(
                *told.remarks,
                f"values of batches are left out where others are of whole epochs: {listed(known)}.",
            ),
        )
    renamed |= same
    bare = {name: SPLITS[name.lower()] for name in others if name.lower() in DATA}
    if "train" in bare.values() and len(set(bare.values())) > 1:
        first = min((name for name, split in bare.items() if split == "train"), key=str.lower)
        metric = "loss" if _falls([row for row in told.rows if first in row], first) else "score"
        renamed |= {name: f"{name}/{metric}" for name in bare}
        told = replace(told, nameless={f"{name}/{metric}": name for name in (first, *bare)})
    elif bare and any(
        split_name(name)[0] != "val" and split_name(name)[1].lower() == "loss"
        for name in (*others, *(name.removeprefix(IN_BATCH) for name in of_batches))
    ):
        renamed |= {name: f"{name}/loss" for name in bare}  # `loss 0.31 val 0.35`
    if not renamed and not dropped:
        return told
    named: dict[tuple[str, ...], list[str]] = {}  # most rows have the same names
    rows = []
    for row in told.rows:
        row = {name: value for name, value in row.items() if name not in dropped} if dropped else row
        key = tuple(row)
        if key not in named:
            named[key] = [renamed.get(name, name) for name in key]
        rows.append(dict(zip(named[key], row.values(), strict=True)))
    return replace(told, rows=rows)


def _falls(rows: Sequence[dict[str, Any]], name: str) -> bool:
    """Whether these values, as far as they are finite, fall from the beginning of each training to its end in most."""
    starts = starts_of([row.get(EPOCH, row.get(STEP)) for row in rows])
    falling = 0
    for start, end in pairwise([*starts, len(rows)]):
        values = [row[name] for row in rows[start:end] if isfinite(row[name])]
        if not values:
            continue
        some = max(1, min(_SOME, len(values) // 2))
        falling += len(values) if mean(values[-some:]) <= mean(values[:some]) else -len(values)
    return falling >= 0


def _without_summaries(told: Told, curves: Collection[str]) -> Told:
    several = at_several_counts(told.rows)
    if several:
        several -= _settings(told.rows)
        names = set(chain.from_iterable(told.rows))
        told = replace(told, once=frozenset(names - several))
        several |= names.intersection(curves)
        for row in told.rows:
            for name in row.keys() - several:
                del row[name]
    kept = [at for at, row in enumerate(told.rows) if not all(map(_only_counts, row))]
    if any(RUN in row for row in told.rows):  # what is told of no model sums up, or came before
        kept = [at for at in kept if RUN in told.rows[at]]
    return replace(
        told,
        rows=[told.rows[at] for at in kept],
        lines=[told.lines[at] for at in kept],
        totals=[told.totals[at] for at in kept],
    )


@cache
def _only_counts(name: str) -> bool:
    """Whether a name is that of a counter, a clock or a speed: a row of such alone has no values."""
    return name in (EPOCH, STEP, BATCH, RUN) or why_left_out(name) is not None


def _settings(rows: Sequence[dict[str, Any]]) -> set[str]:
    """The names with one value all through the log that are told in less than half as many rows as others.

    A training that is started again prints its configuration again, `FOCAL_LOSS_ALPHA: 0.25` among it.
    """
    times: Counter[str] = Counter()
    for names, number in Counter(map(tuple, rows)).items():
        times.update(dict.fromkeys(names, number))
    counters = {EPOCH, STEP, BATCH, RUN}
    most = max((number for name, number in times.items() if name not in counters), default=0)
    rare = {name for name, number in times.items() if 2 * number < most and not _is_measured(name)} - counters
    values: dict[str, set[Any]] = {name: set() for name in rare}
    for row in rows if rare else ():
        for name in rare & row.keys():
            values[name].add(row[name])
    return {name for name, found in values.items() if len(found) == 1}


def _is_measured(name: str) -> bool:
    """Whether a name says of a metric on which data it was measured: one that stands still is no setting."""
    return bool(split_name(name)[0]) and known_metric(name) is not None
