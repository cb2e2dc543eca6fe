"""What is handed over of logs that were read: their runs, and how their columns were understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lcode.readers.part import LogPart


@dataclass(frozen=True)
class Understood:
    """Runs, and how their columns were understood.

    Attributes:
        part: the runs.
        axis: columns that count the epochs.
        left_out: columns that are not read, and why.
    """

    part: LogPart
    axis: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
