"""Files of numbers without a name, such as `loss.txt` and `val_acc.json`: a curve each, named after its file.

A program that keeps a list per metric saves each in a file of its own: one number per line, or a list in one line. The
files of a folder that hold as many numbers are the curves of one run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from lcode.readers.loggers.base import Logged
from lcode.readers.loggers.lines import HEAD, PRINTED, ending_of, head_of, is_binary, printed_text, refused
from lcode.readers.loggers.several import parsed, sound_runs
from lcode.readers.raw import as_number
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed

AXIS = "epoch"

FEWEST = 3
"""Numbers that make a curve."""

_ENDINGS = (*PRINTED, ".dat", ".csv", ".tsv", ".json")

_OF_FILE = re.compile(r"[_.\- ]*(?<![A-Za-z])(?:logs?|lists?|history|hist|values?|data|curves?|records?)(?![A-Za-z])")
"""Words in a file's name that say nothing of what is measured: `loss_log.txt`."""

_BETWEEN = re.compile(r"[\s,;\[\]]+")


def is_nameless(path: Path) -> bool:
    """Whether the file is named after a metric and begins with numbers, one per line or in a list."""
    if ending_of(path) not in _ENDINGS or known_metric(_metric(path)) is None:
        return False
    head = head_of(path)
    if is_binary(head):
        return False
    text = printed_text(head)[0]
    if len(head) == HEAD:
        text = text[: max(text.rfind(mark) for mark in (",", "\n", " "))]  # the last number may be cut
    return len(_numbers(text)) >= FEWEST


def nameless_runs(paths: Sequence[Path], tool: str) -> list[Logged]:
    """The runs of such files, one per folder.

    Args:
        paths: the files.
        tool: whose reader asks, for messages.

    Raises:
        InputError: none can be read.
    """
    files, damaged = parsed(paths, lambda path: (path, _curve(path, tool)))
    folders: dict[Path, dict[Path, list[float]]] = {}
    for path, numbers in files:
        folders.setdefault(path.parent, {})[path] = numbers
    return sound_runs(folders.values(), lambda curves: [_run(curves)], damaged)


def _metric(path: Path) -> str:
    """What a file is called after, such as `val_loss` of `val_loss_log.txt`."""
    return _OF_FILE.sub("", path.name.partition(".")[0]).strip("_- ")


def _numbers(text: str) -> list[float]:
    """The numbers of a text that holds one per line, or a list in its only line; none of any other text."""
    lines = [line for line in text.split("\n") if line.strip()]
    cells = [[cell for cell in _BETWEEN.split(line) if cell] for line in lines]
    if len(cells) > 1 and any(len(row) > 1 for row in cells) and "[" not in lines[0]:
        return []  # a table
    if cells[:1] == [["0"]] and not any(row[0].isdigit() for row in cells[1:] if row):
        cells = cells[1:]  # what pandas calls a column without a name
    found = [as_number(cell) for row in cells for cell in row]
    return [] if None in found else [number for number in found if number is not None]


def _curve(path: Path, tool: str) -> list[float]:
    numbers = _numbers(printed_text(path.read_bytes())[0])
    if not numbers:
        raise refused(path, tool, "it holds something else than numbers")
    return numbers


def _run(curves: dict[Path, list[float]]) -> Logged:
    """The curves of a folder as a run."""
    ((size, _), *others) = Counter(map(len, curves.values())).most_common()
    kept = {path: numbers for path, numbers in curves.items() if len(numbers) == size}
    first = next(iter(kept))
    names = [path.name for path in kept]
    notes = [f"{listed(names)}: numbers without a name, so each file is a curve of its name, counted from 1."]
    if others:
        odd = listed([path.name for path in curves if path not in kept])
        notes.append(f"left out, since they do not hold {size} numbers as the others do: {odd}; name one to read it.")
    columns = {AXIS: pa.array(range(1, size + 1), pa.int64())}
    columns |= {_metric(path): pa.array(numbers, pa.float64()) for path, numbers in kept.items()}
    return Logged(first if len(kept) == 1 else first.parent / "run", columns, axis=AXIS, notes=tuple(notes))
