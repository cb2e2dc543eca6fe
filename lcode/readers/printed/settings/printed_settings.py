"""Settings that a program prints before it trains: `Namespace(lr=0.1)`, `config: {'lr': 0.1}`, or a list below a head.

Hyper-parameters:
    lr: 0.1
    epochs: 50
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lcode.readers.logged.base import Logged
from lcode.readers.logged.settings import call_settings
from lcode.readers.printed.lines.line_forms import usual_form
from lcode.readers.printed.settings.planned_lines import plans_in
from lcode.readers.printed.settings.settings_blocks import block_from, dotted, may_begin_block
from lcode.readers.printed.settings.settings_lines import settings_of_line
from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import EPOCHS
from lcode.readers.understanding.planned import is_planned, planned
from lcode.table.metric_names import known_metric

FEWEST, MOST = 2, 500
"""Settings that make a list of them; more are the parameters of a network."""

_WORD = r"(?:args|arguments|config(?:uration)?s?|cfg|hyper-?_?param\w*|param(?:eter)?s|settings|options)"

_FILE = r"[\w./\\-]+\.(?:py|ya?ml|json|toml|ini|cfg)"

_HEAD = re.compile(
    rf"(?:[^={{]*\bwith\s+)?[^:={{]*\b{_WORD}(?: used| values| list)?(?: (?:with|from|in) {_FILE})?\s*[:=]?\W*",
    re.IGNORECASE,
)
"""A line that alone says that settings stand below it, which may name the file that they are from."""

_COMMENT = re.compile(r"(?:^|\s)#.*")
_ONE_MORE = re.compile(r"\s*overriding:\s*", re.IGNORECASE)
"""What stands around a setting, as where a file of Python was printed, or one was given on the command line."""

_OBJECT = re.compile(rf"\b(?:Namespace|{_WORD})\b[^({{]*(?P<object>[({{].*[)}}])", re.IGNORECASE)

_SETTING = re.compile(r"\W{0,12}(?P<name>[A-Za-z][\w.-]*)\s*[:=]\s*(?P<value>\S.*?)?[\s,;]*")
_FLAG = re.compile(r"(?:[^-].*?\s)?\s*--(?P<name>[A-Za-z][\w.-]*)\s+(?P<value>\S.*?)\s*")

_OF_HEADS = ("arg", "conf", "cfg", "param", "setting", "option")
_WORDS = (
    *("namespace", *_OF_HEADS),
    *(
        ".py ",
        " -m ",
        "overriding: ",
        "run ",
        "trial ",
        "experiment ",
        "exp ",
        "job ",
        "fold ",
        "sweep ",
        "epoch': ",
        "epochs': ",
    ),
)
"""One of these is in every line that holds settings, or stands above them, or it ends with a rule."""

_RULES = ("===", "###", "***", "~~~", "---")

_RULE = re.compile(r"[\W_]*")

_SAID_BEHIND = re.compile(r"\b(?:finished|completed?)\b", re.IGNORECASE)
"""A trial is over where its settings are told with these words."""

_OF_THE_BEST = re.compile(r"^[^{(]*\bbest\b", re.IGNORECASE)

_CONSTANTS = {"true": True, "false": False, "none": None, "null": None}

_LONGEST = 20_000
"""Characters of a line that is looked at."""

_HEAD_LENGTH = 160

_MOST_LETTERS = 40
"""A longer text, or one with blanks or a path in it, is no choice between a few."""


@dataclass(frozen=True)
class Settings:
    """Settings as they were printed.

    Attributes:
        line: 1-based line at which they begin.
        values: name -> number, boolean or word.
        behind: whether they are of what was told before.
        plans: whether they say no more than how many epochs are planned, and are no configuration.
    """

    line: int
    values: Mapping[str, Any]
    behind: bool = False
    plans: bool = False


def with_plans(settings: Sequence[Settings], text: str) -> list[Settings]:
    """The settings of a text with what a line alone says of how many epochs are planned, where none of them does."""
    if any(_plans(name) for one in settings for name in one.values):
        return [*settings]
    return [*settings, *(Settings(line, {name: value}, plans=True) for line, name, value in plans_in(text))]


def _plans(name: str) -> bool:
    """Whether a setting says how many epochs or steps are planned: `config: {'num_train_steps': 800}`, alone."""
    return is_planned(name, "epoch") or is_planned(name, "step")


def settings_in(text: str) -> tuple[list[Settings], str]:
    """The settings that a text holds, and the text without them, its other lines where they were."""
    if not (_may_hold(text) or "{\n" in text or any(rule in text for rule in _RULES)):
        return [], text
    lines = text.split("\n")
    found: list[Settings] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        block, end = block_from(lines, at - 1) if len(line) <= _LONGEST and may_begin_block(line) else ({}, at)
        if FEWEST <= len(block) <= MOST:
            found.append(Settings(at, _told(block.items())))
            lines[at - 1 : end] = [""] * (end - at + 1)
            at = end
            continue
        if len(line) > _LONGEST or not _may_hold(line):
            continue
        values = _of_object(line)
        if len(values) < FEWEST and not any(map(_plans, values)):
            values = {}
        alone = {} if values else _told(settings_of_line(line).items())
        if alone:
            found.append(Settings(at, alone))
            lines[at - 1] = ""
        elif values:
            if not _OF_THE_BEST.match(line):
                found.append(Settings(at, values, behind=_SAID_BEHIND.search(line) is not None))
            lines[at - 1] = ""
        elif _is_head(line):
            values, end = _below(lines, at)
            if FEWEST <= len(values) <= MOST:
                if not _OF_THE_BEST.match(line):
                    found.append(Settings(at, values))
                lines[at:end] = [""] * (end - at)
                at = end
    return found, "\n".join(lines) if found else text


def with_settings(runs: Sequence[Logged], settings: Sequence[Settings]) -> list[Logged]:
    """The runs with the settings that were printed last before each began; what is planned of epochs among them.

    Planned steps are a setting as any tool has it, see `planned_ends`.

    Args:
        runs: the runs of a text, in the order in which they began.
        settings: those printed in it.
    """
    starts = [run.lines[0] if run.lines else 0 for run in runs]
    kept: list[Logged] = []
    values, plans = dict[str, Any](), dict[str, Any]()
    for at, run in enumerate(runs):
        before = starts[at - 1] if at else 0
        until = starts[at + 1] if at + 1 < len(runs) else float("inf")
        own = [one for one in settings if not one.behind and before < one.line <= starts[at]]
        own += [one for one in settings if one.behind and starts[at] < one.line <= until]
        if any(not one.plans for one in own):
            values = {name: value for one in own if not one.plans for name, value in one.values.items()}
        plans |= {name: value for one in own if one.plans for name, value in one.values.items()}
        config = {name: value for name, value in values.items() if name not in run.columns}
        total = run.total or _planned({**values, **plans} if run.axis in EPOCHS else plans, run)
        kept.append(replace(run, config={**config, **run.config}, total=total))
    return kept


def _planned(values: Mapping[str, Any], run: Logged) -> float | None:
    """How many epochs, or steps, are planned by the settings, where the run has not gone beyond."""
    counts = run.columns.get(run.axis or "")
    last = max((count for count in counts.to_pylist() if count is not None), default=0) if counts is not None else 0
    return planned(values, "epoch" if run.axis in EPOCHS else "step", last)


def _may_hold(text: str) -> bool:
    """Whether a line, or a whole text, holds a word for settings."""
    lower = text.lower()
    return any(word in lower for word in _WORDS) or text.rstrip().endswith(_RULES)


def _of_object(line: str) -> dict[str, Any]:
    """The settings of an object of Python in the line."""
    found = _OBJECT.search(line) if "{" in line or "Namespace(" in line else None
    if found is None:
        return {}
    text = found["object"]
    return _told(call_settings(f"Namespace{text}" if text.startswith("(") else text).items())


def _is_head(line: str) -> bool:
    """Whether settings stand below a line, as it is or without what a logger puts before it."""
    if len(line) > _HEAD_LENGTH or not any(word in line.lower() for word in _OF_HEADS):
        return False
    return any(_HEAD.fullmatch(text) for text in (line, usual_form(line).rpartition("\n")[2]))


def _below(lines: Sequence[str], start: int) -> tuple[dict[str, Any], int]:
    """The settings in the lines from this one on, those of a group with its name before theirs, and the line behind."""
    values: dict[str, Any] = {}
    above: list[tuple[int, str]] = []
    end = at = start
    while at < len(lines):
        text = _ONE_MORE.sub("", _COMMENT.sub("", lines[at])) if len(lines[at]) <= _LONGEST else ""
        line = usual_form(text).rpartition("\n")[2]
        at += 1
        if (one := dotted(line)) is not None:
            values |= _told([one])
            end = at
            continue
        found = _SETTING.fullmatch(line) or _FLAG.fullmatch(text)
        if found is None and _RULE.fullmatch(line) and (lines[at - 1].strip() or not values):
            continue  # a rule or a comment, or blank lines before the first setting
        if found is None:
            break
        indent = len(line) - len(line.lstrip())
        above = [(before, name) for before, name in above if before < indent]
        name = ".".join((*(name for _, name in above), found["name"]))
        if found["value"] is None:
            above.append((indent, found["name"]))
        told = _told([(name, _value(text, found["name"]))])
        if known_metric(name) is not None and any(isinstance(value, float) for value in told.values()):
            break  # what is measured follows
        values |= told
        end = at
    return values, end


def _value(line: str, name: str) -> Any:
    """A setting as it was printed behind its name: a number, a boolean, or a word; None where nothing is."""
    found = re.search(rf"{re.escape(name)}(?:[\"']?\s*[:=]\s*|\s+)(.*)", line)
    text = "" if found is None else found[1].strip(" \t\r,;'\"")
    if re.fullmatch(r"[+-]?\d{1,18}", text):
        return int(text)
    number = as_number(text)
    return _CONSTANTS.get(text.lower(), text) if number is None else number


def _told(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The settings that a run may be compared by: numbers, booleans and words, no paths and sentences."""
    return {
        name: value
        for name, value in pairs
        if value is not None
        and not (isinstance(value, str) and (len(value) > _MOST_LETTERS or re.search(r"[\s/\\{}\[\]()]|^$", value)))
    }
