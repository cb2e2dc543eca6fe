"""Values that name no metric, `learn: 0.3 test: 0.4`, are a loss where they fall and else a score: in all runs alike.

A run that diverges has a loss that rises, and none of its own: the way that most runs went decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from lcode.readers.logged.base import Logged

METRICS = ("loss", "score")
"""What nameless values are read as: what falls, and what rises."""


def of_one_course(runs: Sequence[Logged]) -> list[Logged]:
    """The runs with the nameless values of all as what they are in most, and one remark on it.

    Args:
        runs: those of a reader; `nameless` says of each which of its columns were named by the way that they went.
    """
    ways = [_metric(run) for run in runs]
    told = Counter(way for way in ways if way)
    if not told:
        return [*runs]
    metric = max(METRICS, key=lambda one: told[one])  # of as many, a loss: what rises may have diverged
    kept = [_as(metric, run) if way not in ("", metric) else run for run, way in zip(runs, ways, strict=True)]
    names = sorted({name for run in runs for name in run.nameless.values()})
    first = next(name for run in runs for name in run.nameless.values())
    most = f" in {told[metric]} of {sum(told.values())} runs" if told[metric] < sum(told.values()) else ""
    note = (
        f"{' and '.join(repr(name) for name in names)} name no metric and are read as a {metric}, "
        f"by the way that '{first}' went{most}."
    )
    last = max(at for at, way in enumerate(ways) if way)
    kept[last] = replace(kept[last], notes=(*kept[last].notes, note))
    return kept


def _metric(run: Logged) -> str:
    """What the nameless values of a run are read as; empty where it has none."""
    return next((column.rpartition("/")[2] for column in run.nameless), "")


def _as(metric: str, run: Logged) -> Logged:
    """The run with its nameless values as this metric."""
    names = {column: f"{name}/{metric}" for column, name in run.nameless.items()}
    columns = {names.get(column, column): cells for column, cells in run.columns.items()}
    return replace(run, columns=columns, nameless={names[column]: name for column, name in run.nameless.items()})
