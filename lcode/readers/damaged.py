"""Of several logs the damaged ones are left out, with a note: one run is lost, not the folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from lcode.errors import InputError
from lcode.readers.part import LogPart

LISTED = 10
"""So many damaged logs are described one by one."""

L = TypeVar("L")


def without_damaged(
    paths: Sequence[Path], read: Callable[[Path], L], combine: Callable[[Sequence[L]], LogPart]
) -> LogPart:
    """The runs of the logs that can be read, and a note on each that cannot.

    Args:
        paths: the logs, at least one.
        read: reads one log.
        combine: puts logs together, and finds damage that `read` does not look for.

    Raises:
        InputError: no log can be read, or two that can contradict each other.
    """
    logs: list[L] = []
    damaged: list[InputError] = []
    for path in paths:
        try:
            logs.append(read(path))
        except InputError as error:
            damaged.append(error)
    try:
        part = combine(logs) if logs else None
    except InputError:
        logs, found = _sound(logs, combine)
        damaged += found
        part = combine(logs) if logs else None
    if part is None:
        raise damaged[0]
    notes = left_out_remarks(damaged)
    if notes:
        notes[-1] += f". The other {len(logs)} logs are read."
    return replace(part, notes=(*part.notes, *notes))


def left_out_remarks(errors: Sequence[InputError]) -> list[str]:
    """A remark on each of the first logs that are damaged; the last says how many there are more."""
    notes = [f"left out: {error}" for error in errors[:LISTED]]
    if len(errors) > LISTED:
        notes[-1] += f" ({len(errors) - LISTED} more are left out)"
    return notes


def _sound(logs: Sequence[L], combine: Callable[[Sequence[L]], LogPart]) -> tuple[list[L], list[InputError]]:
    """Those that can be read alone, and what is wrong with the others: sought by halves, since few are damaged."""
    sound: list[L] = []
    damaged: list[InputError] = []
    halves = [half for half in (logs[: len(logs) // 2], logs[len(logs) // 2 :]) if half]
    for half in halves:
        try:
            combine(half)
            sound += half
        except InputError as error:
            if len(half) == 1:
                damaged.append(error)
            else:
                kept, lost = _sound(half, combine)
                sound += kept
                damaged += lost
    return sound, damaged
