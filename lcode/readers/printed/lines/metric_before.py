"""A metric before several values that are named by what they are of: `MAE e 0.1 (0.1)  f 0.5 (0.5)  s 0.3 (0.3)`.

As they stand the metric is that of the first alone, and what the others are is lost.
"""

from __future__ import annotations

import re
from itertools import takewhile

from lcode.readers.printed.lines.form_parts import ANY_DATA, DATA, NUMBER
from lcode.readers.printed.lines.labels import is_label
from lcode.readers.understanding.column_words import why_left_out
from lcode.readers.understanding.rates import is_rate
from lcode.table.metric_names import known_metric

_ONE = rf"(?>[A-Za-z][\w-]*\s+(?:{NUMBER})(?:\s*\(\s*(?:{NUMBER})\s*\))?(?:\s*,\s*|\s+|(?=\s*[|;)\]])|$))"

_LIST = re.compile(
    rf"(?<![\w.@/-])(?P<split>(?:{ANY_DATA})[ _])?(?P<metric>[A-Za-z][\w@]*) (?P<values>{_ONE}{{2,}}+)", re.IGNORECASE
)

_VALUE = re.compile(rf"(?P<name>[A-Za-z][\w-]*)\s+(?={NUMBER})", re.IGNORECASE)

_FEWEST = 2
"""Words with a value each that a metric is of at least."""

_OF_ALL = frozenset(("macro", "micro", "weighted", "min", "max", "mean", "total"))
"""Words behind a metric that say how one number was made of several: `f1 macro 0.6 micro 0.5` are no tasks."""


def with_metric_of_all(line: str) -> str:
    """The line with such a metric in the name of each value.

    Example:
        >>> with_metric_of_all("MAE e 0.1 (0.2)  f 0.5 (0.6)")
        ', e/MAE: 0.1 (0.2)  , f/MAE: 0.5 (0.6)'
    """
    return _LIST.sub(_named, line)


def _named(found: re.Match[str]) -> str:
    """The values with the metric in their names, up to one that has a metric of its own."""
    if known_metric(found["metric"]) is None or found["metric"].lower() in DATA:
        return found.group()
    values = found["values"]
    names = [*takewhile(lambda one: _is_part(one["name"]), _VALUE.finditer(values))]
    if len({one["name"] for one in names}) < _FEWEST or len({one["name"] for one in names}) < len(names):
        return found.group()
    split = found["split"] or ""
    return _VALUE.sub(lambda one: f", {split}{_name(found['metric'], one['name'])}: ", values, count=len(names))


def _name(metric: str, word: str) -> str:
    """The metric with a word of its own, or that of a part."""
    return f"{metric}_{word}" if word.lower() in _OF_ALL else f"{word}/{metric}"


def _is_part(word: str) -> bool:
    """Whether a word may say of what the metric before it is."""
    return word.lower() in _OF_ALL or (is_label(word) and why_left_out(word) is None and not is_rate(word))
