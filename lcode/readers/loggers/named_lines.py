"""Lines that say of which model, data set or task they tell, where several take turns in one text.

`Model: bert, epoch: 3` and `Model: lstm, epoch: 3`, or `[resnet18] Epoch 3/50 …` and `[vgg16] Epoch 3/50 …`, are a
training each; `Epoch 3 | Dataset 00 | AUC 0.5` and `Epoch 3 | Dataset 01 | AUC 0.7` are evaluations of one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any

from lcode.readers.loggers.form_parts import DATA, NUMBER
from lcode.readers.loggers.printed_line import IN_BATCH, RUN
from lcode.readers.understanding.column_words import is_counter
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import NEUTRAL, SPLITS

MOST_MODELS = 50
"""More names than this are no models: they are files or classes."""

_MODEL = re.compile(
    r"^[\W\d]*(?:model|network|arch(?:itecture)?|method|algorithm|variant)(?:\s*[:=]\s*|\s+)"
    r"(?P<name>[A-Za-z0-9][\w.+-]*)(?=\s*(?:[:,|\])(]|$)|\s+\w+\s*[:=])",
    re.IGNORECASE,
)
_TAG = re.compile(r"^\s*\[(?P<name>[A-Za-z][\w.+-]*)\]")

_PROCESS = re.compile(r"^\s*(?:\x1b\[[\d;]*m)*\((?P<name>[\w.-]+ pid=\d+)(?:, ip=[\d.]+)?\)")
"""Of which process a line comes, as Ray says it: `(train_model pid=123)`."""

_MACHINE = re.compile(r"(?:rank|gpu|cuda|worker|node|proc(?:ess)?|host|client)[ _:-]?\d*", re.IGNORECASE)
"""Who of several prints the same training."""

_WORDS = ("model", "network", "arch", "method", "algorithm", "variant", "\n[", " pid=")

_PARTS_OF_ONE = {
    "generator",
    "discriminator",
    "actor",
    "critic",
    "teacher",
    "student",
    "encoder",
    "decoder",
    "source",
    "target",
}
"""Parts of one training, of which each may be measured: `teacher: acc 0.8`, `student: acc 0.7`."""

_NO_MODELS = (
    DATA
    | _PARTS_OF_ONE
    | {
        *("info", "debug", "warning", "error", "log", "lightgbm", "rank", "root", "best", "new", "ema"),
    }
)
"""Levels of messages, and parts of one training, that stand where a model's name may."""

_SPEAKER = re.compile(r"(train|evaluat|validat|test)(?:er|or)", re.IGNORECASE)
"""Who of a program tells it: `trainer: loss 0.3` and `evaluator: loss 0.4` are of different data."""

_LONGEST_HEAD = 120
"""Characters of a line in which it says of what it tells."""

_PARTS = "data set|dataset|task|domain|subset|subject|class|category|head|scene|camera|site|language"

_PART = re.compile(
    rf"(?:^|[|,;\]>]|\bon)\s*(?P<word>{_PARTS})"
    r"(?:\s*[:=]\s*['\"]?(?P<name>\w*[A-Za-z][\w.+-]*|\d+)|[ _#]*(?P<number>\d+))['\"]?"
    r"(?=\s*(?:[:,|;\])(>-]|$)|\s+[A-Za-z][\w@]*\s*[:=])",
    re.IGNORECASE,
)
"""Of which part of what is measured a line tells: `Dataset 00`, `task: seg`."""


_LABEL = re.compile(
    rf"[^A-Za-z]*(?:(?:{_PARTS}|type)[ _]+)?['\"]?(?P<name>[A-Za-z][\w./-]*)['\"]?\s*:\s+"
    rf"(?P<metric>[A-Za-z][\w@]*)(?:\s*(?P<mark>[:=])\s*|\s+)(?={NUMBER})",
    re.IGNORECASE,
)
"""Of which class a line tells at its beginning: `PER: precision: 87.2%; recall: 83.8%`."""

_LEVEL = "INFO"
"""The word of a logger behind which a line begins."""


_HEAD = re.compile(
    r"(?:.*[\]:>|-]\s|\W*)(?:(?:start(?:ing)?|now|run(?:ning)?)\s+)?"
    r"(?:evaluat\w+|validat\w+|test(?:ing|ed)?|results?|performance|metrics|scores)\s+(?:of|on|for|in)\s+(?:the\s+)?"
    rf"(?:(?:{_PARTS})\s+)?['\"]?(?P<name>[A-Za-z](?:[\w.-]*\w)?)['\"]?"
    r"(?:\s+(?:data ?set|set|data|benchmark|task))?\W*",
    re.IGNORECASE,
)
"""A line that alone says on which data set the values below it were measured: `Evaluating on LFW`."""

_HEAD_WORD = re.compile(r"\b(?:of|on|for|in)\b", re.IGNORECASE)
_COUNTS = re.compile(r"\b(?:epoch|step|iter(?:ation)?|round)s?\W{0,3}\d", re.IGNORECASE)


