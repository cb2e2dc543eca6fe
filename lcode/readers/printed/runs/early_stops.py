"""Trainings that a program says have ended, before the last planned epoch or not: `Early stopping after 40 epochs`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pyarrow.compute as pc

from lcode.readers.logged.base import Logged
from lcode.readers.printed.runs.text_runs import counter_of

_STOPPED = re.compile(
    r"early[ _-]?stop(?:ping|ped|s)?\b(?!.*(?:count|will|would|enabled|patience|out of|=|\d ?/ ?\d))|"
    r"early[ _-]?stop\w*[^\d/]{1,40}(?<!\d)(?P<waited>\d{1,6}) ?(?:out of|/) ?(?P=waited)(?![\d.])|"
    r"\b(?:ran|run|running) out of patience\b|\bpatience (?:is |was )?(?:reached|exceeded|exhausted)\b|"
    r"\bstopped early\b|\bstopping\W{1,3}no improvement\b|\bno improvement\b.{1,80}\bstopp(?:ing|ed)\b|"
    r"\bstopp(?:ing|ed) (?:the )?training\b(?! (?:if|when|once|of)\b)|\btraining (?:is |was |has been )?stopped\b|"
    r"^\W*(?:epoch \d+: )?restoring model weights from the end of the best epoch\b|"
    r"early[ _-]?stop(?:ping|ped) at (?:epoch|step|iteration) ?= ?\d|"
    r"signaling trainer to stop",
    re.IGNORECASE,
)
"""How long a program has waited so far, `EarlyStopping counter: 3 out of 10`, and what it will do, ends nothing."""

_DONE = re.compile(
    r"(?<!after )(?<![\w-])training (?:is |has |was )?(?:done|over|finished|completed?)\b|"
    r"\b(?:finished|completed|done(?: with)?) training\b",
    re.IGNORECASE,
)
"""What a program says when it has trained, as planned or not; each epoch may be told so as well."""

_NOT_YET = re.compile(r"\b(?:when|until|once|if|not|will|would|before|eta|step|epoch \d+ training)\b|%", re.IGNORECASE)

_SIGNS = ("early", "patience", "stopping", "restoring model", "training", "signaling")
"""One of these is in every text that says so: the longest are searched at once."""

_LONGEST = 2000
"""Characters of a line that are looked at."""

_BEHIND = 40
"""Lines behind the last values of a run in which it is said."""


def with_early_stops(runs: Sequence[Logged], text: str) -> list[Logged]:
    """The runs, those as finished below whose last values the text says that they are over.

    What ends a run is said once: `Early stopping: no improvement for 2 epochs`, below each epoch, ends none.

    Args:
        runs: the runs of a text, in the order in which they began.
        text: the text.
    """
    lower = text.lower()
    if not any(sign in lower for sign in _SIGNS):
        return [*runs]
    lines = text.split("\n")
    starts = [run.lines[0] if run.lines else len(lines) for run in runs]
    stopped = []
    for run, following in zip(runs, [*starts[1:], len(lines) + 1], strict=True):
        told = run.lines or ()
        last = max(told, default=0)
        behind = lines[last : min(last + _BEHIND, following - 1)]
        ended = last > 0 and run.status is None and any(map(_ends, behind))
        ended = ended and _has_gone_on(run) and not any(map(_ends, lines[min(told) - 1 : last]))
        stopped.append(replace(run, status="finished") if ended else run)
    return stopped


def _ends(line: str) -> bool:
    """Whether a line says that the training above it is over."""
    line = line[:_LONGEST]
    return _STOPPED.search(line) is not None or (_DONE.search(line) is not None and _NOT_YET.search(line) is None)


def _has_gone_on(run: Logged) -> bool:
    """Whether more than one epoch is told: below the first, what is said of each and of the last look alike."""
    cells = run.columns.get(counter_of(run) or "")
    return cells is not None and pc.count_distinct(cells).as_py() > 1
