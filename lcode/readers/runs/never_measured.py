"""Scores that are NaN in all runs from the first evaluation on: they were never measured, and nothing has diverged.

COCO's average precision of small objects is NaN where the data hold none. Whatever a network puts out, right answers
can be counted; a loss, an error or a correlation of what is no number is none itself. A score may also be measured
rarely, and not yet: only one of the same evaluation, which has values to the end, tells that there was something.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from lcode.readers.part import LogPart
from lcode.readers.understanding.column_words import words_of
from lcode.readers.understanding.curve_names import split_name
from lcode.table.reading import listed

_BETWEEN = re.compile(r"[^a-z0-9]+")

_COUNTED = (
    frozenset(("ap", "ap50", "ap75", "aps", "apm", "apl", "map", "map50", "map75", "ar", "mar", "ars", "arm", "arl")),
    frozenset(("acc", "accuracy", "macc", "aacc")),
    frozenset(("iou", "miou", "fwiou", "dice", "mdice")),
    frozenset(("precision", "recall", "f1", "fscore")),
)
"""Scores that are counted from right answers, by what measures them in one go."""


def without_never_measured(part: LogPart, stated: Collection[str]) -> LogPart:
    """The runs without scores that have no value in any of them, where others of their kind have, and a remark.

    Args:
        part: the runs.
        stated: curves that the user named, which stay.
    """
    given = part.points["value"].notna().groupby(part.points["metric"], observed=True).any()
    without = [str(key) for key, has in given.items() if not has and key not in stated and _kind(str(key))]
    whole = _told_to_the_end(part) if without else set()
    never = [key for key in without if _kind(key) in map(_kind, whole)]
    if not never:
        return part
    points = part.points[~part.points["metric"].isin(never)]
    return replace(
        part,
        points=points.assign(metric=points["metric"].cat.remove_categories(never)),
        metrics={key: direction for key, direction in part.metrics.items() if key not in never},
        by_tools=part.by_tools - {*never},
        notes=(*part.notes, f"left out, since they are NaN in all runs from the first value on: {listed(never)}."),
    )


def _told_to_the_end(part: LogPart) -> set[str]:
    """The scores of held-out data that have a value wherever some run tells them, up to the last of its epochs."""
    points = part.points
    rows = points.assign(has=points["value"].notna()).groupby(["run", "metric"], observed=True)
    own = rows.agg(whole=("has", "all"), end=("epoch", "max"))
    last = own.groupby("run", observed=True)["end"].transform("max")
    return {str(key) for _, key in own.index[own["whole"] & (own["end"] == last)] if split_name(str(key))[0] != "train"}


def _kind(key: str) -> int:
    """Which of the kinds of counted scores a curve is by its name, from 1 on; 0: none of them."""
    words = {*words_of(key), *_BETWEEN.split(key.lower())}
    return next((at for at, kind in enumerate(_COUNTED, start=1) if kind & words), 0)
