"""Bars that are called after an epoch and count the batches of it: `Training Epoch: 100%|███| 100/100 [00:10<00:00]`.

`Epoch: 30%|███   | 3/10` of a bar over the epochs is drawn alike. The text says which it is: other lines count epochs,
and not as the bar does, or the bars of the training and of an evaluation come to their ends again and again.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Sequence

from lcode.readers.printed.lines.progress_bars import states_of

_BAR = re.compile(
    r"(?i)\b(?:(?P<data>(?:train|val|test|eval|dev)[a-z]*)[ _-]+)?(?P<epoch>epochs?)"
    r"(?=\s*:?\s*\d{1,3}%\|[^|]*\|\s*(?P<at>\d+)/(?P<of>\d+)\s*\[)"
)
"""A bar whose description ends in the word, with no number behind it."""

_AGAIN = 2
"""Times that a bar has come to its end that is drawn anew for each epoch."""


def with_bars_in_epochs(text: str, epoch_in: Callable[[str], float | None]) -> str:
    """The text in which bars over the batches of an epoch are no longer called after it.

    Args:
        text: the text.
        epoch_in: the epoch that a line counts; None where it counts none.
    """
    if _BAR.search(text) is None:
        return text
    lines = text.split("\n")
    bars = [_BAR.search(states_of(line)[-1]) for line in lines]
    told = [(at, epoch) for at, line in enumerate(lines) if bars[at] is None and (epoch := epoch_in(line)) is not None]
    kinds: dict[str, list[tuple[int, re.Match[str]]]] = {}
    for at, bar in enumerate(bars):
        if bar is not None:
            kinds.setdefault(_data_of(bar), []).append((at, bar))
    if told:
        within = {data for data, drawn in kinds.items() if _count_otherwise(drawn, told)}
    else:
        within = _begun_anew([bar for bar in bars if bar is not None])
    return _BAR.sub(lambda bar: bar["data"] or "" if _data_of(bar) in within else bar.group(), text)


def _data_of(bar: re.Match[str]) -> str:
    """The word for the data that a bar names; empty where it names none."""
    return (bar["data"] or "").lower()


def _count_otherwise(drawn: Sequence[tuple[int, re.Match[str]]], told: Sequence[tuple[int, float]]) -> bool:
    """Whether most bars are not at the epoch, one more or one less, that the next lines to count one tell."""
    places = [at for at, _ in told]
    others = 0
    for at, bar in drawn:
        behind = bisect(places, at)
        near = [epoch for _, epoch in told[max(behind - 1, 0) : behind + 1]]
        others += all(abs(int(bar["at"]) - epoch) > 1 for epoch in near)
    return 2 * others > len(drawn)


def _begun_anew(bars: Sequence[re.Match[str]]) -> set[str]:
    """The data of which bars come to their ends again and again, where they are of the training and of other data."""
    ends = Counter(_data_of(bar) for bar in bars if bar["at"] == bar["of"])
    again = {data for data, times in ends.items() if data and times >= _AGAIN}
    return again if len(again) > 1 else set()
