"""Lines that say of which model they tell, where several are trained by turns and printed into one text.

`Model: bert, epoch: 3` and `Model: lstm, epoch: 3`, or `[resnet18] Epoch 3/50 …` and `[vgg16] Epoch 3/50 …`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lcode.readers.loggers.line_forms import DATA
from lcode.readers.loggers.printed_line import RUN
from lcode.readers.understanding.column_words import is_counter

MOST_MODELS = 50
"""More names than this are no models: they are files or classes."""

_MODEL = re.compile(
    r"^[\W\d]*(?:model|network|arch(?:itecture)?|method|algorithm|variant)(?:\s*[:=]\s*|\s+)"
    r"(?P<name>[A-Za-z0-9][\w.+-]*)(?=\s*(?:[:,|\])(]|$)|\s+\w+\s*[:=])",
    re.IGNORECASE,
)
_TAG = re.compile(r"^\s*\[(?P<name>[A-Za-z][\w.+-]*)\]")

_MACHINE = re.compile(r"(?:rank|gpu|cuda|worker|node|proc(?:ess)?|host|client)[ _:-]?\d*", re.IGNORECASE)
"""Who of several prints the same training."""

_WORDS = ("model", "network", "arch", "method", "algorithm", "variant", "\n[")

_NO_MODELS = DATA | {
    *("info", "debug", "warning", "error", "log", "lightgbm", "rank", "root", "best", "new", "ema"),
    *("generator", "discriminator", "actor", "critic", "teacher", "student", "encoder", "decoder", "source", "target"),
}
"""Levels of messages, and parts of one training, that stand where a model's name may."""


def may_name_models(text: str) -> bool:
    """Whether a text holds a word for a model, or a name in brackets at the beginning of a line: most do not."""
    lower = text.lower()
    return any(word in lower for word in _WORDS)


def models_by_turns(lines: Sequence[str]) -> list[str] | None:
    """The model that each line tells of, empty before the first; None where no text tells of several by turns."""
    names: list[str] = []
    said: list[str] = []
    for line in lines:
        name = _model_of(line)
        if name and (not said or said[-1] != name):
            said.append(name)
        names.append(said[-1] if said else "")
    several = set(said)
    by_turns = 1 < len(several) <= MOST_MODELS and all(said.count(name) > 1 for name in several)
    return names if by_turns else None


def told_alike(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the same is told of each model; a trainer and an evaluator, say, tell each its own of one."""
    names: dict[str, set[str]] = {}
    for row in rows:
        if RUN in row:
            names.setdefault(row[RUN], set()).update(row)
    return len(set(map(frozenset, names.values()))) <= 1


def _model_of(line: str) -> str:
    found = _TAG.match(line) or _MODEL.match(line)
    if found is None:
        return ""
    name = found["name"]
    return "" if name.lower() in _NO_MODELS or is_counter(name) or _MACHINE.fullmatch(name) else name
