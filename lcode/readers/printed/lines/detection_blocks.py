"""KITTI's evaluation, a block for each class: the overlaps that count, and below them kinds of boxes by difficulty.

Car AP@0.70, 0.70, 0.70:
bbox AP:90.7, 89.9, 89.1
3d   AP:88.2, 78.5, 77.4
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = r"[+-]?(?:\d+(?:\.\d+)?|nan)"

_CLASS = re.compile(
    r"(?:.*[\s:])?(?P<name>[A-Za-z]\w*) AP(?P<kind>_?R\d+)?\s?@\s?"
    r"(?P<overlaps>[\d.]+, [\d.]+, [\d.]+):\s*"
)
_KIND = re.compile(
    rf"\s*(?P<box>bbox|bev|3d|aos)\s+AP\s?:\s?(?P<easy>{_NUMBER}),\s?(?P<moderate>{_NUMBER}),\s?(?P<hard>{_NUMBER})\s*",
    re.IGNORECASE,
)

_LEVELS = ("easy", "moderate", "hard")


def with_named_boxes(lines: Sequence[str]) -> list[str]:
    """The lines, each number of such a block with its class, kind of box and difficulty: `Car/AP_3d_easy: 88.2`.

    Of the same kind at other overlaps, which come after the usual ones, the name says it: `Car/AP_3d_easy@0.50`.
    """
    if not any(map(_KIND.fullmatch, lines)):
        return [*lines]
    named, name, kind, overlap = list(lines), "", "", ""
    usual: dict[str, str] = {}
    for at, line in enumerate(lines):
        block = _CLASS.fullmatch(line)
        if block is not None:
            name, kind = block["name"], (block["kind"] or "").strip("_")
            first = usual.setdefault(name, block["overlaps"])
            overlap = "" if block["overlaps"] == first else f"@{block['overlaps'].rpartition(', ')[2]}"
            continue
        boxes = _KIND.fullmatch(line) if name else None
        if boxes is not None:
            of = "_".join(filter(None, ("AP", boxes["box"].lower(), kind)))
            named[at] = ", ".join(f"{name}/{of}_{level}{overlap}: {boxes[level]}" for level in _LEVELS)
        elif line.strip():
            name = ""
    return named
