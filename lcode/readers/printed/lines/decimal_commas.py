"""Numbers printed with a decimal comma, as programs do where that is the custom: `loss = 1,8001, acc = 27,39 %`."""

from __future__ import annotations

import re

_NAMED = re.compile(r"(?<=[A-Za-z%)\]µ])(?: *[:=] *| +)[+-]?(?P<whole>\d+)(?P<mark>[.,])(?P<rest>\d+)(?!\d|[.,:]\d)")
"""A number behind a name, with what stands before its decimals, or between its thousands."""

_COMMA = re.compile(r"(?<![\w.,])(\d+),(\d+)(?!\d|[.,]\d)")

SEARCHED = 1 << 16
"""Characters that are asked which mark is used."""

FEWEST = 3
"""Numbers with a decimal comma that make it the mark of a text, where there are more of them than with a point. By
judgement: versions have points everywhere, and shapes commas."""


def with_decimal_points(text: str) -> str:
    """The text with points for its decimal commas, where most numbers behind names have these."""
    commas = points = 0
    for found in _NAMED.finditer(text, 0, SEARCHED):
        points += found["mark"] == "."
        # Three digits behind a comma may as well be thousands.
        commas += found["mark"] == "," and (len(found["rest"]) != 3 or found["whole"] == "0")
    return _COMMA.sub(r"\1.\2", text) if commas >= max(FEWEST, points + 1) else text
