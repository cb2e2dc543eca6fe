"""What the name of a metric says: which way is better, between which bounds, and whether it is a share.

A name is split into words at separators, changes of case and digits, and the words are looked up in the vocabulary;
the last known metric decides, since it is the head of an English name (`accuracy_loss` is a loss). Where a guess would
be wrong more often than right nothing is known: a wrong direction stops the best runs, a question costs a minute.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lcode.show import ARROWS
from lcode.table.direction import Direction
from lcode.table.metric_parse import Found, Name, is_neutral
from lcode.table.metric_vocabulary import Entry
from lcode.table.metric_words import (
    COEFFICIENT,
    COUNTS,
    DERIVED,
    DIFFERENCES,
    GENERIC,
    LOGARITHMS,
    LOSSES_OF,
    NEGATING,
    NEUTRAL,
    NOT_AFTER,
    NOT_AFTER_GENERIC,
    PERCENT,
    PREPOSITIONS,
    SYNONYMS,
    WHEN,
)
from lcode.table.other_languages import name_in_english

_SIGNS = str.maketrans({"δ": " delta ", "Δ": " delta ", "ρ": " rho ", "τ": " tau ", "≤": "<"})
_ARROWS: dict[str, Direction] = {sign: direction for direction, sign in ARROWS.items()}
_LONG_NUMBER = re.compile(r"\d{3,}")
"""A number that is in no spelling of the vocabulary: tables of 20,000 columns differ in little else."""

_MINUS = re.compile(r"\s*[-−](?=[^\W\d_])")
_ONE_MINUS = re.compile(r"\s*(?:1\s*[-−–]\s*|one[ _-]minus[ _-])(?=[^\W\d_])", re.IGNORECASE)


@dataclass(frozen=True)
class MetricFacts:
    """What is known of a metric by its name.

    Attributes:
        direction: whether smaller (`min`) or larger (`max`) values are better.
        lower: smallest possible value in natural units of one, None where there is none or it is not sure.
        upper: largest possible value, likewise: 1 for an accuracy, None for a loss.
        share: whether people write it as a part of 1 or in per cent. A share need not end at 1: a word error rate does
            not, and a correlation begins at -1.
        percent: whether the name itself says that it is in per cent (`acc_pct`).
    """

    direction: Direction
    lower: float | None
    upper: float | None
    share: bool
    percent: bool = False


@lru_cache(maxsize=1 << 16)
def known_metric(name: str) -> MetricFacts | None:
    """What the name says, or None where it does not say which way is better.

    Args:
        name: a metric's name or its key, `task/metric`. The last part decides; one that only says where or when
            (`loss/val`, `reward/mean`) leaves it to the part before. An arrow in the name (`RMSE ↓`) is taken at its
            word.
    """
    plain = plain_text(name)
    facts = _facts(_LONG_NUMBER.sub("100", plain))
    arrows = {_ARROWS[sign] for sign in plain if sign in _ARROWS}
    if len(arrows) != 1:
        return facts
    return replace(facts or MetricFacts("min", None, None, share=False), direction=arrows.pop())


def meaning(key: str) -> tuple[tuple[str, ...], ...]:
    """The words of a key in one spelling each, where and when last: the same for `val_acc` and `accuracy/valid`."""
    name = Name.parse(plain_text(key))
    told = dict(name.rest)
    for one in name.found:
        numbers = [word for word in name.words[one.start : one.end] if word[0].isdigit()]
        told[one.start] = " ".join((one.entry.name, *numbers))
    words = [told[place] for place in sorted(told)]
    where = sorted(SYNONYMS.get(word, word) for word in words if word in NEUTRAL)
    return tuple(word for word in words if word not in NEUTRAL), tuple(where)


def plain_text(text: str) -> str:
    """The text with Greek letters as words and other signs in their plain form (`R²` is `R2`)."""
    text = name_in_english(text.translate(_SIGNS))
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


@lru_cache(maxsize=1 << 14)
def _facts(text: str) -> MetricFacts | None:
    one_minus, minus = _ONE_MINUS.match(text), _MINUS.match(text)
    name = Name.parse(text[one_minus.end() :] if one_minus else text)
    if not name.found or any(one.entry.weight == "never" for one in name.found):
        return None
    rest = name.rest
    unknown = {i: word for i, word in rest.items() if not is_neutral(word)}
    telling = {name.parts[one.end - 1] for one in name.found} | {name.parts[i] for i in unknown}
    for part in sorted(telling, reverse=True):
        strangers = [word for i, word in unknown.items() if name.parts[i] == part]
        heads = _heads([one for one in name.found if name.parts[one.end - 1] == part])
        if not heads:
            continue
        if part < max(telling) and (strangers or heads[-1].entry.weight != "head" or heads[-1].entry.name in GENERIC):
            return None  # what a folder of that name holds is not said
        facts = _judge(name, heads, rest, part)
        if facts is None or strangers or not (one_minus or minus):
            return facts
        return _one_minus(facts) if one_minus else None if heads[-1].entry.name == "loss" else _negated(facts)
    return None


def _heads(found: Sequence[Found]) -> Sequence[Found]:
    """The metrics that may decide: heads, or else the others."""
    return [one for one in found if one.entry.weight == "head"] or found


def _judge(name: Name, heads: Sequence[Found], rest: dict[int, str], part: int) -> MetricFacts | None:
    """What the last of the heads says, with the words around it."""
    places = [i for i in rest if name.parts[i] == part]
    cut = next((i for i in places if rest[i] in PREPOSITIONS and i >= heads[0].end), len(name.words))
    *before, last = (one for one in heads if one.end <= cut)
    entry = last.entry
    after = {rest[i] for i in places if last.end <= i < cut}
    after |= {word for i, word in rest.items() if i >= last.end and name.parts[i] > part and word in DIFFERENCES}
    prior = rest.get(last.start - 1, "")
    is_count = entry.name == "loss" and not COUNTS.isdisjoint({prior, *after})
    if entry.direction is None or is_count or prior in DERIVED or _is_other_quantity(entry, after, set(rest.values())):
        return None
    percent = not PERCENT.isdisjoint(rest.values())
    facts = MetricFacts(entry.direction, entry.lower, entry.upper, entry.share, percent)
    if entry.direction == "max" and any(one.entry.name == "loss" for one in before):
        return replace(facts, direction="min", lower=None, upper=None, share=False) if entry.name in LOSSES_OF else None
    if entry.name in ("loss", "error") and before and before[-1].end == last.start:
        of = before[-1].entry  # an `mse_loss` has the bounds of the error
        if of.direction == "min":
            facts = replace(facts, lower=of.lower, upper=of.upper, share=of.share)
    if prior in LOGARITHMS:
        facts = replace(facts, lower=None, upper=None, share=False)
    if prior in COUNTS:
        facts = replace(facts, lower=0.0, upper=None, share=False)
    negating = _negating(rest, last.start)
    return _turned(facts, entry, negating) if negating else facts


def _negating(rest: dict[int, str], start: int) -> str:
    """The nearest word before the metric or its logarithm that is not neutral, if it says minus; else empty."""
    place = start - 1
    while place in rest and (is_neutral(rest[place]) or rest[place] in LOGARITHMS):
        place -= 1
    word = rest.get(place, "")
    return word if word in NEGATING else ""


def _turned(facts: MetricFacts, entry: Entry, negating: str) -> MetricFacts | None:
    """A measure after `neg`: times -1, but for shares (the negative class's).

    A plain loss or error may as well be that of negative samples, beside `pos_err`, and who writes `negative log-loss`
    in full may mean the loss itself, where scikit-learn's `neg_log_loss` is times -1: nothing is known of them.
    """
    if entry.name in ("loss", "error") or (negating == "negative" and entry.name == "log loss"):
        return None
    return facts if entry.share and entry.direction == "max" else _negated(facts)


def _is_other_quantity(entry: Entry, after: set[str], words: set[str]) -> bool:
    """Whether the words after a metric make it something else, such as a weight, or the epoch of the best value."""
    agreement = entry.direction == "max" and entry.upper == 1  # a Dice coefficient is the measure itself
    if after & (NOT_AFTER - COEFFICIENT if agreement else NOT_AFTER) or ("best" in words and after & WHEN):
        return True
    return bool(after & NOT_AFTER_GENERIC) and (entry.share or entry.name in GENERIC)


def _negated(facts: MetricFacts) -> MetricFacts:
    """The facts of the measure times -1."""
    lower = None if facts.upper is None else -facts.upper
    upper = None if facts.lower is None else -facts.lower
    return replace(facts, direction="min" if facts.direction == "max" else "max", lower=lower, upper=upper, share=False)


def _one_minus(facts: MetricFacts) -> MetricFacts | None:
    """The facts of one minus the measure, which makes sense of one that ends at 1."""
    if facts.upper != 1:
        return None
    turned = _negated(facts)
    upper = None if turned.upper is None else 1 + turned.upper
    return replace(turned, lower=0.0, upper=upper, share=facts.share)
