"""Lines that begin with what they tell of: `PER: precision: 87.2%`, `[val] seg: loss=0.5`, `age | acc 0.3 | loss 1.2`.

Before it may stand what a logger says, what is counted and of which data it is. Whether the words take turns, as those
of tasks and classes do, is for the whole text to say.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lcode.readers.printed.lines.form_parts import DATA, NUMBER
from lcode.readers.printed.lines.labels import PARTS, PHRASE, WORD, is_label, is_phrase, joined, own_label
from lcode.readers.printed.lines.line_forms import without_noise
from lcode.readers.printed.lines.printed_line import SPLIT, without_counters
from lcode.readers.understanding.column_words import is_counter
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS

PARTS_OF_ONE = frozenset(
    "generator discriminator actor critic teacher student encoder decoder source target".split()  # noqa: SIM905
)
"""Parts of one training, of which each may be measured: `teacher: acc 0.8`, `student: acc 0.7`."""

LONGEST_HEAD = 120
"""Characters of a line in which it says of what it tells."""

_SPLIT = "|".join(sorted({*DATA, "training", "testing", "validating", "evaluating"}, key=len, reverse=True))

_LABEL = re.compile(
    rf"(?i)[\W\d_]*(?:(?P<split>{_SPLIT})\b(?:[ _]+(?:set|results?|metrics|scores))?[\W\d_]*)?"
    rf"(?:(?:{PARTS}|type)[ _]+)?"
    rf"['\"]?(?P<name>{PHRASE})['\"]?(?:\] ?\[(?:{_SPLIT})(?=\])| ?\((?:{_SPLIT})\))?"
    rf"(?P<sep>\]\s*:?\s*|\)?\s*[:=]\s+|\s*(?:[:=-]*>|[:=]?\s*[(\[{{|])\s*|\s+[-–—]+\s+|\s+)"
    rf"['\"]?(?P<metric>[A-Za-z][\w@]*)['\"]?(?:\s*(?P<mark>[:=])\s*|\s*\(\s*|\s+)(?=(?:{NUMBER}))"
)
"""The words before the first name of a line; before a blank alone they are part of that name."""

_SECOND = re.compile(
    rf"[,;|.)]\s*[A-Za-z][\w-]*\s*[:(\[]\s*[A-Za-z][\w@]*(?:\s*[:=]\s*|\s+)(?=(?:{NUMBER}))", re.IGNORECASE
)
"""Another label, so that each is of a part of the line."""

_FURTHER = re.compile(rf"(?P<name>[A-Za-z][\w@]*)\W*?(?:\s*[:=(]\s*|\s+)(?=(?:{NUMBER}))", re.IGNORECASE)

_OWN = re.compile(
    rf"(?<![\w./-])(?P<name>{WORD}) (?P<metric>[A-Za-z][\w@]*)(?:\s*[:=]\s*|\s+)(?=(?:{NUMBER}))", re.IGNORECASE
)
"""A further name with a word of its own before the metric: `box loss: 0.3. mask loss: 0.5.`"""

_SPEAKER = re.compile(r"(train|evaluat|validat|test)(?:er|or)", re.IGNORECASE)
"""Who of a program tells it: `trainer: loss 0.3` and `evaluator: loss 0.4` are of different data."""

_HEAD = re.compile(
    rf"(?P<indent>\s*)(?:[-*] )?(?:(?:{PARTS})[ _:]*)?['\"]?(?P<name>{PHRASE})['\"]?(?P<colon>\s*:\s*[{{(\[]?)|"
    rf"\s*(?P<rule>[-=*#~\[<]{{1,80}})\s*(?:(?:{PARTS})[ _:]*)?(?P<ruled>{PHRASE})\s*:?\s*[-=*#~\]>]{{1,80}}",
    re.IGNORECASE,
)
"""A line that is nothing but such words: `  age:` above lines that are further in, `--- age ---`."""

_FREE_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d*)?(?:e[+-]?\d+)?", re.IGNORECASE)


def label_of(line: str) -> str:
    """What a line says at its beginning that it tells of; empty where it says nothing."""
    return _label_of(_FREE_NUMBER.sub("0", line[:LONGEST_HEAD]))


@lru_cache(maxsize=4096)
def _label_of(line: str) -> str:
    for piece in without_counters(without_noise(line)).split("\n"):
        found = _LABEL.match(piece)
        if found is not None:
            return "" if _SECOND.search(piece, found.end()) else _label(piece, found)
    return ""


def _label(line: str, found: re.Match[str]) -> str:
    name = found["name"].strip("-+/.")
    speaker = _SPEAKER.fullmatch(name)
    if not (_tells_metric(line, found) or (speaker and is_counter(found["metric"]))):
        return ""
    if " " in name:
        return joined(name) if found["sep"].strip() and is_phrase(name) else ""
    if not found["sep"].strip() and not _FURTHER.search(line, found.end()):
        return ""  # `age acc: 0.3`, alone, is a name
    if not found["sep"].strip() and any(
        one["metric"].lower() == found["metric"].lower() and is_label(one["name"])
        for one in _OWN.finditer(line, found.end())
    ):
        return ""  # each is of a part of the line
    if not found["sep"].strip() and own_label(f"{name}_{found['metric']}").lower() != name.lower():
        return ""  # `pixel acc` is one metric
    if not found["mark"] and known_metric(name) is not None:  # persons are PER, a phoneme error rate as well
        return ""
    if speaker is not None:
        return SPLITS[{"evaluat": "eval", "validat": "val"}.get(speaker[1].lower(), speaker[1].lower())]
    if name.lower() in PARTS_OF_ONE or (found["mark"] and ":" in found["sep"] and known_metric(name) is not None):
        return name
    if not is_label(name):
        return ""
    within = found["split"] is not None and SPLIT.match(line) is None  # `val age acc 0.3 loss 1.2`: of all of them
    return f"{found['split']}_{name}" if within else name.replace("/", "_")


def _tells_metric(line: str, found: re.Match[str]) -> bool:
    """Whether the first name behind a label is that of a metric, or behind a colon any: `Detect: P(0.1) R(0.4)`."""
    if known_metric(found["metric"]) is not None or ":" not in found["sep"]:
        return known_metric(found["metric"]) is not None
    return any(known_metric(one["name"]) is not None for one in _FURTHER.finditer(line, found.end()))


def head_of_lines(line: str) -> tuple[str, int | None] | None:
    """The words that a line consists of, and how far in it stands where those of it are; None: it has more."""
    found = _HEAD.fullmatch(line) if len(line) <= LONGEST_HEAD else None
    if found is None:
        return None
    name = found["name"] or found["ruled"]
    if not is_phrase(name):
        return None
    return joined(name), len(found["indent"]) if found["name"] else None
