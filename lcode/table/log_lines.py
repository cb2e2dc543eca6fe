"""The lines of a run log as they stand on the disk: which are whole, and what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lcode.errors import InputError
from lcode.files import refusals
from lcode.json_text import parse_json

_MUST_HAVE: dict[str, tuple[str, type]] = {"epoch": ("epoch", int), "end": ("status", str)}
"""What a writer that goes on with a log must know of a line, by the line's type."""


def is_complete_line(line: bytes) -> bool:
    """Whether this line of a log was written to its end: an object that lost its end does not parse."""
    try:
        return isinstance(parse_json(line), dict)
    except ValueError:
        return False


def complete_lines(path: Path) -> list[bytes]:
    """Lines of the log with their newlines, without a torn last one; none if there is no log yet.

    Raises:
        StorageError: the operating system refuses.
    """
    with refusals(path):
        try:
            lines = path.read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return []
    return lines[:-1] if lines and not is_complete_line(lines[-1]) else lines


def parsed_line(path: Path, line: bytes, number: int) -> dict[str, Any]:
    """One line of a log that is to be continued.

    Raises:
        InputError: it is none.
    """
    try:
        entry = parse_json(line)
        name, kind = _MUST_HAVE.get(entry["type"], ("type", str))
        if type(entry[name]) is not kind:
            raise ValueError(name)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            "is not a line of a run log; mend or remove it, or give the run another name", path=path, line=number
        ) from error
    return entry
