"""What the number behind a text is called: the last words of it, unless they are a sentence or sum up."""

from __future__ import annotations

import re
from functools import lru_cache

from lcode.readers.printed.lines.form_parts import BEGINS_NAME, DATA
from lcode.readers.understanding.column_words import words_of
from lcode.table.metric_names import known_metric
from lcode.table.other_languages import name_in_english

_NAME = re.compile(
    rf"(?:(?<![\w.])(?=\d+-[A-Za-z]|{BEGINS_NAME})\d|[A-Za-zµ∆Δ%]|\b[^\W\d_A-Za-z](?![^\W\d_]*\d))"
    r"[\w@./%+#<>^∆Δ()\[\]-]*(?: +[\w@./%+#<>^()\[\]-]+){0,6}$"
)
REMARK = re.compile(r"\([^()]*\)\s+(?=\w)|(?<=[\w ])\([A-Za-z][^()]*\)\s*$")
"""What is said of a name in the middle of it or behind it: `result (greedy) loss`, `f1-score (micro avg)`."""

_BEHIND = re.compile(r"\s*[(\[](?P<said>[^()\[\]]*)[)\]]$")
"""What is said of a name between it and the mark: `Loss (NLL): 0.3`, `acc(%): 93`, `F1 (macro) = 0.8`."""

_WORDS = re.compile(r"[\w@.%+-]+(?: [\w@.%+-]+)?")

_UNMARKED = frozenset(("lr", *DATA))
"""Names that may stand before a number without a mark though they are no metrics: `train 0.31 val 0.35`."""

_IS = re.compile(r"^(?:the|its|an) |[ _](?:is|was|are)$", re.IGNORECASE)
"""What makes a sentence of a name: `the loss is 0.3`."""

_SO_FAR = re.compile(r"[ _]so far$", re.IGNORECASE)
"""What makes a sentence of what comes before: `Maximum memory allocated so far is 18238MB`."""

_ENGLISH = frozenset(("is", "per", "hit", "hits", "at", "in", "of", "to", "for", "from", "by", "with", "than", "the"))
"""Words before a number in a sentence, some of them names of metrics: `the next mAP at 200`, `which is 5`."""

_SUMMARY = frozenset(("best", "largest", "highest", "lowest", "smallest", "saved", "saving"))
"""Words in what is said beside the values of a count."""

_CHANGED = frozenset(("decreased", "increased", "improved", "improving", "improves", "reduced", "not"))
"""What a value has done since it was told: `Validation loss decreased (0.4 --> 0.3)`."""


@lru_cache(maxsize=4096)
def name_before(before: str, *, marked: bool) -> str:
    """What the number behind this text is called, in English; nothing where it stands in a sentence."""
    found = _NAME.search(_with_remark(before) if marked else before)
    name = "" if found is None else _IS.sub("", found.group().strip(" .-#[]()"))
    if not marked and _SO_FAR.search(name):  # `FAR` is a metric
        return ""
    if not marked and known_metric(name) is None:
        name = name.rpartition(" ")[2]
        if known_metric(name) is None and name.lower() not in _UNMARKED:
            return ""
    if not marked and name.rpartition(" ")[2] in _ENGLISH:
        return ""
    if name.count("[") < name.count("]"):  # `[Metrics] AUC`
        name = name.rpartition("]")[2].strip()
    words = words_of(name)
    whole = bool(words) and name.count("(") == name.count(")")  # or it is the print of a network
    if words == ["max", "accuracy"]:  # so far, as DeiT and Swin print it
        return ""
    told = _SUMMARY.isdisjoint(words[:-1]) and _CHANGED.isdisjoint(words)
    return re.sub(r"\s+", "_", name_in_english(name)) if whole and words != ["best"] and told else ""


def _with_remark(before: str) -> str:
    """The text before a mark with the one or two words in brackets at its end as part of the name.

    They are left out where they are more words, or make something else of a metric: `accuracy (of 3 classes)`.
    """
    found = _BEHIND.search(before)
    if found is None:
        return before
    plain = before[: found.start()]
    joined = f"{plain} {found['said']}"
    if _WORDS.fullmatch(found["said"]) is None:
        return plain
    facts, other = known_metric(plain), known_metric(joined)
    return plain if facts is not None and (other is None or other.direction != facts.direction) else joined
