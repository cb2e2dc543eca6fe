"""What lcode itself has written, such as a ranking, left in the folder of the logs: it holds no run."""

from __future__ import annotations

from collections.abc import Collection

_OUTPUTS = (
    frozenset(("run", "rank", "score", "p_best", "action")),
    frozenset(("run", "rank", "to_end", "price", "gain")),
    frozenset(("run", "metric", "observed", "q05", "q50", "q95")),
)
"""Columns of `lcode rank`, `suggest` and `predict`."""


def is_own_output(columns: Collection[str]) -> bool:
    """Whether a table with these columns is a ranking, a list of next steps, or a forecast."""
    return any(own <= set(columns) for own in _OUTPUTS)
