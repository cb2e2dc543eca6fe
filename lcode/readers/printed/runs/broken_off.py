"""Trainings that an error or the machine has ended, by what stands below their last values.

Traceback (most recent call last):
  File "train.py", line 88, in <module>
RuntimeError: CUDA out of memory.

An error that was caught, or after which the training goes on, ends nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from lcode.readers.logged.base import Logged
from lcode.readers.printed.runs.text_runs import counter_of
from lcode.table.table import RunStatus

_TRACEBACK = re.compile(r"(?:^|[\]:>|-]\s*)Traceback \(most recent call last\)")

_WHO = re.compile(r"^(?:\[?rank ?\d+\]?|\d+):\s?")
"""Which of several processes prints a line."""

_ERROR = re.compile(r"[A-Za-z_][\w.]{0,200}(?::.*)?$")
"""The line of a traceback that says what is wrong; those above it are further in."""

_DIED = r"(?:Killed|Segmentation fault|Bus error|Aborted|Terminated|Floating point exception|Out Of Memory)"

_ENDED = re.compile(
    rf"^(?:\S{{1,80}}: line \d+: +\d+ )?{_DIED}(?: \(core dumped\))?(?:\s{{2,}}\S.*)?$"
    r"|^(?:slurmstepd|srun)\S*: .*\b(?i:oom[-_ ]kill|cancelled at\b)"
    rf"|^srun: error: .*: (?:{_DIED}|Exited with exit code [1-9])"
    r"|^(?:=>> PBS: job killed|TERM_[A-Z]+: |Exited with exit code [1-9])"
    r"|^(?:Fatal Python error: |terminate called after throwing|KeyboardInterrupt\b|MemoryError\b)"
    r"|^(?:torch\.(?:cuda\.)?OutOfMemoryError|RuntimeError: CUDA)\b"
    r"|Detected (?:\d+ oom[-_ ]kill event|KeyboardInterrupt\b)"
)
"""What a shell, a queue or the program itself says of a process that has ended before its time."""

_INTERRUPTED = re.compile(
    r"KeyboardInterrupt|CANCELLED AT|TIME LIMIT|TERM_(?:RUNLIMIT|OWNER|ADMIN)|walltime|^Terminated\b"
)
"""What says that somebody, or the limit of a job, has ended it: it did not fail."""

_GOES_ON = re.compile(
    r"\b(?:skip|retry|retries|resum|continu|ignor|restart|recover|caught|fall(?:ing)?[ -]?back|try(?:ing)? again)"
    r"|^\W*epoch\W{0,3}\d(?!.*\d%)",
    re.IGNORECASE,
)
"""What tells that the training goes on behind an error; a bar is drawn once more where it ends."""

_DONE = re.compile(r"\btrain(?:ing)?\s+(?:is\s+|has\s+|was\s+)?(?:done|over|finished|completed?)\b", re.IGNORECASE)
"""What a program says when it has trained: what goes wrong behind it is of something else."""

_SIGNS = (
    *("traceback (most", "killed", "slurmstepd", "srun: ", "oom", "outofmemory", "out of memory", "cuda", "interrupt"),
    *("segmentation", "floating point", "bus error", "aborted", "terminate", "term_", "exit code", "memoryerror"),
    "fatal python",
)
"""One of these is in every text that tells of such an end: the longest are searched at once."""

_MOST_BEHIND = 10
"""Lines that may follow what ended a run at the end of a text: advice, and what the shell's script prints."""

_LONGEST = 2000
"""Characters of a line that are looked at."""

_MOST_TOLD = 100
"""Characters of what ended a run that are told."""


def with_ends(runs: Sequence[Logged], text: str) -> list[Logged]:
    """The runs, those as failed or stopped below whose last values the text says what ended them.

    One that has come to its planned end has not failed, whatever went wrong behind it.

    Args:
        runs: the runs of a text, in the order in which they began, each with its lines.
        text: the text.
    """
    lower = text.lower()
    if not any(sign in lower for sign in _SIGNS):
        return [*runs]
    lines = text.split("\n")
    told = sorted({line for run in runs for line in run.lines or ()})
    ended = []
    for run in runs:
        last = max(run.lines or (), default=0)
        place = bisect_right(told, last)
        if not last or run.status is not None or _has_come_to_its_end(run):
            ended.append(run)
            continue
        is_last = place == len(told)
        found = _end_in(lines[last : None if is_last else told[place] - 1], is_last=is_last)
        ended.append(run if found is None else _with_end(run, found))
    return ended


def _with_end(run: Logged, found: str) -> Logged:
    status: RunStatus = "stopped" if _INTERRUPTED.search(found) else "failed"
    told = found if len(found) <= _MOST_TOLD else f"{found[:_MOST_TOLD]} …"
    note = f"{run.file.name}: {status}, by what stands below the last values: {told}"
    return replace(run, status=status, notes=(*run.notes, note))


def _end_in(lines: Sequence[str], *, is_last: bool) -> str | None:
    """What the lines behind the last values of a run say that ended it; None where it may be going on or was done.

    Args:
        lines: these.
        is_last: whether no other run follows, whose first lines are among them.
    """
    found, within, behind = None, False, 0
    for drawn in lines:
        line = _WHO.sub("", drawn[-_LONGEST:].rpartition("\r")[2].rstrip())
        if not line or line.startswith((" ", "\t", "wandb:")):
            continue
        if found is None and _DONE.search(line) is not None:
            return None
        if _TRACEBACK.search(line) is not None:
            within, behind = True, 0
        elif (within and _ERROR.match(line) is not None) or _ENDED.search(line) is not None:
            found = line if found is None else found  # what ends others as well is told behind its cause
            within, behind = False, 0
        elif found is not None and _GOES_ON.search(line) is not None:
            found = None
        else:
            behind += 1
    return found if behind <= _MOST_BEHIND or not is_last else None


def _has_come_to_its_end(run: Logged) -> bool:
    """Whether the last of the planned epochs was told, which is the one before their number where 0 is the first."""
    planned = run.horizon if run.horizon is not None else run.total
    cells = run.columns.get(counter_of(run) or "")
    counts = [] if cells is None else [count for count in cells.to_pylist() if isinstance(count, (int, float))]
    return planned is not None and bool(counts) and max(counts) >= planned - (min(counts) == 0)
