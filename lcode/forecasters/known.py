"""Which runs of a table are known to the forecasts of the others: all of a short one, some of a long one."""

from __future__ import annotations

import numpy as np

from lcode.ensemble.training import CONTEXT_RUNS, some_rows
from lcode.errors import NotEnoughDataError
from lcode.forecasters.base import finished_runs
from lcode.table import RunTable

KNOWN_RUNS = 2000
"""Runs of which no others are chosen. Scales that are read off so many in progress hardly change with more, and what a
block of a long table costs does not grow with the table."""


def known_runs(table: RunTable, *, seed: int, at_least: int) -> list[str]:
    """Names of the runs that are known, in the order of the table; they depend on the table and the seed alone.

    Of a table of more than `KNOWN_RUNS` these are the finished ones that are learned from, which the seed draws, and as
    many others as are missing to that number, evenly chosen by name.

    Args:
        table: all runs, or their outline.
        seed: of the forecaster.
        at_least: where fewer have finished, none is learned from.
    """
    if len(table) <= KNOWN_RUNS:
        return list(table.run_ids)
    try:
        done = sorted(finished_runs(table, at_least=at_least).run_ids)
    except NotEnoughDataError:
        done = []
    chosen = {done[row] for row in some_rows(len(done), seed, CONTEXT_RUNS)}
    others = sorted({*table.run_ids}.difference(done))
    places = np.unique(np.rint(np.linspace(0, len(others) - 1, min(KNOWN_RUNS - len(chosen), len(others)))))
    chosen |= {others[int(place)] for place in places}
    return [run for run in table.run_ids if run in chosen]
