"""Columns that say how far another curve may be off: `miou_std` and `miou_ci_low` beside `miou`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lcode.readers.understanding.curve_names import plain_curve

_SPREAD = re.compile(
    "(.+?)/(?:std|stddev|stdev|std/dev|sd|stderr|std/err(?:or)?|standard/(?:deviation|error)|var|variance|iqr)"
)
_INTERVAL = re.compile(
    r"(.+?)/(?:ci/?\d*|conf(?:idence)?(?:/interval)?)(?:/(?:lower|upper|low|high|lo|hi|width|half|radius))?(?:/bound)?"
)
_ONE_OF_TWO = re.compile(r"(.+?)/(?:lower|upper|lb|ub|lower/bound|upper/bound|[qp]\d\d)")
"""What stands behind the name of a curve, in the form of `plain_curve`; the last only where there is another: `upper`
alone may be a task, that of a body's upper half."""

_MEANS = ("", "/mean", "/avg", "/average")


def spreads_beside(keys: Iterable[str]) -> list[str]:
    """The curves that are the deviation, the error or the variance of another: these tell of the training."""
    plain = {plain_curve(key): key for key in keys}
    return [key for _, key in _beside(plain, _SPREAD)]


def bounds_beside(keys: Iterable[str]) -> dict[str, str]:
    """The curves that are an end of an interval around another, and why they are left out: they tell nothing more."""
    plain = {plain_curve(key): key for key in keys}
    pairs: dict[str, list[str]] = {}
    for of, key in _beside(plain, _ONE_OF_TWO):
        pairs.setdefault(of, []).append(key)
    found = {key: of for of, key in _beside(plain, _INTERVAL)}
    for of, ends in pairs.items():
        split, stem = plain_curve(of)
        beside = [key for (data, name), key in plain.items() if data == split and name.startswith(f"{stem}/")]
        # Beside a third part of it upper and lower are parts as well.
        if len(ends) > 1 and all(
            key in ends or key in found or _SPREAD.fullmatch(plain_curve(key)[1]) for key in beside
        ):
            found |= dict.fromkeys(ends, of)
    return {key: f"bound of {of}" for key, of in found.items()}


def _beside(plain: dict[tuple[str, str], str], pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """The curves of which others tell by their names, and these."""
    found = []
    for (split, name), key in plain.items():
        match = pattern.fullmatch(name)
        stems = [] if match is None else [match[1] + mean for mean in _MEANS]
        of = next((plain[split, stem] for stem in stems if (split, stem) in plain), None)
        if of is not None:
            found.append((of, key))
    return found
