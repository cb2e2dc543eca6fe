"""The framing of W&B's files: a log in LevelDB's format, whose records are cut into chunks within blocks."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from zlib import crc32

MAGIC = b":W&B"

_HEADER = 7
"""Bytes before the first chunk: `:W&B`, a magic number and a version."""

_BLOCK, _CHUNK = 32768, struct.Struct("<IHB")
"""Bytes of a block, and what stands before each chunk: checksum, length, kind."""

_FULL, _FIRST, _LAST = 1, 2, 4
"""Kinds of chunks: a whole record, or the beginning or the end of one."""


@dataclass
class Records:
    """The records of a file.

    Attributes:
        whole: those that can be read.
        damaged: how many chunks were left out since their checksum does not hold.
        torn: whether the file ends within a record.
    """

    whole: list[bytes] = field(default_factory=list)
    damaged: int = 0
    torn: bool = False


def records_of(data: bytes) -> Records:
    """The records of a file, as far as it is whole; where a chunk is damaged, reading goes on with the next block."""
    found = Records()
    parts: list[bytes] | None = None
    at, end = _HEADER, len(data)
    while at < end:
        left = _BLOCK - at % _BLOCK
        if left < _CHUNK.size:
            at += left  # no chunk begins here
            continue
        if at + _CHUNK.size > end:
            break
        check, size, kind = _CHUNK.unpack_from(data, at)
        after = at + _CHUNK.size + size
        fits = _CHUNK.size + size <= left
        if fits and after > end:
            break
        if not fits or crc32(data[at + _CHUNK.size - 1 : after]) != check:
            # The length may be what is damaged.
            found.damaged += 1
            parts, at = None, at + left
            continue
        if kind in (_FULL, _FIRST):
            parts = []
        if parts is not None:  # else the beginning of this record was damaged
            parts.append(data[at + _CHUNK.size : after])
            if kind in (_FULL, _LAST):
                found.whole.append(b"".join(parts))
                parts = None
        at = after
    found.torn = at < end or parts is not None
    return found
