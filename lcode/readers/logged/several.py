"""Of several runs that a tool left, the damaged ones are left out with a remark: one is lost, not the folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from lcode.errors import InputError, explained
from lcode.readers.damaged import left_out_remarks
from lcode.readers.logged.base import Logged

T = TypeVar("T")


def parsed(paths: Iterable[Path], parse: Callable[[Path], T]) -> tuple[list[T], list[InputError | OSError]]:
    """What the files say, for runs that several files make up, and what is wrong with those that cannot be read."""
    files: list[T] = []
    damaged: list[InputError | OSError] = []
    for path in paths:
        try:
            files.append(parse(path))
        except (InputError, OSError) as error:
            damaged.append(error)
    return files, damaged


def sound_runs(
    sources: Iterable[T], read: Callable[[T], Sequence[Logged]], damaged: Sequence[InputError | OSError] = ()
) -> list[Logged]:
    """The runs of the sources that can be read; the last run carries a remark on each source that cannot.

    Args:
        sources: what one run or a few are read from: files, folders.
        read: reads one of them.
        damaged: what is wrong with others.

    Raises:
        InputError: none can be read; that of the first.
    """
    runs: list[Logged] = []
    damaged = list(damaged)
    for source in sources:
        try:
            runs += read(source)
        except (InputError, OSError) as error:
            damaged.append(error)
    errors = [
        error
        if isinstance(error, InputError)
        else InputError(f"cannot be read: {explained(error)}", path=error.filename)
        for error in damaged
    ]
    if errors and not runs:
        raise errors[0]
    if errors:
        runs[-1] = replace(runs[-1], notes=(*runs[-1].notes, *left_out_remarks(errors)))
    return runs
