"""Objects that end printed lines: `stats {"epoch": 3, "loss": 0.4}`, in JSON or as Python prints a dictionary."""

from __future__ import annotations

import re
from typing import Any

from lcode.json_text import parse_json
from lcode.readers.logged.cells import flat
from lcode.readers.printed.lines.printed_line import EPOCH, STEP
from lcode.readers.printed.lines.sections import SPLIT_WORD
from lcode.readers.raw import as_number
from lcode.readers.understanding.column_words import EPOCHS, STEPS

_OBJECT = re.compile(r"\{\s*[\"'].*\}\s*$")
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
    return {} if found is None else _object(found.group())


def _object(text: str) -> dict[str, Any]:
    """The numbers of an object, as it is written."""
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
    split = SPLIT_WORD.match(kind)
    row: dict[str, Any] = {}
    for name, value in flat(found, "/").items():
        counter = EPOCH if name.lower() in EPOCHS else STEP if name.lower() in STEPS else None
        if isinstance(value, str):
            value = as_number(value.partition("/")[0] if counter is not None else value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            row[counter or (f"{split.group()}/{name}" if split is not None else name)] = float(value)
    return row if EPOCH in row or STEP in row else {}
