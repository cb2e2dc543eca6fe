"""Lines of numbered parts below a line of held-out data: they are of these data too, though only the first says so.

epoch: 3 test: auc: [0.71, 0.65]
task 0, AUC 0.71, Log-loss 0.19
task 1, AUC 0.65, Log-loss 0.21
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lcode.readers.printed.lines.labels import PARTS
from lcode.readers.printed.lines.line_forms import without_noise

_HELD_OUT = r"(?P<split>val(?:id(?:ation)?)?|dev|test|eval(?:uation)?)"

_ABOVE = re.compile(rf"(?i)(?:.{{0,60}}[\s|,;\]>-])?(?<![\w/]){_HELD_OUT}\s?[:|-](?P<rest>.*)")
"""A line of which the values are of held-out data."""

_PART = re.compile(rf"(?i)(?P<part>\s*(?:{PARTS})[ _#]*\d+\s*[,:|]\s*)(?=[A-Za-z])")

_SAYS = re.compile(r"(?i)(?<![A-Za-z])(?:train|val|valid|validation|dev|test|eval)(?![A-Za-z])")

_BEST = re.compile(r"(?i)\bbest\b")

_LONGEST = 400
"""Characters of such a line at most."""


def with_data_of_parts(lines: Sequence[str]) -> list[str]:
    """The lines, those of numbered parts with the data that the line right above them says: `task 0, test: AUC 0.7`.

    Below one that tells of the best so far, what was told before is told again, and is left out; but where that line
    counts on, so do those below it: `epoch: 4 test: best auc: 0.72`.
    """
    told, split, again = list(lines), "", False
    counted = set[str]()
    if not any(map(_PART.match, lines)):
        return told
    for at, line in enumerate(lines):
        part = _PART.match(line) if len(line) <= _LONGEST else None
        if part is not None:
            if split and not _SAYS.search(line, part.end()):
                told[at] = "" if again else f"{part['part']}{split}: {line[part.end() :]}"
            continue
        above = _ABOVE.match(without_noise(line).rpartition("\n")[2]) if len(line) <= _LONGEST else None
        split = "" if above is None or not any(map(str.isdigit, above["rest"])) else above["split"].lower()
        count = "" if above is None else above.string[: above.start("split")].strip()
        goes_on = any(map(str.isdigit, count)) and count not in counted
        again = above is not None and not goes_on and _BEST.search(above["rest"]) is not None
        counted.add(count)
    return told
