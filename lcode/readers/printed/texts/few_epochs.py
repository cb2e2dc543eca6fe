"""Trainings of few epochs of which nothing is told but within them: steps are counted through all of them.

`Epoch 1/2, step 10/500, loss: 0.9`: two points would be no curve. Where more epochs are planned these count from the
beginning, as they will in the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from lcode.readers.printed.lines.printed_line import BATCH, EPOCH, FEWEST, IN_BATCH, STEP
from lcode.readers.understanding.columns import MANY_EVALUATIONS
from lcode.table.metric_names import known_metric

Row = dict[str, Any]


def steps_through(
    rows: Sequence[Row], totals: Sequence[Mapping[str, float]]
) -> tuple[list[Row], list[dict[str, float]]]:
    """The rows with steps instead of epochs and their batches, and what is planned; both empty where epochs count.

    Args:
        rows: counters and values, as printed.
        totals: what each counter is said to reach where a row is told.
    """
    if len({row.get(EPOCH) for row in rows} - {None}) not in range(1, FEWEST + 1):
        return [], []
    if max((total[EPOCH] for total in totals if EPOCH in total), default=0) > FEWEST:
        return [], []  # it has but begun, and lies beside others that have gone further
    measured = [at for at, row in enumerate(rows) if _tells_metric(row)]
    if not measured or any(rows[at].get(EPOCH, 0.5) % 1 for at in measured):
        return [], []
    counter = next((name for name in (BATCH, STEP) if all(name in rows[at] for at in measured)), "")
    if not counter or (counter == BATCH and any(STEP in rows[at] for at in measured)):
        return [], []
    counts: dict[float, set[float]] = {}
    for at in measured:
        counts.setdefault(rows[at][EPOCH], set()).add(rows[at][counter])
    *whole, last = (counts[epoch] for epoch in sorted(counts))
    if any(len(one) < MANY_EVALUATIONS for one in whole or [last]) or any(min(last) > max(one) for one in whole):
        return [], []  # they are told rarely, or count on from one epoch to the next
    every = sorted(set().union(*counts.values()))
    said = [total[counter] for total in totals if counter in total]
    size = max((*said, every[-1])) if said else every[-1] + min(after - before for before, after in pairwise(every))
    first = min(counts)
    counted: list[Row] = []
    step = 0.0
    for row in rows:
        if EPOCH in row and counter in row:
            step = (row[EPOCH] - first) * size + row[counter]
        counted.append({STEP: step} | {name: value for name, value in row.items() if name not in (BATCH, STEP)})
    end = every[-1] if whole else size  # of an epoch, as it is logged
    alone: dict[str, float] = {STEP: size} if said and not whole else {}  # of one epoch, or of all of them
    return counted, [{STEP: (total[EPOCH] - 1) * size + end} if EPOCH in total else alone for total in totals]


def _tells_metric(row: Row) -> bool:
    return any(known_metric(name.removeprefix(IN_BATCH)) is not None for name in row)
