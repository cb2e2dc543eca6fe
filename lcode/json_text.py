"""JSON from strangers: whatever cannot be used is a `ValueError`, which readers turn into an error with a place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""How half a surrogate pair is spelled: only as an escape, since UTF-8 has no bytes for it."""


def parse_json(text: str | bytes, *, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """What a JSON text says; `NaN` and `Infinity` are numbers.

    Args:
        text: the text, or its UTF-8 bytes.
        pairs: makes an object of its names and values; default: a dictionary, in which the last of equal names counts.

    Raises:
        ValueError: it is no JSON or no UTF-8, is nested too deeply, has an integer of thousands of digits, or a text
            in it holds half a surrogate pair, which no file can be written with.
    """
    try:
        text = text if isinstance(text, str) else text.decode("utf-8-sig")
        value = json.loads(text, object_pairs_hook=pairs)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeEncodeError as error:
        raise ValueError(f"a text in it holds half a surrogate pair, {error.object[error.start]!r}") from None
    return value


def as_float(number: int | float) -> float:
    """The number as a float; an integer beyond the floats is infinite, as `1e400` is."""
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")