def may_name_parts(text: str) -> bool:
    """Whether a text holds a word for a data set, a task or the like, or a label before a metric."""
    lower = text.lower()
    words = (*_PARTS.split("|"), "evaluat", "validat", "test", "result", "performance")
    return any(word in lower for word in words) or any(map(_label_of, text.split("\n")))


def parts_by_turns(lines: Sequence[str], *, tags: bool = False) -> list[str] | None:
    """The data set, task or class that each line tells of, empty where none; None where none take turns.

    Args:
        lines: the lines.
        tags: whether a name in brackets at the beginning of a line says it, as in `[lfw][2000]accuracy: 0.9`.
    """
    names = [_tag_of(line) for line in lines] if tags else _parts_of(lines)
    said = Counter(name for name, _ in groupby(name for name in names if name))
    by_turns = 1 < len(said) <= MOST_MODELS and min(said.values()) > 1
    return names if by_turns else None


def _parts_of(lines: Sequence[str]) -> list[str]:
    """What each line itself says that it tells of, or the head above it, up to a line that counts."""
    names, above = [], ""
    for line in lines:
        own = _part_of(line)
        head = _HEAD.fullmatch(line, max(0, len(line) - _LONGEST_HEAD)) if not own and _HEAD_WORD.search(line) else None
        if head is not None:
            above = "" if _is_no_name(head["name"]) else head["name"]
        elif own or (above and _COUNTS.search(line)):
            above = ""
        names.append(own or above)
    return names


def _tag_of(line: str) -> str:
    found = _TAG.match(line)
    return "" if found is None or _is_no_name(found["name"]) else found["name"]


def _part_of(line: str) -> str:
    found = _PART.search(line, 0, _LONGEST_HEAD)
    if found is None:
        return _label_of(line)
    number = found["number"] or (found["name"] if found["name"].isdigit() else "")
    if number:
        return f"{found['word'].lower().replace(' ', '')}_{number}"
    return "" if known_metric(found["name"]) is not None else found["name"]


def _label_of(line: str) -> str:
    start = line.find(_LEVEL)
    found = _LABEL.match(line, 0 if start < 0 else start + len(_LEVEL), _LONGEST_HEAD)
    speaker = None if found is None else _SPEAKER.fullmatch(found["name"])
    if found is None or not (known_metric(found["metric"]) or (speaker and is_counter(found["metric"]))):
        return ""
    if not found["mark"] and known_metric(found["name"]) is not None:  # persons are PER, a phoneme error rate as well
        return ""
    if speaker is not None:
        return SPLITS[{"evaluat": "eval", "validat": "val"}.get(speaker[1].lower(), speaker[1].lower())]
    if found["name"].lower() in _PARTS_OF_ONE:
        return found["name"]
    return "" if _is_no_name(found["name"]) or found["name"].lower() in NEUTRAL else found["name"].replace("/", "_")


def may_name_models(text: str) -> bool:
    """Whether a text holds a word for a model, or a name in brackets at the beginning of a line: most do not."""
    lower = text.lower()
    return any(word in lower for word in _WORDS)


def models_by_turns(lines: Sequence[str]) -> list[str] | None:
    """The model that each line tells of, empty before the first; None where no text tells of several by turns."""
    names: list[str] = []
    said: list[str] = []
    for line in lines:
        name = model_of(line)
        if name and (not said or said[-1] != name):
            said.append(name)
        names.append(said[-1] if said else "")
    several = set(said)
    by_turns = 1 < len(several) <= MOST_MODELS and all(said.count(name) > 1 for name in several)
    return names if by_turns else None


def told_alike(rows: Sequence[Mapping[str, Any]], parts: Collection[str] = ()) -> bool:
    """Whether the same is told of each of several models; a trainer and an evaluator, say, tell each its own of one.

    Args:
        rows: what was told.
        parts: of these parts, whose names begin the names of their values, the same must be told instead.
    """
    names: dict[str, set[str]] = {part: set() for part in parts}
    for row in rows:
        if not parts and RUN in row:
            names.setdefault(row[RUN], set()).update(row)
        for name in row if parts else ():
            part, _, rest = name.removeprefix(IN_BATCH).partition("/")
            if rest and part in names:
                names[part].add(rest)
    return len(names) > 1 and len(set(map(frozenset, names.values()))) <= 1


def model_of(line: str) -> str:
    """The model that a line itself says it tells of; empty where it says none."""
    found = _TAG.match(line) or _PROCESS.match(line) or _MODEL.match(line)
    if found is None:
        return ""
    return "" if _is_no_name(found["name"]) else found["name"]


def _is_no_name(name: str) -> bool:
    return name.lower() in _NO_MODELS or is_counter(name) or _MACHINE.fullmatch(name) is not None
