"""What is told in the batches of an epoch and of the whole epoch as well: of both the whole epoch is the curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lcode.readers.loggers.printed_line import BATCH, EPOCH, IN_BATCH, STEP
from lcode.readers.understanding.column_words import words_of
from lcode.readers.understanding.curve_names import split_name

_AVERAGED = frozenset(("avg", "average", "ave", "mean", "epoch"))


def told_twice(rows: Sequence[dict[str, Any]]) -> tuple[set[str], dict[str, str]]:
    """The names of what is told of batches though other lines tell it of whole epochs, and names of one and the same.

    `Batch [20] acc=0.7`, and at the end of the epoch `Train-acc=0.8`: the first is left out. Where only few lines say
    that a value is of the training, the others of this name belong to it.

    Args:
        rows: counters and values, as printed.
    """
    in_batches, of_epochs = set[str](), set[str]()
    for names in set(map(tuple, rows)):
        (in_batches if BATCH in names else of_epochs).update(names)
    alone = [name for name in of_epochs - in_batches if split_name(name)[0] not in ("val", "test")]
    whole = {_measure(name) for name in alone}
    left_out = {
        name
        for name in in_batches - of_epochs - {BATCH}
        if split_name(name)[0] not in ("val", "test") and _measure(name) in whole
    }
    of_training = {split_name(name)[1].lower(): name for name in alone if split_name(name)[0] == "train"}
    same = {
        name: of_training[name.removeprefix(IN_BATCH).lower()]
        for name in (in_batches | of_epochs) - left_out
        if name.startswith(IN_BATCH) and name.removeprefix(IN_BATCH).lower() in of_training
    }
    counts = _counts(rows, {*same, *same.values()})
    often = {name for name, other in same.items() if 2 * len(counts[other]) >= len(counts[name])}
    return left_out | often, {name: other for name, other in same.items() if name not in often}


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
