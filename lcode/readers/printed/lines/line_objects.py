"""Objects that end printed lines: `stats {"epoch": 3, "loss": 0.4}`, in JSON or as Python prints a dictionary."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lcode.json_text import parse_json
from lcode.readers.logged.cells import flat
from lcode.readers.printed.lines.form_parts import DATA
from lcode.readers.printed.lines.printed_line import EPOCH, STEP
from lcode.readers.printed.lines.sections import SPLIT_WORD
from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import EPOCHS, STEPS, why_left_out
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.rates import is_rate
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS

_OBJECT = re.compile(r"\{\s*[\"'].*\}\s*$")
_SAID_BEFORE = re.compile(r"\s*([A-Za-z]{2,20}): ?(?=\{)")
"""The word before an object that begins a line: `val: {'epoch': 3, 'loss': 0.4}`."""

_FARTHEST = 30
"""Characters of a line within which such an object begins."""

_SEVERAL = 2
"""Parts of the data that a text must name before objects for the word to say it: one alone is most often that of a
program or of a logger, `train: {'epoch': 3, 'val_loss': 0.4}`."""

_PYTHON = (
    ("'", '"'),
    ("None", "null"),
    ("True", "true"),
    ("False", "false"),
    (": nan", ": NaN"),
    (": inf", ": Infinity"),
    (": -inf", ": -Infinity"),
)
"""What makes JSON of a printed dictionary of numbers."""

LONGEST_OBJECT = 20_000
"""Characters of a line that ends with an object, which is read in one go: a score for each of some hundred classes."""


def names_data_before(lines: Iterable[str]) -> bool:
    """Whether the lines of a text that are objects begin with the part of the data that each is of, of several."""
    begun = (_SAID_BEFORE.match(line) for line in lines if "{" in line[:_FARTHEST])
    return len({SPLITS[found[1].lower()] for found in begun if found and found[1].lower() in DATA}) >= _SEVERAL


def object_of(line: str, *, data_before: bool = False) -> dict[str, Any]:
    """The numbers of an object that ends a line, its counters (`"epoch": "3/50"`) among them; none without one.

    Args:
        line: the line.
        data_before: whether the word before an object says on which data was measured, see `names_data_before`.
    """
    found = _OBJECT.search(line) if "}" in line[-3:] and len(line) < LONGEST_OBJECT else None
    if found is None:
        return {}
    said = _SAID_BEFORE.match(line) if data_before else None
    return _object(found.group(), "" if said is None or said[1].lower() not in DATA else said[1])


def _object(text: str, data: str) -> dict[str, Any]:
    """The numbers of an object, as it is written.

    Args:
        text: the object.
        data: the word before it that says on which data was measured; empty: there is none, but one in it may say it.
    """
    if text[1:].lstrip().startswith("'"):
        for python, same in _PYTHON:
            text = text.replace(python, same)
    try:
        found = parse_json(text)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    kind = next((str(found[name]) for name in ("_type", "type", "mode", "split", "phase") if name in found), "")
    within = SPLIT_WORD.match(kind)
    of_all = "" if within is None else within.group()
    row: dict[str, Any] = {}
    for name, value in flat(found, "/").items():
        counter = EPOCH if name.lower() in EPOCHS else STEP if name.lower() in STEPS else None
        if isinstance(value, str):
            value = as_number(value.partition("/")[0] if counter is not None else value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            split = of_all or (data if _is_measured(name) else "")
            row[counter or (f"{split}/{name}" if split else name)] = float(value)
    return row if EPOCH in row or STEP in row else {}


def _is_measured(name: str) -> bool:
    """Whether a name is that of a metric and says nothing of the data, which holds for no rate, time or setting."""
    return (
        known_metric(name) is not None and why_left_out(name) is None and not is_rate(name) and not split_name(name)[0]
    )
