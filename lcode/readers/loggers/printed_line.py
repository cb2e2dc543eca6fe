"""What one printed line tells: counters, and names with a number behind them.

No two programs print alike, but nearly all name what they count and name each number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lcode.readers.understanding.column_words import words_of
from lcode.table.metric_names import known_metric

EPOCH, STEP, BATCH = "epoch", "step", "batch"

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)\b"
_NOISE = re.compile(
    r"\x1b\[[0-9;?]*[A-Za-z]"  # colours
    r"|^[IWEF]\d{4} [\d:.]+ +\d+ \S+\]"  # what Google's logging begins a line with
    r"|\b\d{4}[-/]\d{1,2}[-/]\d{1,2}|\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?: ?[AP]M)?"  # dates, times
    r"|\[[=>.#\s*-]*\]|\|[█▏▎▍▌▋▊▉ #]*\|"  # progress bars
    r"|\(\*[^)]*\)"  # Caffe: how a loss is weighted
    r"|\bhttps?://\S+|\S*[/\\]\S+\.(?:py|pth?|ckpt|json|txt|png)\b\S*"  # addresses and files
)
_BARE = re.compile(r"^[^\w\[]*\[ *(?P<at>\d+) */ *(?P<of>\d+) *\](?=[^\[\]]*[A-Za-z])")
"""`[100/5000] loss: 0.3`: a counter without a name, at the beginning of a line that has no other."""

_COUNTER = re.compile(
    r"(?<![A-Za-z_/])(?P<what>epochs?|ep|global[_ ]step|num[_ ]updates|steps?|iterations?|iters?|updates?|up|rounds?|"
    r"episodes?|batch(?:_id(?:x)?)?)(?:\((?:train|val|test)\))?(?![A-Za-z_])[\s.:=#\[(-]*?(?P<at>\d+(?:\.\d+)?)"
    r"(?:st|nd|rd|th)?(?![\d.]*[A-Za-z%])(?:\s*(?:/|of)\s*(?P<of>\d+))?[\])]*(?:\s*\[\s*(?P<batch>\d+)/\d+\]?)?",
    re.IGNORECASE,
)
_SETTING = re.compile(r"(epochs|steps|iterations|iters|updates|rounds|episodes)\b[^/]*$", re.IGNORECASE)
"""`epochs: 50` alone in a line is a setting."""

_ASIDE = re.compile(
    r"\b(?:best|bad|since|early|patience|warm-?up|total|max(?:imum)?|num(?:ber)?|sav(?:ed|ing)|load(?:ed|ing)|"
    r"resum(?:ed?|ing))\b[^,;|]*$",
    re.IGNORECASE,
)
"""What stands before a number of epochs that is not the present one: `bad epochs 0`, `best val acc at epoch 3`."""

SPLIT = re.compile(
    r"^[\W_]*(?P<split>train(?:ing)?|val(?:id(?:ation)?)?|dev|test(?:ing)?|eval(?:uation)?)\b"
    r"(?:[ _-]+(?:results?|metrics?|scores?|set|phase|summary)\b)*"
    r"(?=[^:=,|\d]*(?:#\d+\s*)?(?:[:|\]>]|$))",
    re.IGNORECASE,
)
_VALUE = re.compile(
    rf"(?<![\w.@])(?P<value>{NUMBER})(?![\d.:/-]*\d)(?:\s*\(\s*(?P<mean>{NUMBER})\s*\))?", re.IGNORECASE
)
_UNIT = re.compile(r"^(?:%|[mun]?s\b|secs?\b|seconds\b|min\b|[KMGT]i?B?\b)")
_AFTER_MARK = re.compile(r"([:=])[ \t]+|(?<=[A-Za-z]) {2,}(?=[+-]?\d)")
"""What stands between a name and its number where numbers are aligned."""

_LIST = re.compile(
    rf"(?P<name>[A-Za-z][\w @./%-]*)[:=]? *\[(?P<values> *(?:{NUMBER}) *(?:, *(?:{NUMBER}) *)+)\]", re.IGNORECASE
)
"""A number for each class: `Dice: [0.9, 0.8]`."""

_TYPED = re.compile(rf"np\.float\d+\(({NUMBER})\)", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-zµ∆Δ%][\w@./%+#<>∆Δ()\[\]-]*(?: +[\w@./%+#<>()\[\]-]+){0,4}$")
_REMARK = re.compile(r"\([^()]*\)\s+(?=\w)")
"""What is said of a name in the middle of it: `result (greedy) loss`."""

_SUMMARY = frozenset(("best", "saved", "saving"))
"""Words in what is said beside the values of a count."""

_SEGMENTS = re.compile(r"[,;\t|·—{}]+|\s[-–>]+\s|\s{2,}|\n")


@dataclass(frozen=True)
class Said:
    """What a line says.

    Attributes:
        counters: `epoch`, `step` or `batch`, and where it stands.
        totals: counters that are said to reach a number, and that number.
        pairs: names and their numbers.
    """

    counters: dict[str, float]
    totals: dict[str, float]
    pairs: dict[str, float]


def said_in(line: str) -> Said | None:
    """What the line says of a training; None where it says nothing, or speaks of another epoch than the present one."""
    line = _AFTER_MARK.sub(r"\1 ", _NOISE.sub("\n", _LIST.sub(_by_class, _TYPED.sub(r"\1", line))))
    counted = list(_COUNTER.finditer(line))
    found = [one for one in counted if not _ASIDE.search(line[: one.start()])]
    if not counted:
        bare = _BARE.sub(r"step \g<at>/\g<of>,", line)
        counted = found = list(_COUNTER.finditer(bare)) if bare != line else []
        line = bare
    pairs = dict(_pairs(_COUNTER.sub("\n", line) if found else line))
    if (counted and not found) or (found and not pairs and all(_SETTING.match(line[one.start() :]) for one in found)):
        return None
    totals = {_counter(one): float(one["of"]) for one in found if one["of"] is not None}
    return Said(dict(_counted(found)), totals, pairs) if found or pairs else None


def _by_class(found: re.Match[str]) -> str:
    """The numbers of a list with a name each, where it is that of a metric."""
    if known_metric(found["name"]) is None:
        return found.group()
    return ", ".join(f"{found['name']}_{at}: {value.strip()}" for at, value in enumerate(found["values"].split(",")))


def _counter(found: re.Match[str]) -> str:
    word = found["what"].lower()
    return EPOCH if word.startswith(("ep", "round")) else BATCH if word.startswith("batch") else STEP


def _counted(found: Sequence[re.Match[str]]) -> Iterator[tuple[str, float]]:
    for one in found:
        yield _counter(one), float(one["at"])
        if one["batch"] is not None:
            yield BATCH, float(one["batch"])


def _pairs(line: str) -> Iterator[tuple[str, float]]:
    """The names of a line and their numbers; where an average stands in brackets behind the latest value, it counts."""
    split = ""
    for segment in _SEGMENTS.split(line):
        head = SPLIT.match(segment)
        if head is not None:
            split = head["split"].lower()
            segment = segment[head.end() :]
        behind = 0
        for found in _VALUE.finditer(segment):
            before = _REMARK.sub("", _UNIT.sub("", segment[behind : found.start()])).rstrip()
            behind = found.end()
            marked = before.endswith((":", "="))
            name = _name(re.split(r"[:=]", before.rstrip(":= "))[-1], marked=marked)
            if name:
                own = SPLIT.match(f"{words_of(name)[0]}:")
                yield (
                    (name if own is not None or not split else f"{split}/{name}"),
                    float(found["mean"] or found["value"]),
                )


@lru_cache(maxsize=4096)
def _name(before: str, *, marked: bool) -> str:
    """What the number behind this text is called; nothing where it stands in a sentence."""
    found = _NAME.search(before)
    name = "" if found is None else found.group().strip(" .-#[]()")
    if not marked and known_metric(name) is None:
        name = name.rpartition(" ")[2]
        if known_metric(name) is None and name.lower() != "lr":
            return ""
    words = words_of(name)
    whole = bool(words) and name.count("(") == name.count(")")  # or it is the print of a network
    return re.sub(r"\s+", "_", name) if whole and _SUMMARY.isdisjoint(words[:-1]) else ""
