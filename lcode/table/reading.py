"""What a reader understood of logs: shown before anything is scored, so that a wrong guess is seen at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SHOWN = 8
"""So many names are listed in a line; of the others their number is told."""


BASELINE = "baseline.csv"
"""Where `mtl-runs sweep --single-task` writes the references of Δm, beside its logs."""

_PURPOSES = {BASELINE: " (the references, which lcode rank and lcode report take up)"}


@dataclass(frozen=True)
class Reading:
    """How logs were understood.

    Attributes:
        sources: what wrote them, and how many runs are from there.
        axis: columns that count the epochs, as the logs name them.
        left_out: columns and curves that are not read, and why.
        of_names: settings that are read from the runs' names, for want of a configuration.
        assumed_horizon: whether the planned last epoch is the largest that was logged, for want of another.
    """

    sources: Mapping[str, int] = field(default_factory=dict)
    axis: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    of_names: tuple[str, ...] = ()
    assumed_horizon: bool = False


def listed(names: Sequence[str], most: int = SHOWN) -> str:
    """`a, b, c and 5 more`."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def with_purpose(name: str) -> str:
    """The name of a file that is not read as a log, and what it is for, where that is known."""
    return f"{name}{_PURPOSES.get(name, '')}"
