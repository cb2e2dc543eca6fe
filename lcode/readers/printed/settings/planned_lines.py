"""How many epochs are planned, where a line alone says it: `Scheduled epochs: 300. …`, `  END_EPOCH: 6`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lcode.readers.printed.lines.line_forms import without_noise
from lcode.readers.understanding.planned import is_planned

_LONGEST = 400
"""Characters of such a line at most."""

_NAMED = re.compile(r"\W*(?P<name>[A-Za-z][\w.-]*(?: [A-Za-z]\w*){0,2})['\"]?\s*[:=]\s*(?P<count>\d{1,7})\W*")
"""A setting alone in a line."""

_OF_A_PART = r"warm|froz|freez|\bhead|pre-?train|fine-?tun|\bswa\b|\bema\b|cool|constant"
"""What epochs of a part of the training are called after."""

_OTHERWISE = rf"{_OF_A_PART}|improv|resum|patience|stop|after|\bha[ds]\b|\b(?:been|ran|without|not?|took|finish|done)\b"
"""What stands before a number of epochs that is not planned, or not for the whole training."""

_SENTENCE = re.compile(
    r"\W*(?:scheduled epochs?\s?[:=]\s?(?P<count>\d{1,7})(?!\d|\.\d|\s?/).*"
    rf"|(?:start(?:ing|ed)?\W+)?train(?:ing)?\b(?:(?!{_OTHERWISE})[^:=\d]){{0,40}}\bfor (?:a total of )?"
    rf"(?P<times>\d{{1,7}}) epochs?\b(?:(?!{_OF_A_PART})[^:=\d])*)",
    re.IGNORECASE,
)

_PART = re.compile(rf"\W*[\w.-]*?(?:{_OF_A_PART}|early|stop|patience)[\w.-]*\W*", re.IGNORECASE)
"""The line above settings of a part of the training, or of what stops it."""

_FARTHEST = 100
"""Lines between such a line and a setting below it at most."""

_LOOP = re.compile(r"\b(?:train_cfg|runner)\s?=\s?dict\([^()]*\b(?P<name>max_epochs|max_iters)=(?P<count>\d{1,9})\b")
"""The loop of a training in a configuration of OpenMMLab."""


def plans_in(text: str) -> list[tuple[int, str, int]]:
    """The lines that say what is planned, by number from 1 on, with the name of the setting and its value.

    What is said with another value each time counts something.
    """
    if "epoch" not in text.lower() and "max_iters" not in text:
        return []
    found = [*_found(text)]
    values: dict[str, set[int]] = {}
    for _, name, value in found:
        values.setdefault(name, set()).add(value)
    return [one for one in found if len(values[one[1]]) == 1]


def _found(text: str) -> Iterator[tuple[int, str, int]]:
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if len(line) > _LONGEST or not ("epoch" in line.lower() or "max_iters" in line):
            continue
        plain = without_noise(line).rpartition("\n")[2]
        if (loop := _LOOP.search(plain)) is not None:
            yield number, loop["name"], int(loop["count"])
        elif (named := _NAMED.fullmatch(plain)) is not None and is_planned(named["name"], "epoch"):
            if not _is_of_a_part(lines, number - 1):
                yield number, named["name"].replace(" ", "_"), int(named["count"])
        elif (said := _SENTENCE.fullmatch(plain)) is not None:
            yield number, "epochs", int(said["count"] or said["times"])


def _is_of_a_part(lines: Sequence[str], at: int) -> bool:
    """Whether a line stands, further in, below one that names a part of the training: `warmup:`, `  epochs: 10`."""
    margin = _margin(lines[at])
    for line in reversed(lines[max(at - _FARTHEST, 0) : at]):
        if margin == 0:
            return False
        if line.strip() and _margin(line) < margin:
            if len(line) <= _LONGEST and _PART.fullmatch(without_noise(line).rpartition("\n")[2]):
                return True
            margin = _margin(line)
    return False


def _margin(line: str) -> int:
    """Characters before what a line says."""
    plain = without_noise(line).rpartition("\n")[2] if len(line) <= _LONGEST else line
    return len(plain) - len(plain.lstrip())
