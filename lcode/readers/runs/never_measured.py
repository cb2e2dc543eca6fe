"""Scores that are NaN in all runs from the first evaluation on: they were never measured, and nothing has diverged.

COCO's average precision of small objects is NaN where the data hold none. Whatever a network puts out, right answers
can be counted; a loss or an error of what is no number is none itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from lcode.readers.part import LogPart
from lcode.table.metric import infer_direction
from lcode.table.reading import listed


def without_never_measured(part: LogPart, stated: Collection[str]) -> LogPart:
    """The runs without scores that have no value in any of them, where other curves have, and a remark.

    Args:
        part: the runs.
        stated: curves that the user named, which stay.
    """
    given = part.points["value"].notna().groupby(part.points["metric"], observed=True).any()
    without = [str(key) for key, has in given.items() if not has and key not in stated]
    never = [key for key in without if (part.metrics.get(key) or infer_direction(key)) == "max"]
    if not never or not given.any():
        return part
    points = part.points[~part.points["metric"].isin(never)]
    return replace(
        part,
        points=points.assign(metric=points["metric"].cat.remove_categories(never)),
        metrics={key: direction for key, direction in part.metrics.items() if key not in never},
        by_tools=part.by_tools - {*never},
        notes=(*part.notes, f"left out, since they are NaN in all runs from the first value on: {listed(never)}."),
    )
