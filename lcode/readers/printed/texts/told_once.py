"""What is told at one count alone: what a training came to, at its end, or the first of what will be told again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from lcode.readers.printed.lines.printed_line import BATCH, EPOCH, FEWEST, IN_BATCH, STEP
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS


def closing_in(rows: Sequence[dict[str, Any]]) -> set[str]:
    """The names that are told at the last count alone, where what is told beside them has come to several.

    `Epoch 6 | loss 0.5 | acc 0.8`, and below the last of them `Test acc: 0.79`. Where rows below count on, the training
    went on: what was told once before is told now and then, so far once. So is a validation, which will come again.
    """
    of_epochs = {
        row.get(EPOCH, row.get(STEP))
        for row in rows
        if any(name.startswith(IN_BATCH) and known_metric(name.removeprefix(IN_BATCH)) is not None for name in row)
    }
    if len(of_epochs) < FEWEST:
        return set()
    counts = [row.get(EPOCH, row.get(STEP)) for row in rows]
    last = next((at for at in range(len(rows), 0, -1) if counts[at - 1] != counts[-1]), 0)
    names = set(chain.from_iterable(rows[last:])) - at_several_counts(rows)
    return {name for name in names if "val" not in (split_name(name)[0], SPLITS.get(name.lower()))}


def at_several_counts(rows: Iterable[dict[str, Any]]) -> set[str]:
    """The names in rows of which the counters differ."""
    first: dict[str, tuple[Any, ...]] = {}
    several: set[str] = set()
    for row in rows:
        if row.keys() <= several:
            continue
        counted = (row.get(EPOCH), row.get(STEP), row.get(BATCH))
        several |= {name for name in row if first.setdefault(name, counted) != counted}
    return several
