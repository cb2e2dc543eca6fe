"""Runs whose curves are all left out, since they were measured on another part of the data than those of other runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lcode.readers.part import LogPart
from lcode.readers.understanding.curves import Curves
from lcode.table.reading import listed

_NAMED = 3
"""Runs that a remark names."""


def unscored_remarks(part: LogPart, curves: Curves) -> Iterator[str]:
    """The remark on runs of which no curve is scored: they stay in the table, without a value.

    A run without validation data cannot be compared with those that have some: its test scores are better or worse
    for the data alone, and to choose by them would spoil them. So the user decides.
    """
    points = part.points
    scored = set(points.loc[points["metric"].isin(list(curves.scored)), "run"])
    others = points[~points["run"].isin(list(scored))]
    if not len(others):
        return
    runs = [str(run) for run in others["run"].unique()]
    keys = [str(key) for key in others["metric"].unique()]
    tests = [key for key in keys if curves.left_out.get(key) == "test set"]
    example = (tests or keys)[0]
    who, them = listed([repr(run) for run in runs], _NAMED), "these" if len(runs) > 1 else "this one"
    yield (
        f"no curve of {who} is scored, since others are measured on validation data and {them} only as "
        f"{listed(keys, _NAMED)}; --map '{_pattern(example)}' scores these curves in all runs"
    )


def _pattern(key: str) -> str:
    """How a name says task and metric, for `--map`: `test/{task}/{metric}` of `test/seg/loss`."""
    found = re.match(r"[A-Za-z]+[/_.]", key)
    begin = found[0] if found else ""
    return f"{begin}{{task}}/{{metric}}" if "/" in key[len(begin) :] else f"{begin}{{metric}}"
