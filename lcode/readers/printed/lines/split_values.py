"""Values of several parts of the data behind one name: `loss: train=1.0, val=1.1; mae: train=0.2, val=0.3`.

As they stand the parts of the data are the names, so that the last metric of a line takes the place of the others.
"""

from __future__ import annotations

import re

from lcode.readers.printed.lines.form_parts import DATA, NUMBER
from lcode.readers.understanding.column_words import is_counter
from lcode.table.metric_names import known_metric

_SPLIT = "|".join(sorted(DATA, key=len, reverse=True))

_ONE = rf"(?:{_SPLIT})(?>\s*[:=]\s*|\s+)(?>{NUMBER}|n/?a\b|none\b)(?:%|[a-z]{{1,3}}\b)?(?![\w./:-]*\d)"
"""A number, or nothing yet, that is named after the data alone."""

_GROUP = re.compile(
    rf"(?<![\w.@/-])(?P<name>[A-Za-z][\w@./-]*)(?P<mark>\s*[:=]\s*|\s+|\s*\(\s*)"
    rf"(?P<values>{_ONE}(?:(?>\s*[,;|/]\s*|\s+){_ONE})+)(?(mark)\s*\)?)",
    re.IGNORECASE,
)
"""A name, and several of these behind it."""

_VALUE = re.compile(rf"(?P<split>{_SPLIT})(?>\s*[:=]\s*|\s+)(?P<value>{NUMBER})", re.IGNORECASE)

_LEGEND = re.compile(rf"\(\s?(?P<first>{_SPLIT})\s?/\s?(?P<second>{_SPLIT})\s?\)", re.IGNORECASE)
"""What says in which order two numbers are of which data: `acc 0.5/0.4 (train/val)`."""

_TWO = re.compile(
    rf"(?<![\w.@/-])(?P<name>[A-Za-z][\w@.-]*)(?P<mark>\s*[:=]\s*|\s+)"
    rf"(?P<first>(?>{NUMBER}))\s?/\s?(?P<second>(?>{NUMBER}))(?!\s?/)",
    re.IGNORECASE,
)


def with_split_values(line: str) -> str:
    """The line in which each of such numbers has a name of its own.

    Example:
        >>> with_split_values("loss: train=1.0, val=1.1; mae: train=0.2, val=0.3")
        ', train_loss: 1.0, val_loss: 1.1, ; , train_mae: 0.2, val_mae: 0.3, '
    """
    legend = _LEGEND.search(line) if "/" in line else None
    if legend is not None:
        line = _TWO.sub(lambda found: _two(found, legend), _LEGEND.sub("", line))
    groups = [
        found for found in _GROUP.finditer(line) if found["name"].lower() not in DATA and not is_counter(found["name"])
    ]
    if len({found["name"].lower() for found in groups}) < 2:
        groups = [found for found in groups if known_metric(found["name"]) is not None]
    for found in reversed(groups):
        named = [f"{one['split']}_{found['name']}: {one['value']}" for one in _VALUE.finditer(found["values"])]
        line = f"{line[: found.start()]}, {', '.join(named)}, {line[found.end() :]}"
    return line


def _is_name(word: str) -> bool:
    """Whether a word may name what was measured."""
    return word.lower() not in DATA and not is_counter(word)


def _two(found: re.Match[str], legend: re.Match[str]) -> str:
    """Two numbers behind a metric, each with the data that it is of."""
    if known_metric(found["name"]) is None:
        return found.group()
    return f"{found['name']}: {legend['first']}={found['first']}, {legend['second']}={found['second']}"
