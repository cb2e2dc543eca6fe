"""Lines of text files that a tool appends to while it trains, and that a crash, a full disk or a resume has torn."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lcode.errors import InputError
from lcode.json_text import parse_json
from lcode.readers.encodings import is_utf16, text_of_bytes, without_torn_lines

PRINTED = ("", ".log", ".txt", ".out", ".err", ".stdout")
"""Endings of the files in which people keep what a program prints."""

_SET_ASIDE = re.compile(
    r"(?:[._-](?:bk|bak|backup|old|orig|prev|save|saved|copy|\d[\d_.-]*)|~|(?<=\.log)\d+|(?<=\.(?:txt|out))\d+)+$",
    re.IGNORECASE,
)
"""What is put behind the name of a file that is kept beside a newer one: `train.log.bk`, `train.log.1`, `log.txt~`."""

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[B-Za-z]")
"""What colours a text or clears a line, but not what goes a line up to draw over it."""

_OF_JOB = re.compile(r"\.[oe]\d+$")
"""How a queue names what a job printed: `train.sh.o12345`."""

_LINE_END = re.compile(r"\r+\n")
"""An end of line, with a carriage return for each time that it went through a program of Windows."""

_SUMMED_UP = re.compile(r"^wandb: +Run (?:history|summary):[ \t]*(?:\nwandb:[ \t]+\S.*)*", re.MULTILINE)
"""What W&B prints when a run ends: its last values once more, or its best; nothing says when these were told."""

HEAD = 1 << 16
"""Bytes by which a file is recognised; the first line of one with a whole configuration in every line is longer, but
its first keys are not."""


@dataclass(frozen=True)
class Objects:
    """JSON objects, one per line.

    Attributes:
        rows: the objects.
        lines: 1-based line of each.
        notes: remarks on lines that were left out.
    """

    rows: list[dict[str, Any]]
    lines: list[int]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cells:
    """Rows of a delimited file, cells without blanks around them.

    Attributes:
        header: name of each column.
        rows: cells of each row, as many as there are columns.
        lines: 1-based line of each row.
        notes: remarks on rows that were left out.
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    notes: tuple[str, ...] = ()


def ending_of(path: Path) -> str:
    """The ending by which a file says what it holds, in lower case: `.log` of `train.log.1`; empty: it has none."""
    name = _OF_JOB.sub(".out", path.name.lower())
    return Path(_SET_ASIDE.sub("", name) or name).suffix


def head_of(path: Path, size: int = HEAD) -> bytes:
    """The first bytes of a file, to recognise it by; none where it is missing or cannot be read.

    Args:
        path: the file.
        size: how many at most; few where files of every name are asked, such as large checkpoints.
    """
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""


def first_header(path: Path, separator: str = ",") -> list[str]:
    """The names in the first line of a delimited file, without blanks around them; empty where it cannot be read."""
    first = head_of(path).split(b"\n", 1)[0].decode("utf-8-sig", "replace")
    return [name.strip().strip('"').strip() for name in first.split(separator)] if first.strip() else []


def first_object(path: Path) -> dict[str, Any]:
    """The first line of a file that holds something, if it is a JSON object, else an empty one; `{}` holds nothing."""
    for line in head_of(path).split(b"\n"):
        if line.strip() in (b"", b"{}"):
            continue
        try:
            found = parse_json(line)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}
    return {}


def objects_in(text: str) -> list[dict[str, Any]]:
    """The objects of JSON that follow each other in a text, each in as many lines as it takes; up to a torn one."""
    return numbered_objects(text)[0]


def numbered_objects(text: str) -> tuple[list[dict[str, Any]], list[int]]:
    """Such objects, and the 1-based line at which each begins."""
    decoder, found, lines, line, end = json.JSONDecoder(), [], [], 1, 0
    while (at := text.find("{", end)) >= 0:
        try:
            after = decoder.raw_decode(text, at)[1]
            row = parse_json(text[at:after])
        except (ValueError, RecursionError):
            break
        line += text.count("\n", end, at)
        found.append(row)
        lines.append(line)
        line += text.count("\n", at, after)
        end = after
    return found, lines


def text_of(path: Path, tool: str) -> tuple[str, tuple[str, ...]]:
    """The text of a file, and a remark if zero bytes that a crash had left in it or at its end were cut off.

    Raises:
        InputError: it is empty, or no UTF-8 text.
    """
    data = path.read_bytes()
    kept = data.rstrip(b"\0")
    notes: tuple[str, ...] = ()
    if len(kept) < len(data):
        notes = (f"{path.name}: zero bytes at the end, as a crash leaves them, were left out.",)
    kept, torn = without_torn_lines(kept)
    if torn:
        notes = (*notes, f"{path.name}: {torn}.")
    if not kept.strip():
        raise InputError(
            f"is empty, so {tool} has logged nothing yet; read it after the first epoch, or move it away", path=path
        )
    at = kept.find(b"\0")
    try:
        if at < 0:
            return kept.decode("utf-8-sig"), notes
        wrong = "holds zero bytes"
    except UnicodeDecodeError as error:
        at, wrong = error.start, "is not UTF-8 text"
    raise refused(path, tool, wrong, kept.count(b"\n", 0, at) + 1)


