"""Counters without a name at the beginning of a line, as many programs print them: `[100/5000] loss: 0.3`."""

from __future__ import annotations

import re
from collections.abc import Iterable

_BARE = re.compile(
    r"^(?!\W*\[ *\[)[\W_]*?\[ *(?P<at>\d+)(?: */ *(?P<of>\d+))?"
    r"(?: *(?:[,:;]|\],? *\[) *(?P<batch>\d+)(?: */ *\d+)?)? *\](?! *\])(?=.*[A-Za-z])"
    r"|^\s*#?(?P<first>\d+)(?:[:,]\s*|\s+)(?=\[?[A-Za-z])"
)
"""Counters without a name before all else: `[100/5000] loss: 0.3`, XGBoost's `[7]`, CatBoost's `7:`, `#7 loss`; an
epoch and a batch of it where there are two: `[1, 2000] loss: 2.2`, `[3/25][50/391] Loss_D: 0.4`."""

_OF_BOTH = re.compile(r"^[\W_]*?\[ *\d+ */ *\d+ *\],? *\[ *\d+ */ *\d+ *\]")
"""An epoch and a batch of it, which count even where another counter is named: `[3/200], [1/604], step: 9`."""


def with_bare_counter(line: str, *, named: bool) -> str:
    """A line that begins with a counter, with the counter's name: `[7] rmse:0.3` as `step 7, rmse:0.3`.

    Args:
        line: the line.
        named: whether it names another counter, so that only an epoch and its batch count beside it.
    """
    if named and _OF_BOTH.match(line) is None:
        return line

    def with_name(found: re.Match[str]) -> str:
        at = f"{found['at'] or found['first']}{'/' + found['of'] if found['of'] else ''}"
        return f"step {at}," if found["batch"] is None else f"epoch {at}, batch {found['batch']},"

    return _BARE.sub(with_name, line)


def without_count(told: str, counters: Iterable[re.Match[str]], line: str) -> str:
    """What a line tells, without the count before its names where it stands so behind the counter itself.

    `epoch 3_train_loss: 1.0 3_val_loss: 1.2` counts once more before each further name.

    Args:
        told: what the line tells beside its counters.
        counters: what was found of them in the line, with the number as `at`.
        line: the line.
    """
    for found in counters:
        if re.match("_[A-Za-z]", line[found.end("at") :]):
            told = re.sub(rf"(?<![\w.@:=+-]){re.escape(found['at'])}_(?=[A-Za-z])", "", told)
    return told
