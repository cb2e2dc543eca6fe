"""What is odd about logs although they can be read: said in full by `lcode inspect`, for the user to judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import and_, eq

import numpy as np
import pandas as pd

from lcode.table import RunTable
from lcode.table.axis import epoch_text
from lcode.table.reading import listed

_REGULAR = 0.7
"""Part of a run's distances between evaluations that must be alike for a larger one to be a gap: evaluations may well
become rarer by plan."""

_CONSTANT = 3
"""So many equal values make a curve constant."""

_NAMED = 5
"""Runs, or curves, that a line names; of the others the number is told."""


def oddities(table: RunTable) -> list[str]:
    """Lines on runs without values, assumed ends, gaps, metrics that not all have, and curves that stand still.

    What is odd about names, units, and repeated or undefined values is among `RunTable.notes`, since it may change what
    is read.
    """
    points = table.points.astype({"run": str, "metric": str})
    return [
        *_without_values(table, points),
        *_assumed_ends(table, points),
        *_continued(table, points),
        *_gaps(table, points),
        *_partial(table, points),
        *_constant(points),
        *_ending_undefined(points),
    ]


def _without_values(table: RunTable, points: pd.DataFrame) -> Iterator[str]:
    empty = sorted(set(table.run_ids) - set(points["run"]))
    if empty:
        yield f"without a value so far: {_named(empty)}"


def _assumed_ends(table: RunTable, points: pd.DataFrame) -> Iterator[str]:
    """Runs that nobody says how long they go on."""
    if table.reading is None or not table.reading.assumed_horizon:
        return
    horizons, last = table.runs["horizon"], points.groupby("run")["epoch"].max()
    running = [run for run, status in zip(table.run_ids, table.runs["status"], strict=True) if status == "running"]
    short = [run for run in running if run in last.index and last[run] < horizons[run]]
    if short:
        end = epoch_text(int(horizons[short[0]]), table.epoch_unit)
        yield f"end sooner than others, and are taken to go on to {end} (--horizon N says otherwise): {_named(short)}"


def _continued(table: RunTable, points: pd.DataFrame) -> Iterator[str]:
    """Runs that begin where another one with the same settings ended, as where each start has a folder of its own.

    Of several that ended there the one with the most similar name is told, such as one in the same folder.
    """
    spans = points.groupby("run")["epoch"].agg(["min", "max"])
    if not len(spans):
        return
    runs, firsts, lasts = spans.index.tolist(), spans["min"].tolist(), spans["max"].tolist()
    settings = [tuple(row) for row in table.configs.astype(str).loc[runs].to_numpy().tolist()]
    ended: dict[tuple[object, ...], list[str]] = {}
    for run, own, last in zip(runs, settings, lasts, strict=True):
        ended.setdefault((*own, last), []).append(run)
    found = [
        f"'{run}' where '{_most_alike(run, ended[*own, first - 1])}' ended"
        for run, own, first in zip(runs, settings, firsts, strict=True)
        if first > min(firsts) and (*own, first - 1) in ended
    ]
    if found:
        told = listed(found, _NAMED)
        yield f"begin where another with the same settings ended, and may be one training that was resumed: {told}"


def _most_alike(run: str, others: Sequence[str]) -> str:
    """Which of the names shares most of its beginning with that of the run."""
    return max(others, key=lambda other: sum(accumulate(map(eq, run, other), and_)))


def _gaps(table: RunTable, points: pd.DataFrame) -> Iterator[str]:
    """Evaluations that are missing in runs which are otherwise evaluated at regular distances."""
    found = []
    for run, epochs in points.drop_duplicates(["run", "epoch"]).groupby("run")["epoch"]:
        at = np.sort(epochs.to_numpy(np.int64))
        apart = np.diff(at)
        if len(apart) < _CONSTANT:
            continue
        usual = np.median(apart)
        wide = np.flatnonzero(apart >= 2 * usual)
        if len(wide) and np.mean(apart == usual) >= _REGULAR:
            first, next_ = (epoch_text(int(at[wide[0] + step]), table.epoch_unit) for step in (0, 1))
            more = f" and {len(wide) - 1} more" if len(wide) > 1 else ""
            found.append(f"'{run}' ({first} to {next_}{more})")
    if found:
        yield f"gaps between evaluations: {listed(found, _NAMED)}"


def _partial(table: RunTable, points: pd.DataFrame) -> Iterator[str]:
    """Metrics that only some of the runs have."""
    measured = sorted(set(points["run"]))
    for metric in table.metrics:
        having = set(points.loc[points["metric"] == metric.key, "run"])
        lacking = [run for run in measured if run not in having]
        if not lacking:
            continue
        if 2 * len(having) <= len(measured):
            yield f"{metric.key} has values in {len(having)} of {len(measured)} runs alone: {_named(sorted(having))}"
        else:
            yield f"{metric.key} is missing in {len(lacking)} of {len(measured)} runs: {_named(lacking)}"


def _constant(points: pd.DataFrame) -> Iterator[str]:
    """Curves that stand still from their first value to their last."""
    curves = points.groupby(["metric", "run"], sort=False)["value"].agg(["count", "min", "max"])
    still = curves[(curves["count"] >= _CONSTANT) & (curves["min"] == curves["max"])]
    for metric, of_metric in still.groupby(level="metric", sort=False):
        runs = [str(run) for run in of_metric.index.get_level_values("run")]
        everywhere = len(runs) == curves.index.get_level_values("metric").tolist().count(metric)
        values = f"{of_metric['min'].min():.4g}"
        if of_metric["min"].nunique() > 1:
            values += f" to {of_metric['min'].max():.4g}"
        where = "in every run" if everywhere else f"in {_named(runs)}"
        yield f"{metric} never changes {where} (it is {values})"


def _ending_undefined(points: pd.DataFrame) -> Iterator[str]:
    """Curves whose last value is NaN or infinite."""
    ends = points.sort_values("epoch", kind="stable").drop_duplicates(["metric", "run"], keep="last")
    ends = ends[~np.isfinite(ends["value"])]
    for metric, of_metric in ends.groupby("metric", sort=False):
        yield f"{metric} ends as NaN or infinite in {_named(sorted(of_metric['run']))}"


def _named(runs: Sequence[str]) -> str:
    return listed([f"'{run}'" for run in runs], _NAMED)
