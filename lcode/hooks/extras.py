"""Libraries that a hook is made for: imported when the hook is, and named with the extra that brings them."""

from __future__ import annotations

from lcode.errors import MissingExtraError


def missing(library: str, extra: str) -> MissingExtraError:
    """The error to raise where the library of a hook is not installed.

    Args:
        library: its name, as its users write it.
        extra: the extra of `lcode` that brings it.
    """
    return MissingExtraError(f"this hook is for {library}, which is not installed; pip install 'lcode[{extra}]'")
