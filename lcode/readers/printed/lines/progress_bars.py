"""Progress bars in what a program printed: a line in which a bar was drawn again and again, and bars that alone count.

`Epoch 3:  50%|█████     | 50/100 [00:01<00:01, 33.1it/s, loss=0.3]`, over and over, each after a carriage return.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_REDRAWN = re.compile(r"[\r\b]+|\x1b\[A")
"""What goes back over what was printed: to the beginning of the line, a sign back, a line up."""

_EPOCH = re.compile(r"\bep(?:och)?\W{0,3}(\d+)", re.IGNORECASE)
_HEAD = 60
"""Characters of a bar in which it says of what it is."""

_BAR = re.compile(
    r"^(?P<before>[^|]*?):?\s*(?:\d+%\|[^|]*\|)\s*(?P<at>\d+)/(?P<of>\d+) "
    r"\[[\d:]+<[\d:?]+,?(?:\s*[\d.?]+\s?\w+/\w+)?(?P<after>.*?)\]?$"
)
"""A bar of tqdm, with what is said before it and behind its speed."""

_WHOLE_BAR = re.compile(r"(\d+/\d+ \[[\d:]+<[^\]]*\])(?=[A-Za-z{])")
"""A bar right behind which the program printed, since bars end no line."""


def states_of(line: str) -> list[str]:
    """The last state of each bar that was drawn in a line, in order; the line itself where nothing was drawn again."""
    if "\r" not in line and "\b" not in line:
        return [line]
    drawn = [state for state in _REDRAWN.split(line) if state.strip()]
    heads = [_head(state) for state in drawn]
    last = [state for state, head, after in zip(drawn, heads, [*heads[1:], None], strict=True) if head != after]
    return last or [""]


def numbered_states(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The last states of all lines, and what was printed behind each, with the number of the line from 1 on."""
    for number, line in enumerate(lines, start=1):
        for state in states_of(line) if "\r" in line or "\b" in line else (line,):
            for part in _WHOLE_BAR.sub("\\1\n", state).split("\n") if "<" in state else (state,):
                yield number, part


def _head(state: str) -> str:
    """What a bar is of: its epoch where it says one, else the words before its first number."""
    found = _EPOCH.search(state, 0, _HEAD)
    return found[1] if found is not None else re.split(r"\d", state, maxsplit=1)[0].strip().lower()


def with_counted_bars(text: str) -> str:
    """The text with each state of its bars as a line that counts them as batches; empty where it has none."""
    lines, bars = [], 0
    for line in text.split("\n"):
        for state in _REDRAWN.split(line):
            found = _BAR.match(state)
            bars += found is not None
            lines.append(
                state
                if found is None
                else f"{found['before']}, batch {found['at']}/{found['of']}, {found['after'].strip(' ,')}"
            )
    return "\n".join(lines) if bars else ""
