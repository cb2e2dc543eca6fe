"""Lines of values of each part of the data below a line with the metric alone, as OGB's programs print them.

Hits@10
Run: 01, Epoch: 01, Loss: 0.8019, Train: 13.99%, Valid: 7.39%, Test: 8.20%
Hits@50
Run: 01, Epoch: 01, Loss: 0.8035, Train: 19.12%, Valid: 16.85%, Test: 14.01%
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lcode.readers.printed.lines.form_parts import DATA, NUMBER
from lcode.readers.printed.lines.line_forms import without_noise
from lcode.table.metric_names import known_metric

_LONGEST = 40
"""Characters of a line that names a metric alone."""

_NAME = re.compile(r"\s*(?P<name>[A-Za-z][\w@.-]*(?: [\w@.-]+){0,2})\s*:?\s*")

_SPLIT = "|".join(sorted(DATA, key=len, reverse=True))

_OF_DATA = re.compile(rf"(?<![\w./-])(?P<split>{_SPLIT})(?P<mark>\s*[:=]\s*)(?=(?:{NUMBER}))", re.IGNORECASE)

_FEWEST = 2
"""Parts of the data of which values are told in such a line at least."""


def with_metrics_above(lines: Sequence[str]) -> list[str]:
    """The lines, as many, with the metric in the names of the values right below it: `Train Hits@10: 13.99%`."""
    told = list(lines)
    for at in range(1, len(lines)):
        if not lines[at] or len(lines[at - 1]) > _LONGEST or len(_OF_DATA.findall(lines[at])) < _FEWEST:
            continue
        above = _NAME.fullmatch(without_noise(lines[at - 1]).rpartition("\n")[2])
        if above is not None and known_metric(above["name"]) is not None:
            told[at] = _OF_DATA.sub(rf"\g<split> {above['name']}\g<mark>", lines[at])
    return told
