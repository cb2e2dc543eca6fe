"""Lists to which a program adds a value in each epoch, and which it prints each time as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lcode.readers.printed.lines.form_parts import NUMBER

_LIST = re.compile(
    rf"^(?P<name>\W*[A-Za-z][\w @./%-]*[:=]?) *\[(?P<values> *(?:{NUMBER}) *(?:, *(?:{NUMBER}) *)*)\]\s*$",
    re.IGNORECASE,
)

_FEWEST = 2
"""Times that a list must have grown."""


def may_hold_lists(text: str) -> bool:
    """Whether there may be such lists, so that the lines are worth a look."""
    return text.count("]\n") > _FEWEST


def with_newest_values(lines: Sequence[str]) -> list[str]:
    """The lines, in which of each list that grows only the newest value is told: `accs: [0.2, 0.3]` is `accs: 0.3`.

    Example:
        >>> with_newest_values(["acc: [0.2]", "acc: [0.2, 0.3]", "acc: [0.2, 0.3, 0.5]"])
        ['acc: 0.2', 'acc: 0.3', 'acc: 0.5']
    """
    found = [_LIST.match(line) if "[" in line and line.rstrip().endswith("]") else None for line in lines]
    last: dict[str, str] = {}
    grown: dict[str, int] = {}
    others: set[str] = set()
    for one in found:
        if one is None:
            continue
        name, values = one["name"].strip(), one["values"].strip()
        before = last.get(name)
        if before is not None and values.startswith(f"{before},") and values.count(",") == before.count(",") + 1:
            grown[name] = grown.get(name, 0) + 1
        elif before is not None or "," in values:
            others.add(name)
        last[name] = values
    lists = {name for name, times in grown.items() if times >= _FEWEST} - others
    return [
        line
        if one is None or one["name"].strip() not in lists
        else f"{one['name'].rstrip(' :=')}: {one['values'].rpartition(',')[2].strip()}"
        for line, one in zip(lines, found, strict=True)
    ]
