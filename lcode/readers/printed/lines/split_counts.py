"""Counts that stand behind the data and have no name: `train (3/20) loss=0.5` and `valid (3/20) loss=0.6`.

A count of batches is written alike, so the whole text says what is counted: of epochs, each evaluation has the count of
the training before it; batches of the training and of an evaluation are counted one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lcode.readers.printed.lines.form_parts import ANY_DATA
from lcode.readers.printed.lines.printed_line import FEWEST
from lcode.table.metric_words import SPLITS

_COUNT = re.compile(
    rf"(?i)^(?P<before>.{{0,100}}?(?<![\w./-]))(?P<split>{ANY_DATA})\b(?:\s?[:|-])?\s?"
    r"(?P<count>[(\[]\s{0,4}(?P<at>\d{1,9})\s?/\s?(?P<of>\d{1,9})\s{0,4}[)\]])(?=\s*[:|,-]?\s+[A-Za-z])[\s:|,-]{0,4}"
)

_NAMED = re.compile(r"epoch|step|iter|round|batch|episode", re.IGNORECASE)


def with_split_counts(lines: Sequence[str]) -> list[str]:
    """The lines, those with such a count of epochs as others name it: `train: epoch 3/20, loss=0.5`."""
    found = [_COUNT.match(line) if "/" in line else None for line in lines]
    found = [None if one is None or _NAMED.search(one["before"]) else one for one in found]
    trained: tuple[str, str] | None = None
    counts = set[tuple[str, str]]()
    for one in found:
        if one is None:
            continue
        count = (one["at"], one["of"])
        if SPLITS[one["split"].lower()] == "train":
            trained = count
        elif trained is not None and count != trained:
            return [*lines]
        elif trained is not None:
            counts.add(count)
    if len(counts) < FEWEST:
        return [*lines]
    return [
        line if one is None else f"{one['before']}{one['split']}: epoch {one['at']}/{one['of']}, {line[one.end() :]}"
        for line, one in zip(lines, found, strict=True)
    ]
