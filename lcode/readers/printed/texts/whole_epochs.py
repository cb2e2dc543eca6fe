"""What is told in the batches of an epoch and of the whole epoch as well: of both the whole epoch is the curve."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any

from lcode.readers.printed.lines.printed_line import BATCH, EPOCH, IN_BATCH, STEP
from lcode.readers.understanding.column_words import why_left_out, words_of
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric

_AVERAGED = frozenset(("avg", "average", "ave", "mean", "epoch"))

_OF_TRAINING = frozenset(("loss", "losses", "train", "training", "total", "running", "avg", "average", "mean", "epoch"))
"""Words of what may be the training's own loss over the epoch."""


def told_twice(rows: Sequence[dict[str, Any]]) -> tuple[set[str], dict[str, str]]:
    """The names of what is told of batches though other lines tell it of whole epochs, and names of one and the same.

    `Batch [20] acc=0.7`, and at the end of the epoch `Train-acc=0.8`: the first is left out. Where only few lines say
    that a value is of the training, the others of this name belong to it.

    Args:
        rows: counters and values, as printed.
    """
    in_batches, of_epochs = set[str](), set[str]()
    in_steps, without_steps = set[str](), set[str]()
    for names in set(map(tuple, rows)):
        (in_batches if BATCH in names else of_epochs).update(names)
        if EPOCH in names:
            (in_steps if BATCH in names or STEP in names else without_steps).update(names)
    alone = [name for name in of_epochs - in_batches if split_name(name)[0] not in ("val", "test")]
    whole = {_measure(name) for name in alone}
    left_out = {
        name
        for name in in_batches - of_epochs - {BATCH}
        if split_name(name)[0] not in ("val", "test") and _measure(name) in whole
    }
    # `val step 0, top1: 0.31`, and at the end of the epoch `val top1_avg: 0.44`
    held_out = {_measured(name) for name in without_steps - in_steps if split_name(name)[0] in ("val", "test")}
    left_out |= {name for name in in_steps - without_steps if _measured(name) in held_out}
    of_training = {split_name(name)[1].lower(): name for name in alone if split_name(name)[0] == "train"}
    same = {
        name: of_training[name.removeprefix(IN_BATCH).lower()]
        for name in (in_batches | of_epochs) - left_out
        if name.startswith(IN_BATCH) and name.removeprefix(IN_BATCH).lower() in of_training
    }
    counts = _counts(rows, {*same, *same.values()})
    often = {name for name, other in same.items() if 2 * len(counts[other]) >= len(counts[name])}
    return left_out | often, {name: other for name, other in same.items() if name not in often}


def within_epochs(rows: Sequence[dict[str, Any]], names: Iterable[str]) -> list[str]:
    """The scores that are told at several steps of most epochs, without a word on the data, where others are told once.

    `Step 50 acc 0.43`, every fifty steps, and at the end of the epoch `eval accuracy: 0.60`.
    """
    held_out = {name for name in names if split_name(name)[0] in ("val", "test") and known_metric(name) is not None}
    unsaid = {name for name in names if not split_name(name)[0] and known_metric(name) is not None}
    if not held_out or not unsaid or not any(STEP in row or BATCH in row for row in rows):
        return []
    epochs: dict[str, set[Any]] = {name: set() for name in held_out | unsaid}
    steps: dict[str, set[Any]] = {name: set() for name in epochs}
    for row in rows:
        for name in epochs.keys() & row.keys():
            epochs[name].add(row.get(EPOCH))
            steps[name].add((row.get(EPOCH), row.get(STEP), row.get(BATCH)))
    once = any(len(epochs[name]) > 1 and len(steps[name]) == len(epochs[name]) for name in held_out)
    return [name for name in unsaid if once and len(steps[name]) >= 2 * len(epochs[name])]


def goes_on_beside_held_out(rows: Sequence[dict[str, Any]], names: Collection[str]) -> list[str]:
    """The names that are of the training in most lines, and go on in lines that name held-out values as well.

    `step:1 - kl_loss:0.1 - reward:0.3`, and every tenth time `step:10 - kl_loss:0.1 - reward:0.4 - val-core/r:0.5`.
    """
    told = set(chain.from_iterable(rows))
    both = [name for name in names if IN_BATCH + name in told and not split_name(name)[0]]
    if not both:
        return []
    alone: dict[str, set[Any]] = {name: set() for name in both}
    beside: dict[str, set[Any]] = {name: set() for name in both}
    for row in rows:
        at = (row.get(EPOCH), row.get(STEP), row.get(BATCH))
        held_out = any(split_name(name)[0] in ("val", "test") for name in row)
        for name in both:
            if name in row and held_out:
                beside[name].add(at)
            elif name in row or IN_BATCH + name in row:
                alone[name].add(at)
    return [name for name in both if beside[name] and beside[name].isdisjoint(alone[name])]


def of_evaluation(rows: Sequence[dict[str, Any]], others: Collection[str]) -> list[str]:
    """The losses of a measure of their own that are told below the lines of the training, in the rows of scores.

    `MSE_loss = 12.1` and `R2_score = 0.1` below `Epoch: 3, Loss: 80.3`.
    """
    known = [name for name in others if known_metric(name) is not None]
    if any(split_name(name)[0] in ("val", "test") for name in known):
        return []
    losses = [name for name in known if "loss" in words_of(name) and not split_name(name)[0]]
    losses = [name for name in losses if not _OF_TRAINING.issuperset(words_of(name))]
    scores = [name for name in known if "loss" not in words_of(name) and why_left_out(name) is None]
    told = {name: sum(name in row for row in rows) for name in (*losses, *scores)} if losses and scores else {}
    return [name for name in losses if told and told[name] in {told[score] for score in scores}]


def _measured(name: str) -> tuple[str, frozenset[str]]:
    """On which data, and what is measured."""
    return split_name(name)[0], _measure(name)


def _measure(name: str) -> frozenset[str]:
    """The words of what is measured, without those that say on which data or that it is an average."""
    return frozenset(words_of(split_name(name.removeprefix(IN_BATCH))[1])) - _AVERAGED


def _counts(rows: Sequence[dict[str, Any]], names: set[str]) -> dict[str, set[Any]]:
    """The epochs, or steps where none are counted, at which each of these is told."""
    counts: dict[str, set[Any]] = {name: set() for name in names}
    for row in rows if names else ():
        at = row.get(EPOCH, row.get(STEP))
        for name in names & row.keys():
            counts[name].add(at)
    return counts
