"""What the name of a metric says: which way is better, between which bounds, and whether it is a share.

A name is split into words at separators, case changes and digits, and the words are looked up in the vocabulary; the
last known one decides, since it is the head of an English name (`accuracy_loss` is a loss). Where a guess would be
wrong more often than right, nothing is known: a wrong direction stops the best runs, a question costs a minute.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lcode.table.direction import Direction
from lcode.table.metric_vocabulary import (
    COEFFICIENT,
    COUNTS,
    FIELDS,
    GENERIC,
    LOGARITHMS,
    LOSSES_OF,
    NEGATING,
    NEUTRAL,
    NEVER,
    NOT_AFTER,
    NOT_AFTER_GENERIC,
    PERCENT,
    PREPOSITIONS,
    Row,
)

_ATOM = re.compile(r"\d+(?:\.\d+)?|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|[@<>%]")
_FOLDERS = re.compile(r"[/\\|]|\.(?!\d)|(?<!\d)\.")
_COMPLEMENT = re.compile(r"\s*(?:1\s*[-–−]\s*|one[ _-]minus[ _-])(?=[^\W\d_])", re.IGNORECASE)
_SIGNS = str.maketrans({"δ": " delta ", "Δ": " delta ", "ρ": " rho ", "τ": " tau ", "≤": "<", "≥": ">"})
_ARROWS: dict[str, Direction] = {"↑": "max", "↓": "min"}


@dataclass(frozen=True)
class MetricFacts:
    """What is known of a metric by its name.

    Attributes:
        direction: whether smaller (`min`) or larger (`max`) values are better.
        lower: smallest possible value in natural units of one, None where there is none or it is not sure.
        upper: largest possible value, likewise: 1 for an accuracy, None for a loss.
        share: whether it may be given as a part of 1 or in per cent. A share need not end at 1: word error rates do
            not, see `upper`.
        percent: whether the name itself says that it is in per cent (`acc_pct`).
    """

    direction: Direction
    lower: float | None
    upper: float | None
    share: bool
    percent: bool = False


@dataclass(frozen=True)
class _Entry:
    """One metric of the vocabulary; `name` is its first spelling."""

    name: str
    row: Row


@dataclass(frozen=True)
class _Found:
    """A metric found in a name: the words from `start` to before `end`."""

    start: int
    end: int
    entry: _Entry


def _entries() -> dict[str, _Entry]:
    table: dict[str, _Entry] = {}
    for rows in FIELDS.values():
        for row in rows:
            for metric in row.names.split(","):
                spellings = [spelling.strip() for spelling in metric.split("|")]
                entry = _Entry(spellings[0], row)
                table.update((spelling.replace(" ", ""), entry) for spelling in spellings)
    return table


_ENTRIES = _entries()
_NOTHING = {phrase.replace(" ", ""): _Entry(phrase, Row(None, None, None, False, phrase)) for phrase in NEVER}
_BEGINNINGS = frozenset(key[:n] for key in (*_ENTRIES, *_NOTHING) for n in range(1, len(key) + 1))
_PIECES = NEUTRAL | {key for key, entry in _ENTRIES.items() if entry.row.weight != "whole" and key.isalpha()}
_LONGEST = max(map(len, _PIECES))


@lru_cache(maxsize=1 << 16)
def known_metric(name: str) -> MetricFacts | None:
    """What the name says, or None where it does not say which way is better.

    Args:
        name: a metric's name or its key, `task/metric`. The last part decides; one that only says where or when
            (`loss/val`, `reward/mean`) leaves it to the part before.
    """
    plain = unicodedata.normalize("NFKC", name.translate(_SIGNS))
    stated = {_ARROWS[sign] for sign in plain if sign in _ARROWS}
    facts = _facts(plain)
    if len(stated) == 1:
        (direction,) = stated
        return replace(facts or MetricFacts(direction, None, None, share=False), direction=direction)
    return facts


def meaning(key: str) -> tuple[str, ...]:
    """The words of a key, in any order and with one spelling for each known metric: equal for `val_acc`, `val/acc`."""
    words, _ = _words(key)
    found = _find(words)
    inside = {i for one in found for i in range(one.start, one.end)}
    rest = [word for i, word in enumerate(words) if i not in inside]
    return tuple(sorted((*rest, *(one.entry.name for one in found))))


def _facts(text: str) -> MetricFacts | None:
    complement = _COMPLEMENT.match(text)
    words, folder = _words(text[complement.end() :] if complement else text)
    found = _find(words)
    if any(one.entry in _NOTHING.values() for one in found):
        return None
    inside = {i for one in found for i in range(one.start, one.end)}
    telling = {folder[i] for i, word in enumerate(words) if i in inside or not _is_neutral(word)}
    for part in sorted(telling, reverse=True):
        here = [one for one in found if folder[one.end - 1] == part]
        others = [
            word for i, word in enumerate(words) if folder[i] == part and i not in inside and not _is_neutral(word)
        ]
        heads = _heads(here, alone=not others)
        if heads:
            if part != max(telling) and (others or heads[-1].entry.name in GENERIC):
                return None
            stop = max(i for i in range(len(words)) if folder[i] == part) + 1
            facts = _judge(words[:stop], heads, inside)
            return _complement(facts, others) if complement and facts else facts
    return None


def _heads(found: Sequence[_Found], *, alone: bool) -> list[_Found]:
    """The metrics that may decide: heads, or else weak words, or else a short word that is all that is said."""
    for weight in ("head", "weak"):
        heads = [one for one in found if one.entry.row.weight == weight]
        if heads:
            return heads
    return list(found) if alone and len(found) == 1 else []


def _judge(words: Sequence[str], heads: Sequence[_Found], inside: set[int]) -> MetricFacts | None:
    """What the last of the heads says, with the words around it."""
    cuts = [i for i, word in enumerate(words) if word in PREPOSITIONS and i not in inside]
    cut = next((i for i in cuts if heads[0].end <= i), len(words))
    heads = [one for one in heads if one.end <= cut]
    last, before = heads[-1], heads[:-1]
    row = last.entry.row
    after = {word for i, word in enumerate(words[last.end : cut], last.end) if i not in inside}
    if row.direction is None or _is_other_quantity(last.entry, after):
        return None
    facts = MetricFacts(row.direction, row.lower, row.upper, row.share, percent=not PERCENT.isdisjoint(words))
    if row.direction == "max" and any(one.entry.name == "loss" for one in before):
        return MetricFacts("min", None, None, share=False) if last.entry.name in LOSSES_OF else None
    if last.entry.name in ("loss", "error") and before and before[-1].end == last.start:
        of = before[-1].entry.row
        if of.direction == "min":
            facts = replace(facts, lower=of.lower, upper=of.upper, share=of.share)
    prior = words[last.start - 1] if last.start else ""
    if prior in LOGARITHMS:
        facts = replace(facts, lower=None, upper=None, share=False)
    if prior in COUNTS:
        facts = replace(facts, lower=0, upper=None, share=False)
    if prior in NEGATING:
        return None if last.entry.name == "loss" else facts if row.share and row.direction == "max" else _negated(facts)
    return facts


def _is_other_quantity(entry: _Entry, after: set[str]) -> bool:
    """Whether the words after a metric make it something else, such as a weight or a threshold."""
    row = entry.row
    agreement = row.direction == "max" and row.upper == 1  # a Dice coefficient is the measure itself
    if after & NOT_AFTER - (COEFFICIENT if agreement else set()):
        return True
    return bool(after & NOT_AFTER_GENERIC) and (entry.name in GENERIC or row.share)


def _negated(facts: MetricFacts) -> MetricFacts:
    """The facts of the measure times -1."""
    lower = None if facts.upper is None else -facts.upper
    upper = None if facts.lower is None else -facts.lower
    return replace(facts, direction="min" if facts.direction == "max" else "max", lower=lower, upper=upper, share=False)


def _complement(facts: MetricFacts, others: Sequence[str]) -> MetricFacts | None:
    """The facts of one minus the measure; with other words, `1-` was a number (`1-shot-acc`)."""
    if others:
        return facts
    if facts.upper is None:
        return None
    turned = _negated(facts)
    bounds = [None if bound is None else 1 + bound for bound in (turned.lower, turned.upper)]
    return replace(turned, lower=bounds[0], upper=bounds[1], share=facts.share)


def _is_neutral(word: str) -> bool:
    return word in NEUTRAL or word in PREPOSITIONS or word in PERCENT or word[0].isdigit()


def _words(text: str) -> tuple[list[str], list[int]]:
    """The words of a name in lower case, and the part of the key in which each stands."""
    words: list[str] = []
    folder: list[int] = []
    for i, part in enumerate(_FOLDERS.split(text)):
        for atom in _ATOM.findall(part):
            pieces = _pieces(atom.casefold())
            words.extend(pieces)
            folder.extend([i] * len(pieces))
    return words, folder


@lru_cache(maxsize=1 << 14)
def _pieces(word: str) -> tuple[str, ...]:
    """A word that is two or more known ones written together, taken apart (`valloss`); else the word itself."""
    if word == "at":
        return ("@",)
    if len(word) < 5 or word in NEUTRAL or word in _BEGINNINGS or not word.isalpha():
        return (word,)
    # ends[i]: how the first i letters can be put together, longest pieces first.
    ends: dict[int, tuple[str, ...]] = {0: ()}
    for i in range(len(word)):
        if i in ends:
            for j in range(min(len(word), i + _LONGEST), i + 2, -1):
                if j not in ends and word[i:j] in _PIECES:
                    ends[j] = (*ends[i], word[i:j])
    whole = ends.get(len(word))
    if whole is None and word.endswith("loss"):
        whole = (word[:-4], "loss")
    return whole or (word,)


def _find(words: Sequence[str]) -> list[_Found]:
    """The metrics in the words, from left to right, at each place the longest."""
    found: list[_Found] = []
    start = 0
    while start < len(words):
        longest: _Found | None = None
        literal = numbered = ""
        for end in range(start, len(words)):
            word = words[end]
            literal, numbered = literal + word, numbered + ("#" if word[0].isdigit() else word)
            for spelling in (literal, numbered, literal[:-1] if literal.endswith("s") and len(literal) > 3 else ""):
                entry = _ENTRIES.get(spelling) or _NOTHING.get(spelling)
                if entry is not None:
                    longest = _Found(start, end + 1, entry)
                    break
            if literal not in _BEGINNINGS and numbered not in _BEGINNINGS:
                break
        if longest is not None:
            found.append(longest)
        start = start + 1 if longest is None else longest.end
    return found
