"""Several tables as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from lcode.graphs.arch import ArchGraph
from lcode.table.table import RunTable


def pooled(tables: Sequence[RunTable]) -> RunTable:
    """The runs of several tables in one, in their order.

    Names of runs are made distinct: those of all tables but the first get a number in front, that of their table or the
    next one that makes them so, and so does an architecture whose name stands for another graph in an earlier table.

    Args:
        tables: at least one.

    Raises:
        UsageError: two tables disagree on the direction of a metric.
    """
    whole, number = tables[0], 0
    for table in tables[1:]:
        number += 1
        if len(table):
            taken = set(whole.run_ids)
            while any(f"{number}:{run}" in taken for run in table.run_ids):
                number += 1
            other = _renamed(table, f"{number}:", whole)
            whole = whole.concat(other) if len(whole) else other
    return whole


def _renamed(table: RunTable, mark: str, whole: RunTable) -> RunTable:
    """The table with names that do not clash with those of `whole`."""
    runs = pd.Index([mark + run for run in table.run_ids], name="run", dtype=object)
    archs = {
        arch: mark + arch if arch in whole.graphs and not _same(graph, whole.graphs[arch]) else arch
        for arch, graph in table.graphs.items()
    }
    return replace(
        table,
        runs=table.runs.assign(arch=[archs.get(arch, arch) for arch in table.runs["arch"]]).set_axis(runs),
        points=_marked(table.points, mark),
        configs=table.configs.set_axis(runs),
        graphs={archs[arch]: graph for arch, graph in table.graphs.items()},
        signals=_marked(table.signals, mark),
        schedules={mark + run: plan for run, plan in table.schedules.items()},
    )


def _marked(points: pd.DataFrame, mark: str) -> pd.DataFrame:
    return points.assign(run=points["run"].cat.rename_categories(lambda run: mark + str(run)))


def _same(one: ArchGraph, other: ArchGraph) -> bool:
    return one is other or one.to_json() == other.to_json()
