"""Settings in several lines that have a form of their own: behind a word in brackets, in an object, behind dots.

[config] learn-rate: 0.0003          INFO {                          lr ............ 0.0002
[config] after-epochs: 10                "epochs": "100"             train_iters ... 800
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lcode.json_text import parse_json
from lcode.readers.logged.settings import plain
from lcode.readers.printed.lines.line_forms import usual_form
from lcode.readers.printed.settings.settings_lines import setting_value
from lcode.table.metric_names import known_metric

_TAG = re.compile(r"\[(?:config|args|arguments|options|params|settings|hparams)\] +", re.IGNORECASE)
"""What stands before each line of Marian's configuration."""

_PAIR = re.compile(r"(?P<name>[A-Za-z][\w.-]*) ?[:=] ?(?P<value>\S.*)")

_HEAD = 120
"""Characters of a line in which that is looked for."""

_DOTTED = re.compile(r"\W{0,12}(?P<name>[A-Za-z][\w-]*) \.{2,} ?(?P<value>\S.*?)?\s*")
"""A line of Megatron's arguments."""

_OF_TRAINING = frozenset(
    ("epochs", "epoch", "max_epochs", "num_epochs", "batch_size", "optimizer", "learning_rate", "lr", "seed")
)
"""One of these is among the settings of an object that nothing calls so."""

_MOST_LINES = 500
_LONGEST = 2000
"""Lines of an object, and characters of a line, at most."""


def may_begin_block(line: str) -> bool:
    """Whether a line may be the first of such settings."""
    return line.rstrip().endswith("{") or ("[" in line and _TAG.search(line) is not None)


def block_from(lines: Sequence[str], at: int) -> tuple[dict[str, Any], int]:
    """The settings in the lines from this one on, and the place of the line behind them; none where it begins none."""
    if lines[at].rstrip().endswith("{"):
        return _object_from(lines, at)
    values: dict[str, Any] = {}
    end = at
    while end < len(lines) and len(lines[end]) <= _LONGEST:
        tag = _TAG.search(lines[end], 0, _HEAD)
        if tag is None:
            break
        found = _PAIR.match(lines[end], tag.end())
        if found is not None:
            value = setting_value(found["value"].strip("\"' \t\r"))
            if isinstance(value, float) and known_metric(found["name"]) is not None:
                break  # what is measured follows
            values[found["name"]] = value
        end += 1
    return values, end


def dotted(line: str) -> tuple[str, Any] | None:
    """The setting of a line in which dots stand between name and value; None where it is none."""
    found = _DOTTED.fullmatch(line) if " .." in line else None
    return None if found is None or found["value"] is None else (found["name"], setting_value(found["value"]))


def _object_from(lines: Sequence[str], at: int) -> tuple[dict[str, Any], int]:
    """The settings of an object of JSON that begins at the end of a line, behind what a logger puts before it."""
    if len(lines[at]) > _LONGEST or usual_form(lines[at].rstrip()[:-1]).strip(" \n:|>-") != "":
        return {}, at
    end = next((end for end in range(at + 1, min(at + _MOST_LINES, len(lines))) if lines[end].rstrip() == "}"), at)
    try:
        found = parse_json("\n".join(("{", *lines[at + 1 : end + 1]))) if end > at else None
    except ValueError:
        found = None
    if not isinstance(found, dict) or _OF_TRAINING.isdisjoint(name.lower() for name in found):
        return {}, at
    values = {
        name: setting_value(value) if isinstance(value, str) else value
        for name, value in plain(found).items()
        if value is not None
    }
    if any(known_metric(name) is not None and isinstance(value, float) for name, value in values.items()):
        return {}, at
    return values, end + 1
