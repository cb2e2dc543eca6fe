"""What callers hand over in Python, checked at the border: one clear error in place of a traceback from within."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from lcode.errors import UsageError


def check_kind(name: str, value: object, kinds: type | tuple[type, ...], expected: str) -> None:
    """Refuse an argument of another type.

    Raises:
        UsageError: the text says what was found and what is expected.
    """
    if not isinstance(value, kinds):
        raise UsageError(f"{name} is {found(value)}; give {expected}")


def check_names(name: str, value: object, expected: str) -> None:
    """Refuse what is no sequence of names; a text alone would be taken for its letters. None is one: all, or none.

    Raises:
        UsageError: the text says what was found and what is expected.
    """
    if value is not None and (isinstance(value, str) or not isinstance(value, Sequence)):
        raise UsageError(f"{name} is {found(value)}; give {expected}")


def check_count(name: str, value: object, least: int) -> None:
    """Refuse an option that is no whole number of at least `least`.

    Raises:
        UsageError: the text says what was found.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise UsageError(f"{name} is {value!r}; it must be a whole number, at least {least}")


def check_share(name: str, value: object) -> None:
    """Refuse an option that is no number between 0 and 1.

    Raises:
        UsageError: the text says what was found.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise UsageError(f"{name} is {value!r}; it is a number between 0 and 1, such as 0.05")


def check_number(name: str, value: object) -> None:
    """Refuse an option that is neither a number nor None.

    Raises:
        UsageError: the text says what was found.
    """
    number = None if value is None else as_number(value)
    if value is not None and (number is None or math.isnan(number)):
        raise UsageError(f"{name} is {found(value)}; give a number, or None")


def as_config(config: object, run: str) -> dict[str, bool | int | float | str | None]:
    """Hyper-parameters as plain values, which JSON can write; numpy's and torch's numbers become Python's.

    Raises:
        UsageError: no mapping, or a value that is neither a number nor text, `True`, `False` or `None`.
    """
    if not isinstance(config, Mapping):
        raise UsageError(f"run '{run}': config is {found(config)}; give a mapping, such as vars(args)")
    plain: dict[str, bool | int | float | str | None] = {}
    for name, value in config.items():
        if not isinstance(name, str):
            raise UsageError(f"run '{run}': a hyper-parameter is named {found(name)}; a name is text")
        inner = _unboxed(value)
        number = as_number(value)
        if inner is None or isinstance(inner, bool | str):
            plain[name] = inner
        elif number is not None:
            plain[name] = int(inner) if isinstance(inner, Integral) else number
        else:
            raise UsageError(
                f"run '{run}': config '{name}' is {found(value)}; a hyper-parameter is a number, text, True, False or "
                "None: give its parts one by one, str() of it, or leave it out"
            )
    return plain


def as_number(value: object) -> float | None:
    """The value as a float; None for anything that is not one number, such as text or `True`."""
    inner = _unboxed(value)
    if isinstance(inner, bool) or not isinstance(inner, Real):
        return None
    try:
        return float(inner)
    except OverflowError:  # an int beyond the range of floats
        return None


def found(value: object) -> str:
    """A value for a message: short, with its type, and with its shape where it has one."""
    kind, shape = type(value).__name__, getattr(value, "shape", None)
    if isinstance(shape, Sequence):
        return f"of type {kind} with shape {list(shape)}"
    try:
        text = repr(value)
    except Exception:  # of somebody else's class, or an int of thousands of digits
        return f"of type {kind}"
    if "\n" in text:  # a table that prints itself
        return f"of type {kind}"
    return f"{text if len(text) <= 60 else text[:57] + '…'} ({kind})"


def _unboxed(value: Any) -> object:
    """The number in an array or a tensor of one element; anything else as it is. Imports neither numpy nor torch."""
    item = getattr(value, "item", None)
    if not callable(item) or isinstance(value, type):
        return value
    try:
        return item()
    except (TypeError, ValueError, RuntimeError):  # several elements, or none on a meta device
        return value
