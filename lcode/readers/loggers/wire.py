"""Protocol Buffers on the wire: enough to read messages without the package that generated them.

W&B ships its message classes once per major version of protobuf and refuses others, so that its files are read by field
number: those are what its format promises to keep.
"""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
"""Wire types (Protocol Buffers, encoding)."""


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and content of each field: an integer, or the bytes of a text, a message, or a fixed-width number.

    Raises:
        ValueError: it is no message, or is cut.
    """
    at, end = 0, len(message)
    while at < end:
        key, at = (message[at], at + 1) if message[at] < 0x80 else _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == _BYTES and at < end:
            size, at = (message[at], at + 1) if message[at] < 0x80 else _varint(message, at)
        elif kind in (_EIGHT, _FOUR):
            size = 8 if kind == _EIGHT else 4
        else:
            raise ValueError(f"cut, or of wire type {kind}")
        start, at = at, at + size
        if at > end:
            raise ValueError("cut within a field")
        yield key >> 3, message[start:at]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """An integer of seven bits per byte, lowest first, and where it ends."""
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("cut within an integer")
