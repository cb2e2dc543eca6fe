"""Other tables that a table of finished runs holds: a task by itself, every second epoch alone.

A pretrained model meets problems of any number of tasks and epochs, and those it can learn from are few: so it reads
each of them as several.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from lcode.table import Metric, RunTable

COARSE, COARSER = 2, 3
"""How many epochs are taken as one: of all tasks together, and of a task by itself."""

EARLY = 0.4
"""Share of the horizon after which runs are taken to have ended: many a log ends while its curves still fall."""


def views(table: RunTable) -> Iterator[RunTable]:
    """The table itself, its tasks one by one, and each of these as if fewer and longer epochs had been logged."""
    yield table
    yield coarser(table, COARSE)
    yield ended(table, EARLY)
    tasks = dict.fromkeys(metric.task for metric in table.metrics)
    if len(tasks) > 1:
        for task in tasks:
            alone = one_task(table, task)
            yield alone
            yield coarser(alone, COARSER)


def one_task(table: RunTable, task: str) -> RunTable:
    """The table with the metrics of one task; without signals, which tell of the others."""
    metrics = [metric for metric in table.metrics if metric.task == task]
    return _assembled(table, table.points[table.points["metric"].isin([m.key for m in metrics])], metrics)


def coarser(table: RunTable, step: int) -> RunTable:
    """The table with so many epochs as one, of which the last is kept, and without signals."""
    kept = table.points[table.points["epoch"] % step == 0]
    rows = replace(
        table,
        runs=table.runs.assign(horizon=table.runs["horizon"] // step),
        schedules={run: plan.every(step) for run, plan in table.schedules.items()},
    )
    return _assembled(rows, kept.assign(epoch=kept["epoch"] // step), list(table.metrics))


def ended(table: RunTable, share: float) -> RunTable:
    """The table as if its runs had been planned to end at this share of their horizons, without plans and signals."""
    horizons = table.runs["horizon"].to_numpy(float)
    ends = {run: max(round(share * end), 1) for run, end in zip(table.run_ids, horizons.tolist(), strict=True)}
    cut = table.prefix(ends)
    rows = replace(table, runs=table.runs.assign(horizon=list(ends.values())), schedules={})
    return _assembled(rows, cut.points, list(table.metrics))


def _assembled(table: RunTable, points: pd.DataFrame, metrics: list[Metric]) -> RunTable:
    plain = points.astype({"run": object, "metric": object})
    return RunTable.from_points(
        plain,
        metrics,
        runs=table.runs,
        configs=table.configs,
        graphs=table.graphs,
        schedules=table.schedules,
        epoch_unit=table.epoch_unit,
    )
