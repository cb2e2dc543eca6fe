"""A metric's name taken apart: its words, the part of the key in which each stands, and the metrics among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lcode.table.metric_vocabulary import Entry, entries
from lcode.table.metric_words import NEUTRAL, NEVER, PERCENT, PREPOSITIONS

# `fwIoU` is fw, Io, U; `BLEUScore` is BLEU, Score; `<11.25` is <, 11.25. The first group separates parts of a key: a
# slash, or a dot that is no decimal point. Other signs separate words.
_ATOM = re.compile(r"([/\\|]|\.(?!\d)|(?<!\d)\.)|(\d+(?:\.\d+)?|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|[@<%])")

_NEVER = {phrase.replace(" ", ""): Entry(phrase, None, None, None, share=False, weight="never") for phrase in NEVER}
_ENTRIES = {**entries(), **_NEVER}
_BEGINNINGS = frozenset(key[:length] for key in _ENTRIES for length in range(1, len(key) + 1))
_SAY_NOTHING = NEUTRAL | PREPOSITIONS | PERCENT
_PIECES = NEUTRAL | {key for key, entry in _ENTRIES.items() if entry.weight in ("head", "weak") and key.isalpha()}
_SHORTEST, _LONGEST = 3, 40
"""Letters of the shortest word that others are taken apart into (shorter ones are in too many), and of the longest word
that is taken apart: a longer one is no name."""


@dataclass(frozen=True)
class Found:
    """A known metric in a name: the words from `start` to before `end`."""

    start: int
    end: int
    entry: Entry


@dataclass(frozen=True)
class Name:
    """A name or key, taken apart.

    Attributes:
        words: its words in lower case; a number is one word, "at" is `@`.
        parts: the part of the key, counted from 0, in which each word stands.
        found: the known metrics, from left to right; none overlap, and short words count only where they stand alone.
    """

    words: tuple[str, ...]
    parts: tuple[int, ...]
    found: tuple[Found, ...]

    @classmethod
    def parse(cls, text: str) -> Name:
        """Split at separators, digits and changes of case, and look the words up."""
        words: list[str] = []
        parts: list[int] = []
        part = 0
        for separator, atom in _ATOM.findall(text):
            part += bool(separator)
            pieces = () if separator else (atom,) if atom[0].isdigit() else _taken_apart(atom.lower())
            words.extend(pieces)
            parts.extend([part] * len(pieces))
        name = cls(tuple(words), tuple(parts), tuple(_find(words, parts)))
        counted = (one for one in name.found if one.entry.weight != "whole" or name._is_alone(one))
        return replace(name, found=tuple(counted))

    @property
    def rest(self) -> dict[int, str]:
        """The words that belong to no known metric, by their place."""
        inside = {i for one in self.found for i in range(one.start, one.end)}
        return {i: word for i, word in enumerate(self.words) if i not in inside}

    def _is_alone(self, one: Found) -> bool:
        """Whether nothing else is said in its part of the key."""
        part = self.parts[one.start]
        beside = any(other is not one and self.parts[other.end - 1] == part for other in self.found)
        return not beside and all(is_neutral(word) for i, word in self.rest.items() if self.parts[i] == part)


def is_neutral(word: str) -> bool:
    """Whether the word says nothing of what is measured: a number, a preposition, or where or when it was taken."""
    return word in _SAY_NOTHING or word[0].isdigit()


@lru_cache(maxsize=1 << 14)
def _taken_apart(word: str) -> tuple[str, ...]:
    """Known words written together, apart (`valloss`, `meaniou`); any other word as it is."""
    if word == "at":
        return ("@",)
    if word in NEUTRAL or word in _BEGINNINGS or len(word) > _LONGEST:
        return (word,)
    # The first i letters as known words, where that can be done; longer words first.
    heads: dict[int, tuple[str, ...]] = {0: ()}
    for i in range(len(word)):
        if i in heads:
            for j in range(len(word), i + _SHORTEST - 1, -1):
                if j not in heads and word[i:j] in _PIECES:
                    heads[j] = (*heads[i], word[i:j])
    if len(word) in heads:
        return heads[len(word)]
    # Losses have more names than any list (`gloss`, `advloss`).
    return (word[:-4], "loss") if word.endswith("loss") else (word,)


def _find(words: Sequence[str], parts: Sequence[int]) -> list[Found]:
    """The metrics in the words, from left to right, at each place the longest.

    A letter that ends one part of the key belongs to no metric in the next: `stats_g/mean` is no G-mean.
    """
    found: list[Found] = []
    start = 0
    while start < len(words):
        longest: Found | None = None
        literal = numbered = ""
        for end in range(start, len(words)):
            word = words[end]
            literal, numbered = literal + word, numbered + ("#" if word[0].isdigit() else word)
            entry = _ENTRIES.get(literal) or _ENTRIES.get(numbered)
            if entry is None and word.endswith("s") and len(literal) > _SHORTEST:
                entry = _ENTRIES.get(literal[:-1])  # a plural: `rewards`, `IoUs`
            over = len(words[start]) == 1 and parts[start] != parts[end]
            if entry is not None and not over:
                longest = Found(start, end + 1, entry)
            if literal not in _BEGINNINGS and numbered not in _BEGINNINGS:
                break
        if longest is not None:
            found.append(longest)
        start = start + 1 if longest is None else longest.end
    return found
