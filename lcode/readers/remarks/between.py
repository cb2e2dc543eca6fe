"""Values of signals that are not kept, since a run was not scored at their epochs."""

from __future__ import annotations

from collections.abc import Iterator

from lcode.readers.part import LogPart
from lcode.readers.understanding.curves import Curves
from lcode.show import counted
from lcode.table.reading import listed

_NAMED = 3
"""Signals that the remark names."""


def between_remarks(part: LogPart, curves: Curves, understood: LogPart) -> Iterator[str]:
    """The remark on values between evaluations: a loss of each step beside an accuracy of each epoch.

    Args:
        part: the runs, as logged.
        curves: what their curves are.
        understood: the runs with their signals at the epochs at which they were scored.
    """
    logged = part.points.loc[part.points["metric"].isin(list(curves.signals)), "value"].notna().sum()
    missing = int(logged) - (len(understood.signals) - len(part.signals))
    if missing > 0:
        signals = listed([*curves.signals], _NAMED)
        yield (
            f"left out: {counted(missing, 'value')} of signals ({signals}) at epochs at which nothing is scored; the "
            "last one up to each that is scored is kept."
        )
