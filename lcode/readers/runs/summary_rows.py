"""Rows below a table of runs that sum it up, as people write them into a sheet: `Average,,51.2%` or `Total,80,`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lcode.readers.raw import RawTable, as_number, as_text
from lcode.readers.understanding.column_words import OTHER_RUN_NAMES, RUN_NAMES, is_counter, plain_name
from lcode.readers.understanding.layout import CONFIG
from lcode.show import counted
from lcode.table.reading import listed

_SUMMARY = re.compile(
    r"(grand[ _-]+)?(totals?|sum|averages?|avg|means?|median|std(dev|[ _.-]*dev(iation)?)?|standard deviation|"
    r"min(imum)?|max(imum)?|best|overall)\.?([ _-]*([(\[].*[)\]]|(of|over|across) .*|all|overall))?\s*:?",
    re.IGNORECASE,
)
"""What stands where the name of a run would: alone, or with what it was taken of behind it."""

_FEWEST = 2
"""Rows that most runs have: a table with a row for each may hold one that is called `sum`."""


def without_summary_rows(raw: RawTable) -> RawTable:
    """The table without the rows at its end that are named as a mean, a total or the like, and are of no run.

    Runs have several rows and begin where others do. One that is called so and has a row alone is none where its
    counter is empty or says another epoch than those that runs begin at, and so are its like beside it.
    """
    counter = next(filter(is_counter, raw.columns), None)
    column = _column_of_names(raw)
    if counter is None or column is None or len(raw) < _FEWEST:
        return raw
    names = [as_text(cell) if cell is not None else "" for cell in raw.columns[column].to_pylist()]
    rows_of = Counter(names)
    last = len(names)
    while last and (not names[last - 1] or _is_summary(names[last - 1], rows_of)):
        last -= 1
    named = [row for row in range(last, len(names)) if names[row]]
    others = Counter(name for name in names[:last] if name)
    if not named or not others or float(np.median([*others.values()])) < _FEWEST:
        return raw
    counts = [None if cell is None else as_number(cell) for cell in raw.columns[counter].to_pylist()]
    starts: dict[str, float] = {}
    for name, count in zip(names[:last], counts, strict=False):
        if name and count is not None:
            starts[name] = min(count, starts.get(name, count))
    if all(counts[row] in starts.values() for row in named) or _are_candidates(raw, named):
        return raw
    kept: NDArray[np.bool_] = ~np.isin(np.arange(len(raw)), named)
    told = f"left out {counted(len(named), 'row')} below the runs: {listed([names[row] for row in named])}."
    left = raw.where(kept)
    return replace(
        left, notes=(*raw.notes, f"{raw.path.name}: {told}"), unterminated=raw.unterminated and bool(kept[-1])
    )


def _column_of_names(raw: RawTable) -> str | None:
    """The column of runs, else the first where it counts nothing."""
    plain = {plain_name(name): name for name in reversed(list(raw.columns))}
    usual = next((plain[name] for name in (*RUN_NAMES, *OTHER_RUN_NAMES) if name in plain), None)
    first = next(iter(raw.columns), None)
    return usual or (None if first is None or is_counter(first) else first)


def _is_summary(name: str, rows_of: Counter[str]) -> bool:
    return rows_of[name] == 1 and _SUMMARY.fullmatch(name) is not None


def _are_candidates(raw: RawTable, rows: list[int]) -> bool:
    """Whether the rows hold settings: those of runs that have not begun."""
    return any(raw.columns[name][row].is_valid for name in raw.columns if name.startswith(CONFIG) for row in rows)
