"""Values of several parts of the data behind one name: `loss: train=1.0, val=1.1; mae: train=0.2, val=0.3`.

As they stand the parts of the data are the names, so that the last metric of a line takes the place of the others.
"""

from __future__ import annotations

import re

from lcode.readers.printed.lines.form_parts import ANY_DATA, DATA, NUMBER
from lcode.readers.understanding.column_words import is_counter
from lcode.table.metric_names import known_metric

_ONE = rf"(?:{ANY_DATA})(?>\s*[:=]\s*|\s+)(?>{NUMBER}|n/?a\b|none\b)(?:%|[a-z]{{1,3}}\b)?(?![\w./:-]*\d)"
"""A number, or nothing yet, that is named after the data alone."""

_GROUP = re.compile(
    rf"(?<![\w.@/-])(?P<name>[A-Za-z][\w@./-]*)(?P<mark>\s*[:=]\s*|\s+|\s*\(\s*)"
    rf"(?P<values>{_ONE}(?:(?>\s*[,;|/]\s*|\s+){_ONE})+)(?(mark)\s*\)?)",
    re.IGNORECASE,
)
"""A name, and several of these behind it."""

_VALUE = re.compile(rf"(?P<split>{ANY_DATA})(?>\s*[:=]\s*|\s+)(?P<value>{NUMBER})", re.IGNORECASE)

_LEGEND = re.compile(rf"\(\s?(?P<first>{ANY_DATA})\s?/\s?(?P<second>{ANY_DATA})\s?\)", re.IGNORECASE)
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
    groups = [found for found in _GROUP.finditer(line) if _is_name(found["name"])]
    known = [found for found in groups if known_metric(found["name"]) is not None]
    if not known or len({found["name"].lower() for found in groups}) < 2:
        groups = known  # `current: train=0.6, val=0.5; best: train=0.7, val=0.4` names no metric
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
