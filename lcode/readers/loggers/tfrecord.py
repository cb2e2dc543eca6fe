"""The framing of TensorBoard's event files: length, its checksum, the record, the record's checksum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from struct import Struct

import numpy as np
from numpy.typing import NDArray

_LENGTH = Struct("<Q").unpack_from
_HEAD, _FOOT = 12, 4
"""Bytes before a record (8 of length, 4 of checksum) and after it."""

_LONGEST_CHECKED = 512
"""Longer records hold images, graphs or text and no scalars; their checksums would take longer than all others."""

_POLYNOMIAL = 0x82F63B78
"""CRC-32C, bits reversed (RFC 3720, appendix B.4)."""


_AT_ONCE = 1 << 16
"""Places that are looked at together for the beginning of a record."""


@dataclass(frozen=True)
class Frames:
    """Where the records of a file lie.

    Attributes:
        data: the file.
        starts: first byte of each record whose checksum holds, shape [N].
        lengths: bytes of each, shape [N].
        damaged: how many times a record, or several together, were left out since no checksum holds there.
        torn: whether the file ends within a record, as one does that is still being written.
        lost: bytes at the end that are no records, such as zeros after a crash.
    """

    data: bytes
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    damaged: int
    torn: bool
    lost: int

    def __iter__(self) -> Iterator[bytes]:
        data = self.data
        for start, length in zip(self.starts.tolist(), self.lengths.tolist(), strict=True):
            yield data[start : start + length]


def frames(data: bytes) -> Frames:
    """The records of an event file, also those behind a damage in its middle."""
    octets = np.frombuffer(data, dtype=np.uint8)
    firsts, sizes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    at, gaps, lost = 0, 0, 0
    while True:
        first, size, at, whole = _walked(octets, at)
        firsts.append(first)
        sizes.append(size)
        if whole:
            break
        behind = _next_record(octets, at)
        if behind is None:
            lost = len(data) - at
            break
        at, gaps = behind, gaps + 1
    first, size = np.concatenate(firsts), np.concatenate(sizes)
    sound = _sound(octets, first, size)
    torn = not lost and at < len(data)
    return Frames(data, first[sound], size[sound], gaps + int(np.count_nonzero(~sound)), torn, lost)


def _walked(octets: NDArray[np.uint8], at: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int, bool]:
    """The records from a place on, one behind the other, their lengths, and where that ends.

    The last says whether it ends with the file, be it within a record, and not at a length that is damaged.
    """
    starts: list[int] = []
    lengths: list[int] = []
    data, end = octets.data, len(octets)
    while at + _HEAD <= end:
        (length,) = _LENGTH(data, at)
        starts.append(at + _HEAD)
        lengths.append(min(length, end))
        at += _HEAD + length + _FOOT
        if at > end:
            break
    first, sizes = np.array(starts, dtype=np.int64), np.array(lengths, dtype=np.int64)
    # A length that is wrong leads anywhere: nothing after it is a record.
    heads = _sound(octets, first - _HEAD, np.full(len(first), 8))
    if not heads.all():
        count = int(np.argmin(heads))
        return first[:count], sizes[:count], int(first[count]) - _HEAD, False
    if at > end:
        return first[:-1], sizes[:-1], int(first[-1]) - _HEAD, True
    return first, sizes, at, True


def _next_record(octets: NDArray[np.uint8], at: int) -> int | None:
    """Where the next whole record behind a damaged place begins; None: there is none."""
    end = len(octets)
    for start in range(at + 1, end - _HEAD - _FOOT, _AT_ONCE):
        places = np.arange(start, min(start + _AT_ONCE, end - _HEAD - _FOOT))
        for place in places[_sound(octets, places, np.full(len(places), 8))].tolist():
            (length,) = _LENGTH(octets.data, place)
            if place + _HEAD + length + _FOOT <= end:
                return int(place)
    return None


def _sound(octets: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which stretches of bytes are followed by their checksum."""
    sound = np.ones(len(starts), dtype=np.bool_)
    for length in np.unique(lengths[lengths <= _LONGEST_CHECKED]).tolist():
        (rows,) = np.nonzero(lengths == length)
        first = starts[rows]
        # The checksum is linear over the bytes: each contributes by its value and its distance from the end.
        tables, constant = _contributions(length)
        crc = np.full(len(rows), constant, dtype=np.uint32)
        for i in range(length):
            crc ^= tables[length - 1 - i][octets[first + i]]
        masked = ((crc >> 15) | (crc << 17)) + np.uint32(0xA282EAD8)
        stored = sum(octets[first + length + i].astype(np.uint32) << np.uint32(8 * i) for i in range(_FOOT))
        sound[rows] = masked == stored
    return sound


@cache
def _contributions(length: int) -> tuple[list[NDArray[np.uint32]], int]:
    """What a byte adds to the checksum, by its distance from the end, and what the start value does."""
    start = 0xFFFFFFFF
    for _ in range(length):
        start = (start >> 8) ^ int(_at_distance(0)[start & 0xFF])
    return [_at_distance(distance) for distance in range(length)], start ^ 0xFFFFFFFF


@cache
def _at_distance(distance: int) -> NDArray[np.uint32]:
    if distance:
        nearer = _at_distance(distance - 1)
        return (nearer >> 8) ^ _at_distance(0)[nearer & 0xFF]
    table: NDArray[np.uint32] = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ ((table & np.uint32(1)) * np.uint32(_POLYNOMIAL))
    return table
