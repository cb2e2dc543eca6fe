"""Lines of values of each part of the data below a line with the metric alone, as OGB's programs print them.

Hits@10
Run: 01, Epoch: 01, Loss: 0.8019, Train: 13.99%, Valid: 7.39%, Test: 8.20%
Hits@50
Run: 01, Epoch: 01, Loss: 0.8035, Train: 19.12%, Valid: 16.85%, Test: 14.01%
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from lcode.readers.printed.lines.form_parts import ANY_DATA, NUMBER
from lcode.readers.printed.lines.line_forms import without_noise
from lcode.table.metric_names import known_metric

_LONGEST = 40
"""Characters of a line that names a metric alone."""

_NAME = re.compile(
    rf"\s*(?P<name>[A-Za-z][\w@.-]*(?: (?:(?<=@ )\d+|(?!(?:{NUMBER})(?![\w@-]))[\w@.-]+)){{0,2}})\s*:?\s*",
    re.IGNORECASE,
)
"""A name of up to three words, of which those behind the first are no numbers: `loss 1.000` is a value."""

_WORD_ENDS = re.compile(r"(?:@ ?\d+|[A-Za-z][\w@.-]*)\s*:?\s*$")
"""How most lines with a value do not end."""

_OF_DATA = re.compile(rf"(?<![\w./-])(?P<split>{ANY_DATA})(?P<mark>\s*[:=]\s*)(?=(?:{NUMBER}))", re.IGNORECASE)

_FEWEST = 2
"""Parts of the data of which values are told in such a line at least, and such lines of one form."""

_NUMBER = re.compile(NUMBER, re.IGNORECASE)


def with_metrics_above(lines: Sequence[str]) -> list[str]:
    """The lines, as many, with the metric in the names of the values right below it: `Train Hits@10: 13.99%`.

    Lines of one form are all below such a metric, or none of them is named by it: a title above the first alone would
    give the first epoch another name.
    """
    told = list(lines)
    known = {line: name for line in {*lines} if (name := _metric_alone(line))}
    if not known:
        return told
    names: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for at, line in enumerate(lines):
        if len(_OF_DATA.findall(line)) >= _FEWEST:
            names[_NUMBER.sub("", line)].append((at, known.get(lines[at - 1], "") if at else ""))
    for of_form in names.values():
        if len(of_form) >= _FEWEST and all(name for _, name in of_form):
            for at, name in of_form:
                told[at] = _OF_DATA.sub(rf"\g<split> {name}\g<mark>", lines[at])
    return told


def _metric_alone(line: str) -> str:
    """The known metric that is all a line says; else empty."""
    if len(line) > _LONGEST or _WORD_ENDS.search(line) is None:
        return ""
    found = _NAME.fullmatch(without_noise(line).rpartition("\n")[2])
    return "" if found is None or known_metric(found["name"]) is None else found["name"]
