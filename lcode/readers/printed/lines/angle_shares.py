"""Shares of surface normals within an angle, which are named by the angle alone: `mean 20.1, 11.25 0.4, 22.5 0.7`.

As they stand they are numbers with a number behind them, and what names the task of all of them is lost.
"""

from __future__ import annotations

import re

_ANGLES = ("11.25", "22.5")
"""A line that holds both tells of normals: the third, 30, may be anything."""

_SHARE = re.compile(
    r"(?<![\w.<@+-])(?:(?P<quote>['\"])(?P<quoted>11\.25|22\.5|30)(?P=quote)\s*[:=]\s*"
    r"|<?\s?(?P<bare>11\.25|22\.5|30)(?:°|\s?deg)?(?:\s*[:=]\s*|\s+))(?=[01]?\.\d|[01]\b|\d{1,2}\.\d|100\b)"
)

_UNMARKED = re.compile(r"(?<![\w./-])(mean|median|med)[ \t]+(?=\d)", re.IGNORECASE)
"""Which angle stands before them, and alone they name nothing."""


def with_angle_shares(line: str) -> str:
    """The line in which the usual angles are names.

    Example:
        >>> with_angle_shares("normals: mean 20.1, 11.25 0.4, 22.5 0.7, 30 0.8")
        'normals: mean: 20.1, within_11.25: 0.4, within_22.5: 0.7, within_30: 0.8'
    """
    if not all(angle in line for angle in _ANGLES):
        return line
    found = {one["quoted"] or one["bare"] for one in _SHARE.finditer(line)}
    if not found.issuperset(_ANGLES):
        return line
    line = _UNMARKED.sub(r"\1: ", line)
    return _SHARE.sub(lambda one: f"within_{one['quoted'] or one['bare']}: ", line)
