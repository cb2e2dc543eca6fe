"""The remark on values that are not finite for a while: the user should see that they are read as gaps."""

from __future__ import annotations

import numpy as np

from lcode.table import RunTable
from lcode.table.axis import epoch_text
from lcode.table.gaps import NotFinite

NAMED = 5
"""So many gaps are named; of the others their number is told."""


def gap_remarks(table: RunTable) -> list[str]:
    """One line on the curves that are NaN or infinite for some epochs and finite again later; none without such."""
    points = table.points
    run, metric = (points[name].cat.codes.to_numpy().astype(np.int64) for name in ("run", "metric"))
    epoch, value = points["epoch"].to_numpy(np.int64), points["value"].to_numpy(float)
    found = NotFinite.of(run * max(len(table.metrics), 1) + metric, epoch, value)
    ends = np.flatnonzero(np.isfinite(value) & (found.since >= 0))
    if not len(ends):
        return []
    named = []
    for end in ends[:NAMED]:
        first, last = (epoch_text(int(at), table.epoch_unit) for at in (found.since[end], epoch[end - 1]))
        when = f"epoch {first}" if first == last else f"epochs {first} to {last}"
        named.append(f"{points['run'].iloc[end]} {points['metric'].iloc[end]} ({when})")
    more = f" and {len(ends) - NAMED} more" if len(ends) > NAMED else ""
    return [f"NaN or infinite, and finite again later, so read as gaps: {', '.join(named)}{more}."]
