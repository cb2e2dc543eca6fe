"""Words that say of which task, data set or class the values behind them in a line are, up to the next such word.

`age acc 0.5 loss 1.2 | gender acc 0.4 loss 1.0`, `seg: loss 0.5, acc 0.4; cls: loss 1.0`: the word before the first
name of a segment belongs to all of them, or the loss of one task is taken for that of another.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lcode.readers.printed.lines.form_parts import NUMBER
from lcode.readers.understanding.column_words import is_counter, why_left_out
from lcode.readers.understanding.curve_names import split_name, task_of
from lcode.readers.understanding.rates import is_rate
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import NEUTRAL, SPLITS

_TASKS = frozenset(("seg", "segm", "cls", "box", "bbox", "mask", "rpn", "roi", "obj", "main", "aux", "local", "head"))
"""Of the words that say nothing of a metric, those that may name a task."""

NO_LABELS = (NEUTRAL - _TASKS - {"micro", "macro", "weighted"}) | frozenset(
    [
        *("info", "debug", "warning", "error", "log", "root", "new", "summary", "score", "scores", "stats", "history"),
        *("lr", "time", "eta", "data", "model", "this", "previous", "early", "loss", "losses", "and", "on", "of", "at"),
    ]
)
"""Words before a metric that say how it was summed up or who tells it, not of what it is."""

WORD = r"[^\W\d_][\w.+@/-]*"

PHRASE = rf"{WORD}(?: {WORD}){{0,3}}"

_NO_PHRASE = frozenset(
    """
    the a an to in for by with from per after before is was not no first second third next pass run done end start
    so far up down same saving saved loading loaded running starting finished stopping improved record evaluated
    evaluate evaluator evaluating trained tested model checkpoint training old original final highest lowest
    baseline report progress status memory speed learning rate patience counter update updated set using now one
    selected confusion matrix gradient gradients parameters settings
    """.split()  # noqa: SIM905
)
"""Words of sentences, and of what a program does: what holds one is no name of several words."""

_ALONE = re.compile(rf"[^\w(\[{{]*(?P<name>{PHRASE})[ :]*")
"""A segment that is nothing but a name: `age | acc 0.3 | loss 1.2`."""

_MARKED = re.compile(rf"[\W\d_]*(?P<name>{PHRASE})\s*")
"""What stands before the mark of a label: `age: acc 0.3`."""

_ONE = rf"(?>{WORD}(?: *[:=] *| +)(?:{NUMBER})[^\s,;(){{}}\[\]]{{0,4}})"
"""A name and its number, with a unit; taken whole, or a long line of many would be tried in all ways."""

_GROUP = re.compile(
    rf"(?i)(?<![\w.@/])(?P<name>{WORD})(?P<mark> *[:=]? *)(?P<open>[(\[{{])"
    rf"(?P<pairs>\s*{_ONE}(?:(?>\s*[,;|]\s*|\s+){_ONE})*+)[,\s]*[)\]}}]"
)
"""Names and numbers in brackets behind a word: `age(acc=0.3, loss=1.2)`, `age: {acc: 0.3}`."""

_PAIR = re.compile(rf"(?i)(?P<name>{WORD})(?= *[:=] *(?:{NUMBER})| +(?:{NUMBER}))")

PARTS = "data set|dataset|task|domain|subset|subject|class|category|head|scene|camera|site|language"
"""Words for parts of what is measured."""

_NUMBERED = re.compile(
    rf"(?i)(?<![\w.])({PARTS})[ _#]*(\d+)(?:\s*[:|-]\s*|\s+)(?=[A-Za-z][\w@]*(?: *[:=] *| +)[+-]?[\d.])"
)

_OF_DATA = re.compile(rf"(?i)(?<![\w./-])({'|'.join(sorted(SPLITS, key=len, reverse=True))})\s+(?=(?:{PARTS})[ _#]*\d)")
"""Data before the first of them, which these all are of: `valid task 0 auc 0.3 task 1 auc 0.2`."""

_DEEPEST = 4
"""Brackets within brackets that are looked into."""


@dataclass(frozen=True)
class Value:
    """A number of a line, and what it is called.

    Attributes:
        split: the data that the head of the line or of a part of it says; empty: none.
        name: as it stands before the number.
        value: the number.
        label: the word that the names before it, or it, begin with; empty: none.
        near: whether nothing but commas stands between it and the label.
        within: whether the label may be part of the metric: `macro` of `macro precision`.
    """

    split: str
    name: str
    value: float
    label: str = ""
    near: bool = False
    within: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What it is taken for without its label."""
        return self.split, self.name.lower()


class Labels:
    """Follows a line, and says which label its next name has."""

    def __init__(self) -> None:
        self._label = ""
        self._marked = self._near = self._within = False

    def begin(self, separator: str) -> None:
        """Take up that a segment begins: behind another separator than a comma it is none of the label alone."""
        self._near = self._near and separator.strip(" ") in (",", "and")

    def alone(self, segment: str) -> None:
        """Take up a segment without a number."""
        found = _ALONE.fullmatch(segment)
        if found is not None and is_phrase(found["name"]):
            self._take(joined(found["name"]), marked=True, near=False)

    def reset(self) -> None:
        """Take up that the line says of which data what follows is."""
        self._take("", near=False)

    def named(self, before: Sequence[str], split: str, name: str, value: float) -> Value:
        """The value with its label.

        Args:
            before: what stands before the name since the last number, as pieces between marks.
            split: see `Value`.
            name: of the number.
            value: the number.
        """
        marked = _MARKED.fullmatch(before[-1]) if before else None
        own = own_label(name)
        if marked is not None and is_phrase(marked["name"]):
            self._take(joined(marked["name"]), marked=True)
        elif own and not (self._marked and self._near):
            self._take(own)
        elif (before_it := _first_words(name)) and not self._marked:
            self._take(before_it, within=True)
        return Value(split, name, value, self._label, self._near, self._within)

    def _take(self, label: str, *, marked: bool = False, near: bool = True, within: bool = False) -> None:
        self._label, self._marked, self._near, self._within = label, marked, near, within


