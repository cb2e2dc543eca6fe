"""Bars that are called after an epoch and count the batches of it: `Training Epoch: 100%|███| 100/100 [00:10<00:00]`.

`Epoch: 30%|███   | 3/10` of a bar over the epochs is drawn alike. The text says which it is: the bar begins anew, and
other lines count epochs, and not as it does; or the bars of the training and of an evaluation come to their ends again
and again.
"""

from __future__ import annotations

import math
import re
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

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
        within = {data for data, drawn in kinds.items() if _is_anew(drawn, told) and _count_otherwise(drawn, told)}
    else:
        within = _begun_anew([bar for bar in bars if bar is not None])
    return _BAR.sub(lambda bar: bar["data"] or "" if _data_of(bar) in within else bar.group(), text)


def _data_of(bar: re.Match[str]) -> str:
    """The word for the data that a bar names; empty where it names none."""
    return (bar["data"] or "").lower()


def _is_anew(drawn: Sequence[tuple[int, re.Match[str]]], told: Sequence[tuple[int, float]]) -> bool:
    """Whether a bar falls back, or is at its end again behind a line that counts an epoch; one over epochs rises."""
    places = [at for at, _ in told]
    for (at, bar), (later, other) in pairwise(drawn):
        again = bar["at"] == bar["of"] == other["at"] and bisect(places, at) < bisect(places, later)
        if again or int(other["at"]) < int(bar["at"]):
            return True
    return False


def _count_otherwise(drawn: Sequence[tuple[int, re.Match[str]]], told: Sequence[tuple[int, float]]) -> bool:
    """Whether most bars are not between the epochs that the lines around them tell, one more or one less.

    Around the end of a run they may be of it or of the next one, which counts from the beginning.
    """
    places = [at for at, _ in told]
    epochs = [-math.inf, *(epoch for _, epoch in told), math.inf]
    others = 0
    for at, bar in drawn:
        behind = bisect(places, at)
        before, after = epochs[behind], epochs[behind + 1]
        fits = (int(bar["at"]) >= before - 1, int(bar["at"]) <= after + 1)
        ended = before > after or abs(before - int(bar["of"])) <= 1
        others += not (any(fits) if ended else all(fits))
    return 2 * others > len(drawn)


def _begun_anew(bars: Sequence[re.Match[str]]) -> set[str]:
    """The data of which bars come to their ends again and again, where they are of the training and of other data."""
    ends = Counter(_data_of(bar) for bar in bars if bar["at"] == bar["of"])
    again = {data for data, times in ends.items() if data and times >= _AGAIN}
    return again if len(again) > 1 else set()
