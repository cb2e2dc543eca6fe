"""Numbers in brackets behind a value that are no averages of it: changes and deviations, left out of the text.

`loss 0.53 (0.61)` is the value of the last batch and the average of all, which is what counts. Behind another number
stands by how much it has changed, with a sign: `val_loss: 0.6653 (-0.0290)`; or how far it is spread, and then it is
far from the value in each line: `val_acc: 0.59 (0.08)`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lcode.readers.printed.lines.form_parts import NUMBER
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed

_COLOUR = r"(?:\x1b\[[\d;]{0,9}m)?"

_BESIDE = re.compile(
    rf"(?<![\w@./%+-])(?P<name>[A-Za-z][\w@./%+-]*(?: [A-Za-z][\w@./%+-]*){{0,2}}){_COLOUR}"
    rf"(?:(?<!@0\.5)(?<!@\.5)(?<!@50)\s?[:=]\s{{0,9}}|\s{{1,9}}){_COLOUR}\s{{0,9}}"  # `mAP@0.5:0.95(0.3)` holds a range
    rf"(?P<value>{NUMBER})(?P<end>\s?%?\s?{_COLOUR})(?P<beside>\s{{0,9}}\(\s?(?P<second>{NUMBER})\s?%?\s?\))",
    re.IGNORECASE,
)

_IN_BRACKETS = re.compile(r"\d\s?%?\s?(?:\x1b\[[\d;]*m)?\s*\(\s?[+-]?[\d.]")

_FAR = 3
"""Times that a deviation goes into its value in each line of at least one metric; an average that lies so far from the
value in each line is none."""

FEWEST = 2
"""Lines that tell an average from a deviation: the first of a run may be of the first batch alone."""


@dataclass
class _Beside:
    """What stands behind the values of one name.

    Attributes:
        lines: how often.
        signed: whether one has a plus sign, which no value has.
        falls: whether one is negative.
        negative: whether a value is.
        far: how many lie far below their values.
        above: how many lie above their values.
        same: whether one is its value.
    """

    lines: int = 0
    signed: bool = False
    falls: bool = False
    negative: bool = False
    far: int = 0
    above: int = 0
    same: bool = False

    def take(self, value: str, second: str) -> None:
        """Take up a value and what stands behind it."""
        number, beside = float(value), float(second)
        self.lines += 1
        self.signed |= second[0] == "+" and value[0] != "+"
        self.falls |= second[0] == "-"
        self.negative |= number < 0
        self.far += 0 <= _FAR * beside < abs(number)
        self.above += beside > number
        self.same |= number == beside != 0

    @property
    def is_change(self) -> bool:
        """Whether it is a change: it has a sign, and no average of such values has one."""
        return self.signed or (self.falls and not self.negative)

    @property
    def is_far(self) -> bool:
        """Whether it is far below its value in each line."""
        return self.lines >= FEWEST and self.far == self.lines

    @property
    def is_average(self) -> bool:
        """Whether it can be no deviation: one is negative, or exactly the value, or most lie above it."""
        return self.same or self.falls or 2 * self.above > self.lines


def without_numbers_beside(text: str) -> tuple[str, str]:
    """The text without changes and deviations behind its values, and a remark on them, empty where there are none."""
    if not _IN_BRACKETS.search(text):
        return text, ""
    beside: dict[str, _Beside] = {}
    example = dict[str, str]()
    for found in _BESIDE.finditer(text):
        name = _name(found)
        beside.setdefault(name, _Beside()).take(found["value"], found["second"])
        example.setdefault(name, found["second"])
    changes = {name for name, one in beside.items() if one.is_change}
    deviations = set[str]()
    known = [name for name in beside if name not in changes and known_metric(name) is not None]
    for split in {split_name(name)[0] for name in known}:  # batches of the training have averages, evaluations may not
        deviations.update(_deviations({name: beside[name] for name in known if split_name(name)[0] == split}))
    left_out = changes | deviations
    if not left_out:
        return text, ""

    def plain(found: re.Match[str]) -> str:
        whole = found.group()
        return whole[: found.start("beside") - found.start()] if _name(found) in left_out else whole

    told = Counter(name for name in left_out if known_metric(name) is not None)
    kinds = " and ".join(
        kind for kind, names in (("changes", changes), ("deviations", deviations)) if names & told.keys()
    )
    remark = f"the {kinds} in brackets behind {listed(sorted(told))} are left out." if kinds else ""
    return _BESIDE.sub(plain, text), remark


def _deviations(beside: Mapping[str, _Beside]) -> Collection[str]:
    """The metrics behind whose values deviations stand: all or none, as a program prints them alike."""
    told = beside.values()
    return beside.keys() if any(one.is_far for one in told) and not any(one.is_average for one in told) else ()


def _name(found: re.Match[str]) -> str:
    return found["name"].replace(" ", "_")