def with_labels(told: Sequence[Value]) -> list[Value]:
    """The values with the labels in their names, where a line has several and their names alone do not tell them apart.

    So they are where a name comes again behind another label, and where further names stand behind each of several.
    """
    if not any(one.label for one in told) or len({one.label for one in told}) < 2:
        return [*told]
    labels: dict[tuple[str, str], set[str]] = {}
    for one in told:
        if not _is_of_line(one.name):
            labels.setdefault(one.key, set()).add(one.label)
    again = {key for key, of in labels.items() if len(of) > 1}
    further = {one.label for one in told if one.near and one.label and not one.within and not _begins(one)}
    several = {one.label for one in told if one.key in again} | (further if len(further) > 1 else set())
    return [_named(one, again, several) for one in told]


def _named(one: Value, again: Collection[tuple[str, str]], several: Collection[str]) -> Value:
    """A value with its label in its name, where its name comes again, or it stands near one of these labels."""
    if not one.label or _is_of_line(one.name):
        return one
    if one.within:
        return replace(one, name=f"{one.label}_{one.name}") if one.key in again else one
    if one.key in again or (one.near and one.label in several):
        return replace(one, name=f"{one.label}/{_without_label(one)}")
    return one


def _without_label(one: Value) -> str:
    """The name of a value without the label that it may begin with."""
    return one.name[len(one.label) :].lstrip("_ ./-") if _begins(one) else one.name


def _begins(one: Value) -> bool:
    """Whether the name of a value begins with its label."""
    rest = one.name.lower().removeprefix(one.label.lower())
    return rest != one.name.lower() and rest[:1] in tuple("_ ./-")


@lru_cache(maxsize=4096)
def _is_of_line(name: str) -> bool:
    """Whether a value is of the line as a whole, whatever stands before it: a rate, a time."""
    return is_rate(name) or why_left_out(name) is not None or is_counter(name)


@lru_cache(maxsize=4096)
def is_label(word: str) -> bool:
    """Whether a word before names of metrics may say of what they are."""
    plain = word.lower().strip("._-")
    return len(plain) > 0 and plain not in NO_LABELS and not is_counter(plain) and known_metric(plain) is None


@lru_cache(maxsize=4096)
def is_phrase(words: str) -> bool:
    """Whether one or more words may say of what the metrics behind them are: `lane line segmentation`."""
    several = words.split()
    if len(several) == 1:
        return is_label(words)
    return all(is_label(word) and word.lower() not in _NO_PHRASE for word in several) and known_metric(words) is None


def joined(words: str) -> str:
    """The name of a task of one or more words as one."""
    return "_".join(words.split())


@lru_cache(maxsize=4096)
def _first_words(name: str) -> str:
    """What stands before the last word of a name where that alone is a metric: `macro` of `macro_precision`."""
    before, _, last = name.rpartition("_")
    return before if before and known_metric(last) is not None else ""


@lru_cache(maxsize=4096)
def own_label(name: str) -> str:
    """What stands before the metric in a name, data or a task or both: `Train_age` of `Train_age_acc`."""
    split, rest = split_name(name)
    metric = (task_of(rest) or rest).rpartition("/")[2]
    if known_metric(metric) is None or not (split or metric != rest) or not name.lower().endswith(metric.lower()):
        return ""
    return name[: -len(metric)].rstrip("_ ./-")


def with_numbered_parts(line: str) -> str:
    """The line with the parts that it numbers as labels, where these are several: `task 0 acc 0.3 task 1 acc 0.4`."""
    if len(set(_NUMBERED.findall(line))) < 2:
        return line
    return _NUMBERED.sub(r"\1_\2: ", _OF_DATA.sub(r"\1: ", line))


def with_named_groups(line: str) -> str:
    """The line with the word before brackets as part of the names in them, where several words have such brackets.

    `age(acc=0.3, loss=1.2) gender(acc=0.4, loss=1.0)`, or a dictionary of dictionaries.
    """
    for depth in range(_DEEPEST):
        groups = [found for found in _GROUP.finditer(line) if _is_group(found, depth)]
        if len({found["name"].lower() for found in groups}) < (1 if depth else 2):
            break
        for found in reversed(groups):
            line = line[: found.start()] + _named_group(found) + line[found.end() :]
    return line


def _is_group(found: re.Match[str], depth: int) -> bool:
    """Whether a word before brackets names what is in them; of outer ones, names within inner ones."""
    if depth and "/" not in found["pairs"]:
        return False
    name = found["name"].lower()
    names = [pair["name"] for pair in _PAIR.finditer(found["pairs"])]
    if known_metric(name) is not None:
        return all(map(is_label, names))
    return (is_label(name) or name in SPLITS) and any(known_metric(one.rpartition("/")[2]) is not None for one in names)


def _named_group(found: re.Match[str]) -> str:
    """The names in brackets with the word before these; the metric behind the task, also where it stands before it."""
    word = found["name"]
    form = r"\g<name>/" + word if known_metric(word) is not None else word + r"/\g<name>"
    return ", " + _PAIR.sub(form, found["pairs"].strip()) + ", "
