"""What is told once: what a training came to, below its last epoch, or the first of what will be told again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from lcode.readers.printed.lines.printed_line import BATCH, EPOCH, FEWEST, IN_BATCH, STEP
from lcode.table.metric_names import known_metric


def told_once(rows: Sequence[dict[str, Any]]) -> set[str]:
    """The names that are told at one count alone, where what is told beside them has come to several epochs or steps.

    `Epoch 6 | loss 0.5 | acc 0.8`, and below the last of them `Test acc: 0.79`.
    """
    of_epochs = {
        row.get(EPOCH, row.get(STEP))
        for row in rows
        if any(name.startswith(IN_BATCH) and known_metric(name.removeprefix(IN_BATCH)) is not None for name in row)
    }
    return set(chain.from_iterable(rows)) - at_several_counts(rows) if len(of_epochs) >= FEWEST else set()


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
