"""Whole curves as a program prints them at its end: a name and a list, as Python writes it.

train_loss: [0.9, 0.7, 0.6]                  {'loss': [0.9, 0.7, 0.6], 'val_loss': [1.0, 0.8, 0.7]}
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from lcode.readers.printed.lines.form_parts import NUMBER
from lcode.readers.printed.lines.printed_line import EPOCH, FEWEST
from lcode.readers.understanding.column_words import EPOCHS, STEPS
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed

Rows = list[tuple[int, dict[str, Any]]]
"""The 1-based line and the values of each row."""

COUNTED = "no line counts the epochs, so what was printed was counted, from 1."

_LIST = re.compile(r"\[([^\[\]]*)\]")
_NAME = re.compile(r"([A-Za-z][\w @./%-]*)['\"]?\s*[:=]\s*(?:(?:np\.)?array\()?$")
_LONGEST = 80
"""Characters before a list in which its name is looked for."""

_WRAPPED = re.compile(rf"\b(?:tensor|np\.\w+|array)\(({NUMBER})[^()]*(?:<[^<>]*>)?\)", re.IGNORECASE)
"""A number that is no plain one: `tensor(0.3, grad_fn=<MeanBackward0>)`."""

_OF_LIST = re.compile(r"(?<=\w)[_ ](?:logs?|lists?|history|hist|values|curve|arr|array)$", re.IGNORECASE)
"""The end of a name that says that it is a list."""

_OBJECT = re.compile(r'\s*\{\s*(?:"|\}|$)')

_CELL = re.compile(NUMBER, re.IGNORECASE)


def is_json(text: str) -> bool:
    """Whether a text begins as objects of JSON do, which have readers of their own."""
    return _OBJECT.match(text) is not None


def printed_lists(text: str) -> tuple[Rows, str] | None:
    """The rows of the lists of a text, numbered where no list counts them, and a remark; None where it has none.

    Of lists that differ in length those count that are as long as most.
    """
    if is_json(text):
        return None
    lists: dict[str, tuple[int, list[float]]] = {}
    text, length, line, at = _WRAPPED.sub(r"\1", text), 0, 1, 0
    for found in _LIST.finditer(text):
        cells = [cell for cell in re.split(r"[\s,]+", found[1]) if cell]
        name = _NAME.search(text[max(0, found.start() - _LONGEST) : found.start()])
        if name is not None and len(cells) >= FEWEST and all(map(_CELL.fullmatch, cells)):
            length += found.end() - found.start()
            line, at = line + text.count("\n", at, found.start()), found.start()
            lists[_OF_LIST.sub("", name[1].strip())] = (line, [float(cell) for cell in cells])
    if 2 * length < len(text.strip()) or not lists:  # or it is a configuration with lists in it
        return None
    (size, _), *others = Counter(len(values) for _, values in lists.values()).most_common()
    kept = {name: values for name, (_, values) in lists.items() if len(values) == size}
    if not any(known_metric(name) is not None for name in kept):
        return None
    counter = next((name for name in kept if name.lower() in (*EPOCHS, *STEPS)), None)
    counts = kept.pop(counter) if counter is not None else [float(at) for at in range(1, size + 1)]
    line = min(line for line, _ in lists.values())
    rows = [(line, {EPOCH: at} | {name: values[n] for name, values in kept.items()}) for n, at in enumerate(counts)]
    left_out = [name for name, (_, values) in lists.items() if len(values) != size]
    told = f"each list is a curve of its name{'' if counter is not None else ', counted from 1'}"
    return rows, told + (f"; left out, since not of {size} values: {listed(left_out)}." if others else ".")
