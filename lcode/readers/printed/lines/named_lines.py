"""Lines that say of which model, data set or task they tell, where several take turns in one text.

`Model: bert, epoch: 3` and `Model: lstm, epoch: 3`, or `[resnet18] Epoch 3/50 …` and `[vgg16] Epoch 3/50 …`, are a
training each; `Epoch 3 | Dataset 00 | AUC 0.5` and `Epoch 3 | Dataset 01 | AUC 0.7` are evaluations of one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from lcode.readers.printed.lines.form_parts import DATA
from lcode.readers.printed.lines.labelled_lines import LONGEST_HEAD, PARTS_OF_ONE, head_of_lines, label_of
from lcode.readers.printed.lines.labels import PARTS, PHRASE, is_phrase, joined
from lcode.readers.printed.lines.printed_line import IN_BATCH, RUN, without_counters
from lcode.readers.understanding.column_words import is_counter
from lcode.table.metric_names import known_metric

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

_NO_MODELS = (
    DATA
    | PARTS_OF_ONE
    | {
        *("info", "debug", "warning", "error", "log", "lightgbm", "rank", "root", "best", "new", "ema"),
    }
)
"""Levels of messages, and parts of one training, that stand where a model's name may."""

_PART = re.compile(
    rf"(?:^[\W\d_]*|(?:[\[(|,;\]>]|\d:|\bon)\s*|\bINFO\b[\W_]*)(?P<word>{PARTS})"
    r"(?:\s*[:=]\s*['\"]?(?P<name>\w*[^\W\d_][\w.+-]*|\d+)|[ _#]*(?P<number>\d+))['\"]?"
    r"(?=\s*(?:[:,|;\])(>-]|$)|\s+[A-Za-z][\w@]*\s*[:=])",
    re.IGNORECASE,
)
"""Of which part of what is measured a line tells: `Dataset 00`, `task: seg`, `[Task: seg]`, `Epoch 3: head: qm9, …`."""

_PART_ALONE = re.compile(
    rf"(?:^[\W\d_]*|[\[(|,;\]>]\s*|\bINFO\b[\W_]*)(?:{PARTS})"
    rf"(?:\s*(?P<mark>[:=])\s*| )(?P<name>{PHRASE})\s*(?:[\])|]|(?(mark)[,;]|(?!))|[-–—]+(?=\s))",
    re.IGNORECASE,
)
"""The same where a name of several words ends, or there is no colon before it: `Task seg -- epoch 3`."""

_COUNTED_PART = re.compile(rf"\d[\])]*\s+(?:{PARTS})\b", re.IGNORECASE)
"""The same behind a count: `[Iter 50 Task seg] loss: 0.3`, `epoch: 3 task 0, AUC 0.7`."""

_HEAD = re.compile(
    r"(?:.*[\]:>|-]\s|\W*)(?:(?:start(?:ing)?|now|run(?:ning)?)\s+)?"
    r"(?:evaluat\w+|validat\w+|test(?:ing|ed)?|results?|performance|metrics|scores)\s+(?:of|on|for|in)\s+(?:the\s+)?"
    rf"(?:(?:{PARTS})\s+)?['\"]?(?P<name>[A-Za-z](?:[\w.-]*\w)?)['\"]?"
    r"(?:\s+(?:data ?set|set|data|benchmark|task))?\W*",
    re.IGNORECASE,
)
"""A line that alone says on which data set the values below it were measured: `Evaluating on LFW`."""

_VALUE = re.compile(r"(?<![\w.])[+-]?[\d.]*\d")

_HEAD_WORD = re.compile(r"\b(?:of|on|for|in)\b", re.IGNORECASE)
_COUNTS = re.compile(r"\b(?:epoch|step|iter(?:ation)?|round)s?\W{0,3}\d", re.IGNORECASE)


def may_name_parts(text: str) -> bool:
    """Whether a text holds a word for a data set, a task or the like, or a label before a metric."""
    lower = text.lower()
    words = (*PARTS.split("|"), "evaluat", "validat", "test", "result", "performance")
    if any(word in lower for word in words):
        return True
    return any(label_of(line) or head_of_lines(line) is not None for line in text.split("\n"))


def parts_by_turns(lines: Sequence[str], *, tags: bool = False) -> list[str] | None:
    """The data set, task or class that each line tells of, empty where none; None where none take turns.

    Args:
        lines: the lines.
        tags: whether a name in brackets at the beginning of a line says it, as in `[lfw][2000]accuracy: 0.9`.
    """
    names = [_tag_of(line) for line in lines] if tags else _parts_of(lines)
    said = Counter(name for name, _ in groupby(name for name in names if name))
    again = {name for name, times in said.items() if times > 1}  # what is said once is of the end, or a setting
    by_turns = 1 < len(again) <= MOST_MODELS
    return [name if name in again else "" for name in names] if by_turns else None


def _parts_of(lines: Sequence[str]) -> list[str]:
    """What each line itself says that it tells of, or the head above it, up to a line that counts."""
    names, above = [], Above()
    heads = _heads_by_turns(lines)
    for number, line in enumerate(lines):
        own = _part_of(line)
        head = _HEAD.fullmatch(line, max(0, len(line) - LONGEST_HEAD)) if not own and _HEAD_WORD.search(line) else None
        if head is not None:
            above = Above("" if _is_no_name(head["name"]) else head["name"])
        elif number in heads:
            above = heads[number]
        elif own or (above.name and _COUNTS.search(line)) or above.ends_at(line):
            above = Above()
        names.append(own or above.name)
        if own and _COUNTED_PART.search(line) and not _VALUE.search(without_counters(line)):
            above = Above(own)  # `[Iter 50 Task seg]:`
    return names


@dataclass(frozen=True)
class Above:
    """A head that says of what the lines below it tell.

    Attributes:
        name: what it says; empty: nothing.
        indent: how far in it stands where only lines that are further in are below it.
    """

    name: str = ""
    indent: int | None = None

    def ends_at(self, line: str) -> bool:
        """Whether a line is not below the head."""
        return self.indent is not None and bool(line.strip()) and len(line) - len(line.lstrip()) <= self.indent


def _heads_by_turns(lines: Sequence[str]) -> dict[int, Above]:
    """The lines, by number from 0, that consist of a word which several of them have by turns."""
    found = {at: head for at, line in enumerate(lines) if line.strip() and (head := head_of_lines(line)) is not None}
    said = Counter(name for name, _ in found.values())
    return {at: Above(name, indent) for at, (name, indent) in found.items() if said[name] > 1}


def _tag_of(line: str) -> str:
    found = _TAG.match(line)
    return "" if found is None or _is_no_name(found["name"]) else found["name"]


def _part_of(line: str) -> str:
    line = line[:LONGEST_HEAD]
    if _COUNTED_PART.search(line):
        line = without_counters(line)
    found = _PART.search(line)
    if found is None:
        alone = _PART_ALONE.search(line)
        return label_of(line) if alone is None or not is_phrase(alone["name"]) else joined(alone["name"]).strip("-")
    number = found["number"] or (found["name"] if found["name"].isdigit() else "")
    if number:
        return f"{found['word'].lower().replace(' ', '')}_{number}"
    return "" if known_metric(found["name"]) is not None else found["name"]


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
