"""Lines that differ in their numbers alone are searched once: the next ones are read by where the numbers stood."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lcode.readers.printed.lines.form_parts import BEGINS_NAME, ENDS_NAME
from lcode.readers.printed.lines.printed_line import Said, said_in

MOST_SHAPES = 10_000
"""Shapes that are kept: a program has few, and texts of other kinds have one per line."""

FLOAT_DIGITS = 15
"""Digits by which any two numbers differ as floats."""

MOST_DIGITS = 300
"""A number of more digits is none that a float can hold: its line is read by itself."""

_TOKEN = re.compile(rf"((?=\d)(?<![\w.])(?!{BEGINS_NAME}|{ENDS_NAME})\d+(?:\.\d+)?(?:[eE][+-]?\d+(?!\w))?)")
"""A number without its sign that is not part of a word (`2d_mAP`) or of a name (`mAP 0.5: 0.3`); these, and others such
as `nan`, belong to the shape."""

_WITHOUT_DIGITS = str.maketrans("", "", "0123456789")
"""Leaves of numbers how they are written: `.`, `.e-`."""

_DIGITS = re.compile("[0-9]+")

_ANY = re.compile(r"\d|nan|inf", re.IGNORECASE)


LONGEST = 2000
"""Characters of a line that are searched: more is most often the print of a network or of a configuration, and the time
that a search takes may grow with the cube of them."""


@dataclass(frozen=True)
class _Shape:
    """Which of a line's numbers are what; names as they were in the first line of the shape.

    Attributes:
        counters: names, and the place of the number among those of the line.
        totals: likewise.
        pairs: likewise, and the sign of the number.
        others: names with what the shape itself says, such as `nan`.
    """

    counters: Sequence[tuple[str, int]] = ()
    totals: Sequence[tuple[str, int]] = ()
    pairs: Sequence[tuple[str, int, int]] = ()
    others: dict[str, float] = field(default_factory=dict)

    def filled(self, numbers: Sequence[str]) -> Said:
        """What a line with these numbers says."""
        return Said(
            {name: float(numbers[at]) for name, at in self.counters},
            {name: float(numbers[at]) for name, at in self.totals},
            {name: sign * float(numbers[at]) for name, at, sign in self.pairs} | self.others,
        )


_NOTHING = _Shape()


class LineShapes:
    """Reads lines, and remembers what lines of their shape say."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], _Shape | None] = {}
        self._once: dict[tuple[str, ...], tuple[str, Said | None]] = {}
        # What followed a shape, most often follows it again: it is tried before the line is taken apart.
        self._at: tuple[str, ...] = ()
        self._next: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._patterns: dict[tuple[str, ...], re.Pattern[str]] = {}

    def said_in(self, line: str) -> Said | None:
        """What `printed_line.said_in` finds in the beginning of the line."""
        line = line[:LONGEST]
        expected = self._next.get(self._at)
        found = None if expected is None else self._patterns[expected].fullmatch(line)
        if found is not None and expected is not None:
            self._at, known = expected, self._known[expected]
            return None if known is None or known is _NOTHING else known.filled(found.groups())
        parts = _TOKEN.split(line)
        if len(parts) == 1:
            return said_in(line) if _ANY.search(line) else None
        # Whether a number counts may depend on how it is written.
        shape = ("\0".join(parts[::2]), "\0".join(parts[1::2]).translate(_WITHOUT_DIGITS))
        if shape in self._known:
            known = self._known[shape]
            if known is None:
                return said_in(line)
            if shape not in self._patterns:
                self._patterns[shape] = _pattern(parts)
            self._next[self._at] = shape
            self._at = shape
            return None if known is _NOTHING else known.filled(parts[1::2])
        before, said = self._once.pop(shape, ("", None))
        if before == line:  # a text is gone through several times
            self._once[shape] = (line, said)
            return said
        said = said_in(line)
        if not before:  # many lines have a shape of their own: a file's name in each, say
            if len(self._once) < MOST_SHAPES:
                self._once[shape] = (line, said)
        elif len(self._known) < MOST_SHAPES:
            self._known[shape] = _shape_of(said, parts)
        return said


def _pattern(parts: Sequence[str]) -> re.Pattern[str]:
    """What lines of the shape of these parts match, with a group for each number."""
    written = [re.escape(text) for text in parts]
    written[1::2] = [f"({_DIGITS.sub('[0-9]+', number)})" for number in written[1::2]]
    return re.compile("".join(written))


def _shape_of(said: Said | None, parts: Sequence[str]) -> _Shape | None:
    """Which numbers are what, found out with numbers that are all different; None where names depend on numbers."""
    numbers = _different(parts[1::2])
    if numbers is None:
        return None
    line = "".join(text for pair in zip(parts[::2], [*numbers, ""], strict=True) for text in pair)
    other, place = said_in(line), {float(number): at for at, number in enumerate(numbers)}
    if said is None or other is None:
        return _NOTHING if said is other else None
    found = []
    for first, second in ((said.counters, other.counters), (said.totals, other.totals), (said.pairs, other.pairs)):
        if list(first) != list(second):
            return None
        found.append([*second.items()])
    counters, totals, pairs = found
    if not all(number in place for _, number in (*counters, *totals)):
        return None
    others = {name: number for name, number in pairs if abs(number) not in place}
    if any(map(math.isfinite, others.values())):
        return None  # put together from several numbers
    told = [(name, place[abs(number)], -1 if number < 0 else 1) for name, number in pairs if abs(number) in place]
    shape = _Shape(
        [(name, place[number]) for name, number in counters],
        [(name, place[number]) for name, number in totals],
        told,
        others,
    )
    return shape if repr(shape.filled(parts[1::2])) == repr(said) else None


def _different(numbers: Sequence[str]) -> list[str] | None:
    """Numbers written alike, each with another value than the others and than before; None where there are too few."""
    taken: set[float] = set()
    candidates: dict[int, Iterator[int]] = {}
    different = []
    for number in numbers:
        digits, exponent, power = number.lower().partition("e")
        count = sum(map(str.isdigit, digits))
        if count > MOST_DIGITS:
            return None
        step = 10 ** max(count - FLOAT_DIGITS, 0)  # smaller ones are lost in a float
        for candidate in candidates.setdefault(count, iter(range(10 ** (count - 1), 10**count, step))):
            rest = iter(str(candidate))
            written = "".join(next(rest) if sign.isdigit() else sign for sign in digits) + exponent + power
            if float(written) not in (*taken, float(number)):  # or a name that depends on it would seem not to
                break
        else:
            return None
        taken.add(float(written))
        different.append(written)
    return different
