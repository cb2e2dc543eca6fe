"""How files go wrong: bytes, lines and cells that are lost, doubled, swapped, or replaced by what nobody expects."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

Mutation = Callable[[Random, bytes], bytes]

EXTREMES = (
    "", " ", "nan", "NaN", "inf", "-Infinity", "1e999", "-0.0", "1e-320", "1.7976931348623157e308", "0", "-1", "2.5",
    "1e9", "1000000001", "9007199254740993", "18446744073709551616", "1" + "0" * 400, "9" * 5000, "0x1F", "1_000",
    "1,5", "1;5", "١٢", "é", "\u202e\u2028", "😀", "e\u0301", "\x85\x1c", "x" * 300, "y" * 140_000, "true", "None",
    "null", "2026-01-01", "'", '"', '""', "a,b", "a\nb", "[1]", "{}", "seg/miou", "/", "a/b/c", "run", "epoch",
    "finished", "running", "<b>", "=1+1", "%s", "\\ud800", "\ufeff",
)  # fmt: skip
"""Texts for a cell."""

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**9, 10**9 + 1, 2**53 + 1, 2**63, -(2**64), 10**400, -(10**400), float("nan"),
    float("inf"), 1e-320, "", "x" * 300, "nan", "\ud800", "😀", "\u0000", [], [1], [[]], [None], {}, {"a": 1}, {"": {}},
    {"type": "header"}, {"nodes": [], "edges": []}, ["a", 1, None, {"b": [2]}],
)  # fmt: skip
"""Values for a place in JSON."""

DEPTHS = (50, 900, 990, 5000, 100_000)
"""Levels of nesting: far below, just below and far above what a parser takes."""

_ODD_BYTES = (b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\n", b"\r\n", b'"', b",", b"\\ud800", b"\x1a")


def damaged_bytes(rng: Random, data: bytes) -> bytes:
    """A bit flipped, a piece lost, doubled or moved, the end cut off, or something strange put in."""
    at = rng.randrange(len(data) + 1)
    size = rng.choice((1, 1, 4, 30, 300))
    piece = data[at : at + size]
    kind = rng.randrange(6)
    if kind == 0 and at < len(data):
        return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]
    if kind == 1:
        return data[:at]
    if kind == 2:
        return data[:at] + data[at + size :]
    if kind == 3:
        return data[:at] + piece + data[at:]
    if kind == 4:
        other = rng.randrange(len(data) + 1)
        rest = data[:at] + data[at + size :]
        return rest[:other] + piece + rest[other:]
    return data[:at] + rng.choice((rng.choice(_ODD_BYTES), rng.randbytes(size))) + data[at:]


def damaged_lines(rng: Random, data: bytes) -> bytes:
    """A line lost, doubled, moved, cut, joined with the next, or all of them in another order."""
    lines = data.split(b"\n")
    i = rng.randrange(len(lines))
    kind = rng.randrange(7)
    if kind == 0:
        del lines[i]
    elif kind == 1:
        lines.insert(rng.randrange(len(lines) + 1), lines[i])
    elif kind == 2:
        rng.shuffle(lines)
    elif kind == 3:
        lines[i] = lines[i][: rng.randrange(len(lines[i]) + 1)]
    elif kind == 4:
        lines[i : i + 2] = [b"".join(lines[i : i + 2])]
    elif kind == 5:
        lines.insert(i, b" " * rng.randrange(3))
    else:
        lines[1:] = lines[1:] * rng.choice((0, 2, 50))
    return b"\n".join(lines)


def damaged_cells(rng: Random, data: bytes) -> bytes:
    """A cell of a CSV file replaced or swapped, or a column renamed, lost or doubled."""
    rows = [line.split(b",") for line in data.split(b"\n")]
    row = rng.choice(rows)
    i = rng.randrange(len(row))
    kind = rng.randrange(5)
    if kind == 0:
        row[i] = _text(rng)
    elif kind == 1:
        other = rng.choice(rows)
        j = rng.randrange(len(other))
        row[i], other[j] = other[j], row[i]
    elif kind == 2:
        rows[0][rng.randrange(len(rows[0]))] = _text(rng)
    elif kind == 3:
        for cells in rows:
            del cells[i : i + 1]
    else:
        for cells in rows:
            cells[i:i] = cells[i : i + 1] if rng.random() < 0.5 else [_text(rng)]
    return b"\n".join(b",".join(cells) for cells in rows)


def damaged_json(rng: Random, data: bytes) -> bytes:
    """A value of a JSON document replaced, lost, renamed, doubled or nested; of a file of lines, in one of them."""
    lines = data.split(b"\n") if b"\n{" in data else [data]
    i = rng.randrange(len(lines))
    try:
        lines[i] = _with_edit(rng, json.loads(lines[i])).encode()
    except (ValueError, RecursionError):  # an earlier mutation has left no JSON here, or one that is nested too deeply
        return data
    return b"\n".join(lines)


def damaged_by_kind(rng: Random, data: bytes) -> bytes:
    """A file damaged in a way that suits it: JSON, a text of lines and cells, or bytes that only a program reads."""
    if b"\0" in data:
        return damaged_bytes(rng, data)
    structured = damaged_json if data.lstrip()[:1] in (b"{", b"[") else damaged_cells
    return rng.choice((damaged_bytes, damaged_lines, structured, structured))(rng, data)


def _with_edit(rng: Random, document: Any) -> str:
    """The JSON document with one place of it damaged."""
    places = list(_places(document))
    if not places:
        return json.dumps(document)
    parent, key = rng.choice(places)
    kind = rng.randrange(6)
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, dict):
        parent[rng.choice(("", "x" * 300, "\ud800", "type", "run", "epoch", "a/b/c", str(key).upper()))] = parent[key]
    elif kind == 2:
        other, place = rng.choice(places)
        parent[key] = json.loads(json.dumps(other.get(place) if isinstance(other, dict) else other[place : place + 1]))
    elif kind == 3:
        parent[key] = "@deep@"
    else:
        parent[key] = rng.choice(VALUES)
    text = json.dumps(document)
    if kind == 3:
        levels = rng.choice(DEPTHS)
        text = text.replace(
            '"@deep@"', rng.choice(("[" * levels + "]" * levels, '{"a":' * levels + "1" + "}" * levels))
        )
    if rng.random() < 0.05:
        text = text[:-1] + ", " + text[1:]  # every name twice
    return text


def _text(rng: Random) -> bytes:
    return rng.choice(EXTREMES).encode("utf-8", "surrogatepass")


def _places(document: Any) -> Any:
    """Every (container, key) of a document."""
    open_ = [document]
    while open_:
        value = open_.pop()
        keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        for key in keys:
            yield value, key
            open_.append(value[key])
