"""Which way a metric gets better: `min` or `max`, spelled in one way only."""

from __future__ import annotations

from typing import Literal, get_args

from lcode.errors import UsageError

Direction = Literal["min", "max"]


def as_direction(text: object, of: str) -> Direction:
    """The text as a direction, read from a file, an option or an argument.

    Other spellings (`Max`, `up`, `maximize`) are refused rather than guessed: one that is not understood would stop
    the best runs instead of the worst.

    Args:
        text: what was given.
        of: what it is the direction of, for the message.

    Raises:
        UsageError: neither `min` nor `max`.
    """
    for direction in get_args(Direction):
        if text == direction:
            return direction
    raise UsageError(
        f"the direction of {of} is {text!r}; write 'min' if smaller values are better, 'max' if larger ones are"
    )
