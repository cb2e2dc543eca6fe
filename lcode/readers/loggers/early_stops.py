"""Trainings that a program says it has ended before the last planned epoch: `Early stopping after 40 epochs`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from lcode.readers.loggers.base import Logged

_STOPPED = re.compile(
    r"early[ _-]?stop(?:ping|ped|s)?\b(?!.*(?:count|will|would|enabled|patience|out of|=|\d ?/ ?\d))|"
    r"early[ _-]?stop(?:ping|ped) at (?:epoch|step|iteration) ?= ?\d|"
    r"signaling trainer to stop",
    re.IGNORECASE,
)
"""How long a program has waited so far, `EarlyStopping counter: 3 out of 10`, and what it will do, ends nothing."""

_BEHIND = 40
"""Lines behind the last values of a run in which it is said."""


def with_early_stops(runs: Sequence[Logged], text: str) -> list[Logged]:
    """The runs, those as finished below whose last values the text says that they were stopped early.

    What ends a run is said once: `Early stopping: no improvement for 2 epochs`, below each epoch, ends none.

    Args:
        runs: the runs of a text, in the order in which they began.
        text: the text.
    """
    lower = text.lower()
    if "early" not in lower and "signaling" not in lower:  # most texts, of which the longest are searched at once
        return [*runs]
    lines = text.split("\n")
    starts = [run.lines[0] if run.lines else len(lines) for run in runs]
    stopped = []
    for run, following in zip(runs, [*starts[1:], len(lines) + 1], strict=True):
        told = run.lines or ()
        last = max(told, default=0)
        behind = lines[last : min(last + _BEHIND, following - 1)]
        ended = last > 0 and run.status is None and any(map(_STOPPED.search, behind))
        ended = ended and not any(map(_STOPPED.search, lines[min(told) - 1 : last]))
        stopped.append(replace(run, status="finished") if ended else run)
    return stopped
