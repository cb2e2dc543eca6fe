"""Tables that a program prints again in each epoch, of batches and of what they came to by turns: rows of one training.

# Epoch batch         loss       loss_f
      1    10        0.866        0.694

  Train      #    Epoch       LR         loss       loss_f
! Train               1    0.005        0.866         0.69
! Validation          1    0.005        0.862        0.699
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from lcode.readers.logged.lines import Cells
from lcode.readers.printed.lines.printed_line import FEWEST
from lcode.readers.printed.tables.printed_tables import without_time
from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import EPOCHS, STEPS
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS

_COUNTED = frozenset((*EPOCHS, *STEPS))

_SIGNS = frozenset("#!*|")
"""What stands before a header or a row, or between the names of one, and is no name."""

_LONGEST = 1000
"""Characters of a line that may be a header."""


def take_turns(tables: Sequence[Cells]) -> bool:
    """Whether the tables of a text are printed by turns in each epoch, so that none is a run of its own.

    Those with one header have others between them, and most count on from the one before; runs begin anew.
    """
    first: dict[tuple[str, ...], list[float]] = {}
    for table in tables:
        at = next((at for at, name in enumerate(table.header) if name.lower() in _COUNTED), None)
        count = None if at is None else as_number(table.rows[0][at])
        if count is not None:
            first.setdefault(tuple(table.header), []).append(count)
    again = [[now > before for before, now in pairwise(counts)] for counts in first.values() if len(counts) >= FEWEST]
    return len(first) > 1 and bool(again) and all(2 * sum(rises) > len(rises) for rises in again)


def with_repeated_tables(lines: Sequence[str]) -> list[str]:
    """The lines, as many, with what the rows below headers that come again tell: `epoch 1, val/loss: 0.862`."""
    often = Counter(line for line in lines if len(line) <= _LONGEST)
    again = [_header(line) for line, times in often.items() if times >= FEWEST]
    again = [found for found in again if found]
    if not again:
        return [*lines]
    counters = {found[0] for found in again}
    # `Initialization # Epoch loss` above the first row of what is told below `Train # Epoch loss` from then on
    may_be = (line for line in often if any(counter in line for counter in counters))
    headers = {line: found for line in may_be if (found := _header(line)) in again}
    told = list(lines)
    names: list[str] = []
    for at, line in enumerate(lines):
        if line in headers:
            told[at], names = "", headers[line]
        elif names and (text := _row(names, line)):
            told[at] = text
        else:
            names = []
    return told


def _words(line: str) -> list[str]:
    return [word for word in without_time(line).split() if word not in _SIGNS]


def _header(line: str) -> list[str]:
    """The names of a header from that of its counter on, which others or signs stand before; empty where it is none."""
    words = _words(line)
    at = next((at for at, word in enumerate(words[:2]) if word.lower() in _COUNTED), None)
    names = [] if at is None or line.split()[:1] == words[at : at + 1] else words[at:]
    distinct = len(names) > 2 and len(set(names)) == len(names)
    plain = all(as_number(name) is None and not name.endswith((":", "=", ",")) for name in names)
    return names if distinct and plain and any(known_metric(name) is not None for name in names) else []


def _row(names: Sequence[str], line: str) -> str:
    """What a row tells, of the data that it names if it does; empty where the line is no row of these names."""
    words = _words(line)
    start = next((at for at, word in enumerate(words) if as_number(word) is not None), len(words))
    cells = words[start:]
    split = SPLITS.get(words[start - 1].lower(), "") if start else ""
    if len(cells) != len(names) or (start and not split) or any(as_number(cell) is None for cell in cells):
        return ""
    return ", ".join(_told(names, cells, f"{split}/" if split else ""))


def _told(names: Sequence[str], cells: Sequence[str], of: str) -> Iterator[str]:
    for name, cell in zip(names, cells, strict=True):
        yield f"{name.lower()} {cell}" if name.lower() in _COUNTED else f"{of}{name}: {cell}"
