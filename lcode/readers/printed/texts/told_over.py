"""What several lines of the same count tell that begin with other words, so that the last of them counts alone.

Where the words are not understood as those of tasks or data, the user must hear which they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lcode.readers.printed.lines.line_forms import usual_form
from lcode.readers.printed.lines.printed_line import IN_BATCH, without_counters
from lcode.table.metric_names import known_metric
from lcode.table.reading import listed

_WORD = re.compile(r"[A-Za-z][\w.+-]*")

_NUMBER = re.compile(r"(?<![\w.])[+-]?\d[\d.]*(?:e[+-]?\d+)?", re.IGNORECASE)

_LONGEST = 120
"""Characters of a line in which its first words stand."""

_MOST = 12
"""Beginnings of lines that are kept: texts of other kinds have one per line."""

_NAMED = 6


class ToldOver:
    """Follows the lines of a text, and knows which values took the place of those of other lines."""

    def __init__(self) -> None:
        self._count: Mapping[str, Any] = {}
        self._lines: dict[str, tuple[str, float]] = {}
        self._names: dict[str, None] = {}
        self._words: dict[str, None] = {}

    def take(self, count: Mapping[str, Any], line: str, pairs: Mapping[str, float]) -> None:
        """Take up what a line tells.

        Args:
            count: where the counters stand, and of which model it is.
            line: as it was printed.
            pairs: names and their numbers.
        """
        if count != self._count:
            self._count, self._lines = dict(count), {}
        for name, value in pairs.items():
            before, other = self._lines.get(name, (line, value))
            if other != value and before != line and known_metric(name.removeprefix(IN_BATCH)) is not None:
                self._note(name, before, line)
            self._lines[name] = (line, value)

    def _note(self, name: str, before: str, line: str) -> None:
        one, two = (_first_words(_NUMBER.sub("0", text[:_LONGEST])) for text in (before, line))
        if one == two or len(self._words) > _MOST:
            return
        own = [tuple(word for word in words if word not in others) for words, others in ((one, two), (two, one))]
        self._names[name.removeprefix(IN_BATCH)] = None
        self._words |= {" ".join(words): None for words in own if words}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to tell the user of it; nothing where all lines that tell the same begin alike."""
        if not self._names:
            return ()
        return (
            f"of {listed([*self._names], _NAMED)} the last line of each count is read, where several tell it that "
            f"differ in the words {listed([repr(word) for word in self._words], _NAMED)}.",
        )


@lru_cache(maxsize=4096)
def _first_words(line: str) -> tuple[str, ...]:
    """The words of a line before its first number, without what counts and what a logger says."""
    plain = without_counters(usual_form(line)).replace("\n", " ")
    return tuple(_WORD.findall(_NUMBER.split(plain, maxsplit=1)[0]))
