"""Flower's `History` as JSON: what the server measured in each round, what its clients did, and their training.

`{"losses_centralized": [[0, 2.5], …], "metrics_distributed": {"accuracy": [[1, 0.3], …]}, …}`
"""

from __future__ import annotations

import re
from typing import Any

from lcode.readers.understanding.layout import SIGNAL

_KINDS = re.compile(r"(?P<what>loss|metric)(?:e?s)_(?P<where>centralized|distributed(?:_fit)?)")
"""The names of the history's lists."""

_ROUND = "round"

_APART = (
    "what the server measured (centralized) is scored; what its clients did (distributed), on other data, is signals."
)


def rounds_of(found: Any) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The rows of such a history, one per round, and a remark where two kinds of data were measured.

    There are none where an object is no such history. What the clients measured is scored where the server measured
    nothing, and else a signal; what they measured while they trained is of the training.
    """
    kinds = {name: _KINDS.fullmatch(name) for name in found} if isinstance(found, dict) else {}
    curves: dict[str, dict[str, list[Any]]] = {}
    for name, kind in kinds.items():
        if kind is None:
            continue
        inner = {"loss": found[name]} if kind["what"] == "loss" else found[name]
        for metric, pairs in inner.items() if isinstance(inner, dict) else ():
            if _is_by_round(pairs):
                curves.setdefault(kind["where"], {})[metric] = pairs
    if not curves.keys() & {"centralized", "distributed"}:
        return [], ()
    both = {"centralized", "distributed"} <= curves.keys()
    before = {
        "centralized": "val/",
        "distributed": f"{SIGNAL}distributed/" if both else "val/",
        "distributed_fit": "train/",
    }
    rows: dict[Any, dict[str, Any]] = {}
    for where, own in curves.items():
        for metric, pairs in own.items():
            for at, value in pairs:
                rows.setdefault(at, {_ROUND: at})[before[where] + metric] = value
    return [rows[at] for at in sorted(rows)], (_APART,) if both else ()


def _is_by_round(pairs: Any) -> bool:
    """Whether a list holds a round and a number in each of its places."""
    return (
        isinstance(pairs, list)
        and bool(pairs)
        and all(
            isinstance(one, list) and len(one) == 2 and type(one[0]) is int and isinstance(one[1], (int, float))
            for one in pairs
        )
    )
