"""How the state of a run is told: a candidate is kept as running, and has not begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from lcode.table.table import RunTable

NOT_BEGUN = "not begun"


def told_statuses(table: RunTable) -> pd.Series:
    """The status of each run as people are told it, by run: that of the table, or `not begun` for a candidate."""
    begun = table.runs.index.isin(table.points["run"].unique())
    return table.runs["status"].where(begun | (table.runs["status"] != "running"), NOT_BEGUN)
