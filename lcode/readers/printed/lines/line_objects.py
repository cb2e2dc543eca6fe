"""Objects that end printed lines: `stats {"epoch": 3, "loss": 0.4}`, in JSON or as Python prints a dictionary."""

from __future__ import annotations

import re
from typing import Any

from lcode.json_text import parse_json
from lcode.readers.logged.cells import flat
from lcode.readers.printed.lines.form_parts import DATA
from lcode.readers.printed.lines.printed_line import EPOCH, STEP
from lcode.readers.printed.lines.sections import SPLIT_WORD
from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import EPOCHS, STEPS
from lcode.readers.understanding.curve_names import split_name

_OBJECT = re.compile(r"\{\s*[\"'].*\}\s*$")
_SAID_BEFORE = re.compile(r"(?<![\w/.-])([A-Za-z]+)\W{1,3}$")
"""The word before an object: `val: {'epoch': 3, 'loss': 0.4}`."""

_LONGEST_WORD = 20

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


def object_of(line: str) -> dict[str, Any]:
    """The numbers of an object that ends a line, its counters (`"epoch": "3/50"`) among them; none without one."""
    found = _OBJECT.search(line) if "}" in line[-3:] and len(line) < LONGEST_OBJECT else None
    if found is None:
        return {}
    said = _SAID_BEFORE.search(line, max(found.start() - _LONGEST_WORD, 0), found.start())
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
    split = data or ("" if within is None else within.group())
    row: dict[str, Any] = {}
    for name, value in flat(found, "/").items():
        counter = EPOCH if name.lower() in EPOCHS else STEP if name.lower() in STEPS else None
        if isinstance(value, str):
            value = as_number(value.partition("/")[0] if counter is not None else value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            row[counter or (f"{split}/{name}" if split and not split_name(name)[0] else name)] = float(value)
    return row if EPOCH in row or STEP in row else {}
