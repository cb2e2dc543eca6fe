"""Printed values that no line counts: of a training and of held-out data in each line, or by section, or bare numbers.

They are counted in the order in which they were printed, where it is certain that they follow each other in time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import Any

from lcode.readers.printed.lines.form_parts import DATA, NUMBER
from lcode.readers.printed.lines.line_shapes import LineShapes
from lcode.readers.printed.lines.printed_line import EPOCH, FEWEST, IN_BATCH, STEP
from lcode.readers.printed.lines.printed_lists import COUNTED, Rows, printed_lists
from lcode.readers.printed.lines.sections import split_of_head
from lcode.readers.printed.tables.number_rows import as_curves, named_by_course, names_by_course, numbers_in
from lcode.readers.understanding.column_words import words_of
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed

_ALONE = re.compile(rf"\s*({NUMBER})\s*", re.IGNORECASE)

FEWEST_BLOCKS = 5
"""Times that the same names with a loss among them must come again to be those of one training; a loss of held-out data
alone may be what each of several trainings came to."""

_NEARLY_ALL = 0.8
"""Part of what is told that has the same names; the rest came before or is cut."""

_DATE = re.compile(r"\W*(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)")

_EVEN = 10
"""Times that evaluations of one training lie further apart than others at most, the least and largest time aside."""

_BEST = re.compile(r"\bbest\W+(?:epoch|iter\w*|step|round|model|checkpoint)\b", re.IGNORECASE)
"""What is told below the one such line of a text is of the best model."""


def uncounted_rows(text: str, shapes: LineShapes) -> tuple[Rows, str]:
    """The rows, numbered, and a remark on how they were understood; no rows where they may be anything.

    Args:
        text: the text.
        shapes: reads its lines, and remembers what it has read.
    """
    return (
        printed_lists(text)
        or _pairs_in_each_line(text, shapes)
        or _sections(text, shapes)
        or _bare_numbers(text, shapes)
        or _number_rows(text)
        or ([], "")
    )


def _pairs_in_each_line(text: str, shapes: LineShapes) -> tuple[Rows, str] | None:
    """The rows of lines such as `train loss 0.3, val loss 0.4`, or of several for each row, where none counts on."""
    rows = _blocks(text, shapes)
    ((names, _),) = Counter(tuple(row) for _, row in rows).most_common(1) or [((), 0)]
    whole = [(line, row) for line, row in rows if row.keys() >= set(names)]
    if len(whole) < max(FEWEST, _NEARLY_ALL * len(rows)):
        return None
    rows = [(line, {**{name: row[name] for name in names}, EPOCH: at}) for at, (line, row) in enumerate(whole, start=1)]
    losses = [name for name in names if "loss" in words_of(name)]
    again = len(rows) >= FEWEST_BLOCKS and any(split_name(name)[0] in ("", "train") for name in losses)
    in_time = bool(losses) and (_are_dated(text, rows) or again)
    scored = len(rows) >= FEWEST_BLOCKS and any(known_metric(name) is not None for name in names)
    in_time = in_time or (scored and _are_dated(text, rows, evenly=True))
    return (rows, COUNTED) if in_time or _is_compared(names) else None


def rows_alike(text: str, shapes: LineShapes) -> Rows:
    """The rows of lines that nothing counts, numbered, where all of them name the same, however few there are.

    The last may be told in part. Whether they are those of a training, the texts of other runs must say.
    """
    rows = _blocks(text, shapes)
    if len(rows) > 1 and rows[-1][1].keys() < rows[0][1].keys():
        rows.pop()
    alike = all(row.keys() == rows[0][1].keys() for _, row in rows)
    return [(line, {**row, EPOCH: float(at)}) for at, (line, row) in enumerate(rows, start=1)] if alike else Rows()


def _blocks(text: str, shapes: LineShapes) -> Rows:
    """What lines tell up to where a name comes again, numbered; no rows where they count on."""
    rows = Rows()
    row: dict[str, Any] = {}
    counters: set[tuple[tuple[str, float], ...]] = set()
    best: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        said = shapes.said_in(line)
        if _BEST.search(line):
            best.append(len(rows))
        if said is None:
            continue
        if said.counters:
            counters.add(tuple(said.counters.items()))
            if len(counters) > 1:
                return Rows()
        pairs = {name.removeprefix(IN_BATCH): value for name, value in said.pairs.items()}
        if pairs and (not row or not row.keys().isdisjoint(pairs)):
            row = {EPOCH: float(len(rows) + 1)}
            rows.append((number, row))
        row.update(pairs)
    if len(best) == 1 and best[0] >= FEWEST_BLOCKS:
        del rows[best[0] :]
    return rows


def _are_dated(text: str, rows: Rows, *, evenly: bool = False) -> bool:
    """Whether each row is told in a line that begins with the time: so they follow each other.

    Args:
        text: the text.
        rows: the rows.
        evenly: whether the times between them must be alike, as between the epochs of one training.
    """
    lines = text.split("\n")
    found = [_DATE.match(lines[number - 1]) for number, _ in rows]
    dates = [date[1] for date in found if date is not None]
    if len(dates) < len(rows) or not evenly:
        return len(dates) == len(rows)
    try:
        times = [datetime.fromisoformat(date).timestamp() for date in dates]
    except ValueError:
        return False
    between = sorted(later - before for before, later in pairwise(times))
    return between[0] > 0 and between[-2] <= _EVEN * between[1]


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
    return (rows, COUNTED) if len(rows) >= FEWEST and often and len(heads) > 1 else None


def _is_compared(names: Iterable[str]) -> bool:
    """Whether it is told of a metric what it is on several parts of the data."""
    measured: dict[str, set[str]] = {}
    for name in names:
        split, bare = split_name(name)
        if known_metric(name) is not None:
            measured.setdefault(bare.lower(), set()).add(split)
        elif name.lower() in DATA:  # `train: 0.3, val: 0.4`
            measured.setdefault("", set()).add(name.lower())
    return any(len(splits) > 1 for splits in measured.values())


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


def _number_rows(text: str) -> tuple[Rows, str] | None:
    """The rows of lines that hold nothing but numbers, a counter before the others: `99800 0.70 0.76`."""
    found = [
        (number, cells)
        for number, line in enumerate(text.split("\n"), start=1)
        if (cells := numbers_in(line)) is not None
    ]
    if len(found) < FEWEST_BLOCKS or 2 * len(found) < sum(bool(line.strip()) for line in text.split("\n")):
        return None  # or they are what each class of the data came to, say
    ((wide, often),) = Counter(len(cells) for _, cells in found).most_common(1)
    rows = [(number, cells) for number, cells in found if len(cells) == wide]
    curves = as_curves([cells for _, cells in rows]) if often >= _NEARLY_ALL * len(found) else None
    if curves is None or not curves.counters:
        return None
    names = names_by_course(curves.values)
    counted = [
        (
            number,
            {STEP: curves.counters[0][at]}
            | {name: values[at] for name, values in zip(names, curves.values, strict=True)},
        )
        for at, (number, _) in enumerate(rows)
    ]
    return counted, f"the numbers of each line have no name and are read as {listed(names)}, by the way that they went."
