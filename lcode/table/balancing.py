"""Curves that tell how tasks are balanced: cosines between their gradients, and the weights of their losses."""

from __future__ import annotations

import re
from typing import Literal

from lcode.table.metric_names import known_metric

Balancing = Literal["gradient cosine", "weight"]

_COSINES = frozenset(["cos", "cosine", "cosines", "cossim", "gradcos"])
_WEIGHTS = frozenset(["weight", "weights", "lambda", "lambdas"])
_GRADIENTS = frozenset(["grad", "grads", "gradient", "gradients", "gradcos"])
_ABOUT_THEM = frozenset(["sim", "similarity", "loss", "losses", "train", "training"])
"""Words that belong to the name of a cosine or a weight, and name no task."""

_OTHER = frozenset(
    ["decay", "norm", "norms", "hist", "mean", "std", "min", "max", "lr", "schedule", "scheduler", "annealing"]
)
"""Words of other things: a weight decay, the norm of a layer's weights, a cosine schedule."""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


def balancing(signal: str) -> Balancing | None:
    """What a signal tells of the balance between tasks by its name; None: nothing.

    `seg|depth/cosine`, `grad_cos/seg_depth` and `gradCos_seg_depth` are gradient cosines; `seg/weight`, `weights/seg`
    and `loss_weight_seg` are weights; `weight_decay` and `weights/conv1/norm` are neither.
    """
    words = _words(signal)
    if words & _OTHER:
        return None
    if words & _COSINES:
        return "gradient cosine"
    return "weight" if words & _WEIGHTS else None


def tells_of_balancing(curve: str) -> bool:
    """Whether a curve is surely no score but tells of the balance between tasks: a cosine says that it is of gradients.

    A name that says which way is better is a score, `parcel/weight_mae`, unless it stands in a group of weights.
    """
    kind = balancing(curve)
    group, _, rest = curve.partition("/")
    in_group = bool(rest) and group.lower() in _WEIGHTS
    if kind is None or (kind == "weight" and known_metric(curve) is not None and not in_group):
        return False
    return kind == "weight" or bool(_words(curve) & _GRADIENTS) or "|" in curve


def balanced_tasks(signal: str) -> str:
    """The tasks that a cosine or a weight is of: its name without the words that say so, or all of it."""
    said = _COSINES | _WEIGHTS | _GRADIENTS | _ABOUT_THEM
    parts = []
    for part in signal.split("/"):
        told = [word for word in _WORD.finditer(part) if word.group().lower() not in said]
        if told:
            parts.append(part[told[0].start() : told[-1].end()])
    return "/".join(parts) or signal


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(name))
