"""Printed values that no line counts: of a training and of held-out data in each line, or by section, or bare numbers.

They are counted in the order in which they were printed, where it is certain that they follow each other in time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from lcode.readers.loggers.line_forms import NUMBER
from lcode.readers.loggers.line_shapes import LineShapes
from lcode.readers.loggers.printed_line import EPOCH, FEWEST, IN_BATCH, STEP
from lcode.readers.loggers.sections import split_of_head
from lcode.readers.understanding.column_words import words_of
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric

_ALONE = re.compile(rf"\s*({NUMBER})\s*", re.IGNORECASE)

_DATE = re.compile(r"\W*\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")

_COUNTED = "no line counts the epochs, so what was printed was counted, from 1."

Rows = list[tuple[int, dict[str, Any]]]
"""The 1-based line and the values of each row."""


def uncounted_rows(text: str, shapes: LineShapes) -> tuple[Rows, str]:
    """The rows, numbered, and a remark on how they were understood; no rows where they may be anything.

    Args:
        text: the text.
        shapes: reads its lines, and remembers what it has read.
    """
    return _pairs_in_each_line(text, shapes) or _sections(text, shapes) or _bare_numbers(text, shapes) or ([], "")


def _pairs_in_each_line(text: str, shapes: LineShapes) -> tuple[Rows, str] | None:
    """The rows of lines such as `train loss 0.3, val loss 0.4`, where no line counts anything."""
    rows = Rows()
    row: dict[str, Any] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        said = shapes.said_in(line)
        if said is None:
            continue
        if said.counters:
            return None
        pairs = {name.removeprefix(IN_BATCH): value for name, value in said.pairs.items()}
        if pairs and (not row or not row.keys().isdisjoint(pairs)):
            row = {EPOCH: float(len(rows) + 1)}
            rows.append((number, row))
        row.update(pairs)
    if len(rows) < FEWEST:
        return None
    in_time = _are_dated(text, rows) and any("loss" in words_of(name) for name in rows[0][1])
    return (rows, _COUNTED) if in_time or _is_compared(rows) else None


def _are_dated(text: str, rows: Rows) -> bool:
    """Whether each row tells the same, in a line that begins with the time: so they follow each other."""
    lines = text.split("\n")
    names = rows[0][1].keys()
    return all(row.keys() == names and _DATE.match(lines[number - 1]) is not None for number, row in rows)


def _sections(text: str, shapes: LineShapes) -> tuple[Rows, str] | None:
    """The rows of evaluations below heads such as `evaluate: dev` and `evaluate: test`, which take turns.

    Of what a section tells twice, such as the figures of each class below those of all, the first counts.
    """
    rows = Rows()
    seen: set[str] = set()
    heads: set[str] = set()
    split, own = "", dict[str, Any]()
    for number, line in enumerate(text.split("\n"), start=1):
        said = shapes.said_in(line)
        if said is not None and said.counters:
            return None
        if said is not None and said.pairs and split:
            for name, value in said.pairs.items():
                own.setdefault(f"{split}/{name.removeprefix(IN_BATCH)}", value)
        elif said is None or not said.pairs:
            head = split_of_head(line)
            if not head:
                continue
            if not rows or head in seen:
                seen, row = set(), {EPOCH: float(len(rows) + 1)}
                rows.append((number, row))
            seen.add(head)
            heads.add(head)
            split, own = head, rows[-1][1]
    if rows and rows[-1][1].keys() == {EPOCH}:
        rows.pop()
    if rows and len(rows[0][1]) == 1:
        rows.pop(0)
    told = Counter(name for _, row in rows for name in row if known_metric(name) is not None)
    often = bool(told) and 2 * max(told.values()) > len(rows)  # or it is a configuration, with a part for each
    return (rows, _COUNTED) if len(rows) >= FEWEST and often and len(heads) > 1 else None


def _is_compared(rows: Rows) -> bool:
    """Whether each row tells the same, and of a metric what it is on several parts of the data."""
    names = rows[0][1].keys()
    measured: dict[str, set[str]] = {}
    for name in names:
        split, bare = split_name(name)
        if known_metric(name) is not None:
            measured.setdefault(bare.lower(), set()).add(split)
    return all(row.keys() == names for _, row in rows) and any(len(splits) > 1 for splits in measured.values())


def _bare_numbers(text: str, shapes: LineShapes) -> tuple[Rows, str] | None:
    """The numbers that stand alone below lines such as `Epoch 3`: nothing else is told there."""
    rows = Rows()
    epoch: float | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        found = _ALONE.fullmatch(line)
        if found is not None and epoch is not None:
            rows.append((number, {EPOCH: epoch, "value": float(found[1])}))
            continue
        said = shapes.said_in(line)
        if said is not None:
            epoch = said.counters.get(EPOCH, epoch)
    epochs = len({row[EPOCH] for _, row in rows})
    if len(rows) < FEWEST or not epochs:
        return None
    name = named_by_course([row["value"] for _, row in rows])
    by_step = len(rows) > epochs * epochs
    counted = [
        (number, {STEP: float(at), name: row["value"]} if by_step else {EPOCH: row[EPOCH], name: row["value"]})
        for at, (number, row) in enumerate(rows, start=1)
    ]
    return counted, f"the numbers below each epoch have no name and are read as a {name}, by the way that they went."


def named_by_course(values: Sequence[float]) -> str:
    """A loss where the values fall, else a score."""
    half = len(values) // 2
    return "loss" if sum(values[-half:]) <= sum(values[:half]) else "score"