def printed_text(data: bytes) -> tuple[str, str]:
    """What a program printed, as text, and what is odd about the bytes, empty where nothing is.

    A worker that crashes leaves zero bytes in the middle: numbers are read all the same. What W&B sums up is left out,
    and lines keep their numbers.
    """
    zeros = 0 if is_utf16(data) else data.count(b"\0")
    text, odd = text_of_bytes(data.replace(b"\0", b"") if zeros else data)
    text = _LINE_END.sub("\n", text)
    text = _ESCAPE.sub("", text) if "\x1b" in text else text
    text = _SUMMED_UP.sub(lambda found: "\n" * found[0].count("\n"), text) if "wandb: " in text else text
    return text, f"{zeros} zero bytes were left out" if zeros else odd


def is_binary(data: bytes) -> bool:
    """Whether zero bytes stand in more places than a crash leaves them in a text, at the beginning of a file."""
    return not is_utf16(data) and 100 * len(re.findall(rb"\0+", data)) > len(data)


def refused(path: Path, tool: str, found: str, line: int | None = None) -> InputError:
    """The error to raise for a file that is not what its name and first bytes promise."""
    return InputError(
        f"is read as a file of {tool}, but {found}; restore it from a copy, or move it away to read the others",
        path=path,
        line=line,
    )


def json_objects(path: Path, tool: str, *, every_line: bool = False) -> Objects:
    """The objects of a file with one per line; a torn line is left out with a remark.

    Args:
        path: the file.
        tool: who wrote it, for messages.
        every_line: whether a torn line that is not the last one makes the rest worthless.

    Raises:
        InputError: empty, no text, or most lines are no JSON objects.
    """
    text, notes = text_of(path, tool)
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    torn: list[int] = []
    number = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            rows.append(row)
            lines.append(number)
        else:
            torn.append(number)
    whole = torn[:-1] if torn[-1:] == [number] else torn  # its last line, without a line end, may still be written
    if not rows or len(torn) > len(rows) or (every_line and whole):
        raise refused(path, tool, "this line is no JSON object", torn[0])
    return Objects(rows, lines, (*notes, *torn_notes(path, torn, number)))


def csv_cells(path: Path, tool: str, *, separator: str = ",", comments: bool = False) -> Cells:
    """The cells of a file with a header and one row per line; a torn line is left out with a remark.

    A header that comes again, as where a resumed training appends to the file, is no row.

    Args:
        path: the file.
        tool: who wrote it, for messages.
        separator: what stands between cells.
        comments: whether lines that begin with `#` are none of the table.

    Raises:
        InputError: empty, no text, with no or unusable names, or most rows do not fit the header.
    """
    text, notes = text_of(path, tool)
    # The standard library refuses cells of more than 131,072 characters, such as a whole configuration.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    # Cells hold no line breaks, and a torn line may hold an open quote: so line by line.
    header: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    torn: list[int] = []
    number = 0
    for number, line in enumerate(re.split(r"\r*\n", text), start=1):
        if not line.strip() or (comments and line.startswith("#")):
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
        except csv.Error:
            torn.append(number)
            continue
        if not header:
            header = cells
            _check_header(path, tool, header, number)
        elif len(cells) != len(header):
            torn.append(number)
        elif cells != header:
            rows.append(cells)
            lines.append(number)
    if len(torn) > max(len(rows), 1):
        raise refused(path, tool, f"this row does not have the {len(header)} cells of the header", torn[0])
    if not torn and len(rows) > 1 and lines[-1] == number and _may_be_cut(rows):
        torn.append(lines.pop())
        rows.pop()
    return Cells(header, rows, lines, (*notes, *torn_notes(path, torn, number)))


def _may_be_cut(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the last cell of a file without a last line end is shorter than every other cell of its column.

    `1.4` may then be the beginning of `1.4e-3`; tools end every line.
    """
    return len(rows[-1][-1]) < min(len(row[-1]) for row in rows[:-1])


def _check_header(path: Path, tool: str, header: list[str], line: int) -> None:
    if header[-1:] == [""]:
        header.pop()  # a separator at the end of every line
    for at, name in enumerate(header):
        if not name:
            header[at] = f"column {at + 1}"
        elif name in header[:at]:
            raise refused(path, tool, f"there are two columns '{name}'", line)


def torn_notes(path: Path, torn: Sequence[int], last: int) -> list[str]:
    """Remarks on lines that were left out, the last of which may still be written."""
    notes = []
    if torn[-1:] == [last]:
        notes.append(f"{path.name}: the last line is incomplete and was left out.")
        torn = torn[:-1]
    if torn:
        which = ", ".join(map(str, torn[:5])) + (" …" if len(torn) > 5 else "")
        notes.append(f"{path.name}: {len(torn)} torn line(s) were left out: {which}.")
    return notes
