"""Numbers in brackets behind a value that are no averages of it: changes and deviations, left out of the text.

`loss 0.53 (0.61)` is the value of the last batch and the average of all, which is what counts. Behind another number
stands by how much it has changed, with a sign, and a plus where it has risen: `val_acc: 0.59 (+0.0380)`; or how far it
is spread over held-out data, and then it is far from the value in each line: `val_acc: 0.59 (0.08)`. A count may have
its share behind it, which counts as well: `accuracy 5100 (0.51)`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lcode.readers.printed.lines.form_parts import NUMBER
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed

_COLOUR = r"(?:\x1b\[[\d;]{0,9}m)?"

_GAP = r"[^\S\r\n]"
"""What separates within a line: what begins the next one, as in `(0) Epoch 2`, stands behind no value of this one."""

_BESIDE = re.compile(
    rf"(?<![\w@./%+-])(?P<name>[A-Za-z][\w@./%+-]*(?: [A-Za-z][\w@./%+-]*){{0,2}}){_COLOUR}"
    rf"(?:(?<!@0\.5)(?<!@\.5)(?<!@50){_GAP}?[:=]{_GAP}{{0,9}}|{_GAP}{{1,9}}){_COLOUR}{_GAP}{{0,9}}"
    rf"(?P<value>{NUMBER})(?P<end>{_GAP}?%?{_GAP}?{_COLOUR})"
    rf"(?P<beside>{_GAP}{{0,9}}\({_GAP}?(?P<second>{NUMBER}){_GAP}?%?{_GAP}?\))",
    re.IGNORECASE,
)
"""A name, its value and a number in brackets; `mAP@0.5:0.95(0.3)` holds a range."""

_IN_BRACKETS = re.compile(rf"\d{_GAP}?%?{_GAP}?{_COLOUR}{_GAP}*\({_GAP}?[+-]?[\d.]")

_FAR = 3
"""Times that a deviation goes into its value in each line of at least one metric; an average that lies so far from the
value in each line is none."""

FEWEST = 3
"""Lines that tell an average from a deviation: the first of a run may be of the first batch alone."""


@dataclass
class _Beside:
    """What stands behind the values of one name.

    Attributes:
        lines: how often, but for a zero with a minus.
        signed: how many of these have a sign.
        rises: whether one has a plus sign that its value has not.
        falls: whether one has a minus sign.
        negative: whether a value is negative.
        far: how many lie far below their values.
        above: whether one lies above its value.
        same: whether one is its value.
        whole: whether all values are counts.
        least: the least number that divides each value so that what is behind it comes out, as far as it is written.
        most: the greatest such number.
    """

    lines: int = 0
    signed: int = 0
    rises: bool = False
    falls: bool = False
    negative: bool = False
    far: int = 0
    above: bool = False
    same: bool = False
    whole: bool = True
    least: float = 0.0
    most: float = math.inf

    def take(self, value: str, second: str) -> None:
        """Take up a value and what stands behind it."""
        number, beside = float(value), float(second)
        if second[0] != "-" or beside != 0:
            self.lines += 1
            self.signed += second[0] in "+-"
            self.far += 0 <= _FAR * beside < abs(number)
        self.rises |= second[0] == "+" and value[0] != "+"
        self.falls |= second[0] == "-"
        self.negative |= number < 0
        self.above |= beside > number
        self.same |= number == beside != 0
        self.whole &= value.isdigit()
        half = 0.51 * 10.0 ** -len(second.partition(".")[2])
        self.least = max(self.least, number / (beside + half)) if beside >= 0 else math.inf
        self.most = min(self.most, number / (beside - half)) if beside > half else self.most

    def is_change(self, *, told: bool) -> bool:
        """Whether it is a change: most have a sign, and one is a plus, which no average of such values has.

        Args:
            told: whether a plus stands behind other values of the same data, where these have all fallen.
        """
        return 2 * self.signed > self.lines and (self.rises or (told and not self.negative))

    @property
    def is_far(self) -> bool:
        """Whether it is far below its value in each line."""
        return self.lines >= FEWEST and self.far == self.lines

    @property
    def is_average(self) -> bool:
        """Whether it can be no deviation: one is negative, or above its value or exactly that, or it is a share."""
        return self.same or self.falls or self.above or (self.whole and self.least <= self.most)


def without_numbers_beside(text: str) -> tuple[str, str]:
    """The text without changes and deviations behind its values, and a remark on them, empty where there are none."""
    if not _IN_BRACKETS.search(text):
        return text, ""
    beside: dict[str, _Beside] = {}
    for found in _BESIDE.finditer(text):
        beside.setdefault(_name(found), _Beside()).take(found["value"], found["second"])
    data = {name: split_name(name)[0] for name in beside}
    rising = {data[name] for name, one in beside.items() if one.rises}
    changes = {name for name, one in beside.items() if one.is_change(told=data[name] in rising)}
    deviations = _deviations({name: one for name, one in beside.items() if name not in changes}, data)
    left_out = changes | deviations
    if not left_out:
        return text, ""

    def plain(found: re.Match[str]) -> str:
        whole = found.group()
        return whole[: found.start("beside") - found.start()] if _name(found) in left_out else whole

    known_changes = {name for name in changes if known_metric(name) is not None}
    remarks = [
        f"the {what} in brackets behind {listed(sorted(names))} are left out{why}."
        for what, names, why in (
            ("changes", known_changes, ""),
            ("numbers", deviations, ": they are far below the values in each line, as no averages of these are"),
        )
        if names
    ]
    return _BESIDE.sub(plain, text), " ".join(remarks)


def _deviations(beside: Mapping[str, _Beside], data: Mapping[str, str]) -> set[str]:
    """The metrics behind whose values deviations stand: all or none, as a program prints them alike.

    A running average of the training may lag far behind its values; of held-out data nothing lags.
    """
    known = {name for name in beside if known_metric(name) is not None}
    far = any(data[name] in ("val", "test") and beside[name].is_far for name in known)
    return known if far and not any(one.is_average for one in beside.values()) else set()


def _name(found: re.Match[str]) -> str:
    return found["name"].replace(" ", "_")
