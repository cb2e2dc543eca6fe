"""Run logs of one run, which was resumed into another file, as one log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lcode.errors import InputError
from lcode.readers.run_logs.log import Log
from lcode.readers.runs.resumed import resumed_note

_SAME = ("metrics", "config", "arch", "seed", "problem")
"""Fields of a run log's header that a resume does not change; it may prolong the run and plan its rates anew."""


def one_log(logs: Sequence[Log]) -> Log:
    """The logs of one run as one.

    Raises:
        InputError: two headers contradict each other; the message names both files.
    """
    ordered = sorted(logs, key=lambda log: min((entry["epoch"] for entry in log.epochs), default=-1))
    last = ordered[-1]
    for log in ordered[:-1]:
        for name in _SAME:
            before, now = getattr(log.header, name), getattr(last.header, name)
            if repr(before) != repr(now):  # NaN equals NaN
                raise InputError(
                    f"run '{log.header.run}' has another '{name}' here ({_short(now)}) than in {log.path} "
                    f"({_short(before)}); a run that was resumed keeps it, so correct one of the headers, or "
                    "change the run's name in one",
                    path=last.path,
                    line=1,
                    column=name,
                )
    plans = [log.header.schedule for log in ordered if log.header.schedule is not None]
    header = replace(last.header, schedule=plans[-1] if plans and len(plans[-1]) == last.header.horizon else None)
    return replace(
        last,
        header=header,
        epochs=[entry for log in ordered for entry in log.epochs],
        places=[place for log in ordered for place in log.places],
        notes=(
            *(note for log in ordered for note in log.notes),
            resumed_note([header.run], [log.path for log in ordered]),
        ),
    )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "…"
