"""Lines in which a program tells how its training goes, as rows: `Epoch 3/50 - loss: 0.25 - val acc 0.9`.

No two programs print alike, but nearly all name what they count and name each number. So a line is searched for
counters and for names with a number behind them. What stands in lines without a counter, such as
the validation that follows, belongs to the counter before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from lcode.json_text import parse_json
from lcode.readers.column_words import EPOCHS, STEPS, words_of
from lcode.readers.raw import as_number
from lcode.table.metric_names import known_metric

EPOCH, STEP, BATCH = "epoch", "step", "batch"

LONGEST = 2000
"""Characters of a line that are looked at: more is the print of a network or of a configuration."""

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)\b"
_NOISE = re.compile(
    r"\x1b\[[0-9;?]*[A-Za-z]"  # colours
    r"|^[IWEF]\d{4} [\d:.]+ +\d+ \S+\]"  # what Google's logging begins a line with
    r"|\b\d{4}[-/]\d{1,2}[-/]\d{1,2}|\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?: ?[AP]M)?"  # dates, times
    r"|\[[=>.#\s*-]*\]|\|[█▏▎▍▌▋▊▉ #]*\|"  # progress bars
    r"|\(\*[^)]*\)"  # Caffe: how a loss is weighted
    r"|\bhttps?://\S+|\S*[/\\]\S+\.(?:py|pth?|ckpt|json|txt|png)\b\S*"  # addresses and files
)
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

_SPLIT = re.compile(
    r"^[\W_]*(?P<split>train(?:ing)?|val(?:id(?:ation)?)?|dev|test(?:ing)?|eval(?:uation)?)\b"
    r"(?:[ _-]+(?:results?|metrics?|scores?|set|phase|summary)\b)*"
    r"(?=[^:=,|\d]*(?:#\d+\s*)?(?:[:|\]>]|$))",
    re.IGNORECASE,
)
_VALUE = re.compile(
    rf"(?<![\w.@])(?P<value>{_NUMBER})(?![\d.:/-]*\d)(?:\s*\(\s*(?P<mean>{_NUMBER})\s*\))?", re.IGNORECASE
)
_UNIT = re.compile(r"^(?:%|[mun]?s\b|secs?\b|seconds\b|min\b|[KMGT]i?B?\b)")
_AFTER_MARK = re.compile(r"([:=])[ \t]+|(?<=[A-Za-z]) {2,}(?=[+-]?\d)")
"""What stands between a name and its number where numbers are aligned."""

_LIST = re.compile(
    rf"(?P<name>[A-Za-z][\w @./%-]*)[:=]? *\[(?P<values> *(?:{_NUMBER}) *(?:, *(?:{_NUMBER}) *)+)\]", re.IGNORECASE
)
"""A number for each class: `Dice: [0.9, 0.8]`."""

_TYPED = re.compile(rf"np\.float\d+\(({_NUMBER})\)", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-zµ∆Δ%][\w@./%+#<>∆Δ()\[\]-]*(?: +[\w@./%+#<>()\[\]-]+){0,4}$")
_SPLIT_WORD = re.compile(r"train|val(?:id)?|test|eval|dev", re.IGNORECASE)
_BOXED = re.compile(rf"^\| *(?P<name>[A-Za-z][\w /.%-]*?)(?P<group>/)? *\| *(?P<value>{_NUMBER})? *\|$")
_RULE = re.compile(r"^[-=+]{9,}$")
_OBJECT = re.compile(r"\{\s*\".*\}\s*$")
_REMARK = re.compile(r"\([^()]*\)\s+(?=\w)")
"""What is said of a name in the middle of it: `result (greedy) loss`."""

_SUMMARY = frozenset(("best", "saved", "saving"))
"""Words in what is said beside the values of a count."""

_SEGMENTS = re.compile(r"[,;\t|·—{}]+|\s[-–>]+\s|\s{2,}|\n")


@dataclass
class Told:
    """What a program has told.

    Attributes:
        rows: counters and values in the order in which they were printed; a row per value of the counters.
        lines: 1-based line at which each row begins.
        totals: the last value that each counter is said to reach, by counter.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    totals: dict[str, float] = field(default_factory=dict)

    @property
    def axis(self) -> str:
        """The counter of the rows: epochs where there are several, else steps."""
        epochs, steps = ({row[name] for row in self.rows if name in row} for name in (EPOCH, STEP))
        return EPOCH if len(epochs) > 1 or not steps else STEP

    def is_training(self) -> bool:
        """Whether a known metric is told at several values of the counters."""
        at: dict[str, set[tuple[float | None, ...]]] = {}
        for row in self.rows:
            counted = tuple(row.get(name) for name in (EPOCH, STEP, BATCH))
            for name in row.keys() - {EPOCH, STEP, BATCH}:
                at.setdefault(name, set()).add(counted)
        return any(len(counts) > 1 and known_metric(name) is not None for name, counts in at.items())


def told_in(text: str) -> Told:
    """The rows that lines of text tell; names that come up at one count of several are left out, as they sum up."""
    told = _boxed(text)
    if len(told.rows) > 1:
        return told
    told = Told()
    counters: dict[str, float] = {}
    row: dict[str, Any] = {}
    for number, raw in enumerate(text.split("\n"), start=1):
        stats = _OBJECT.search(raw) if len(raw) < LONGEST else None
        if stats is not None and (values := _object(stats.group())):
            told.rows.append(values)
            told.lines.append(number)
            continue
        line = raw.rstrip("\r").rpartition("\r")[2][:LONGEST]  # a progress bar's last state
        if not any(map(str.isdigit, line)) and not _SPLIT.match(line):
            continue
        line = _AFTER_MARK.sub(r"\1 ", _NOISE.sub("\n", _LIST.sub(_by_class, _TYPED.sub(r"\1", line))))
        counted = list(_COUNTER.finditer(line))
        found = [one for one in counted if not _ASIDE.search(line[: one.start()])]
        if counted and not found:
            continue  # what is said of another epoch
        if found:
            if all(_SETTING.match(line[one.start() :]) for one in found) and not dict(_pairs(_COUNTER.sub("\n", line))):
                continue
            now = dict(_counted(found, told.totals))
            if EPOCH in counters and EPOCH not in now:
                now[EPOCH] = counters[EPOCH]
            if now != counters:
                counters, row = now, {}
            line = _COUNTER.sub("\n", line)
        if not counters:
            continue
        pairs = dict(_pairs(line))
        if pairs and (not row or not row.keys().isdisjoint(pairs)):
            row = {}
        if pairs and not row:
            row = dict(counters)
            told.rows.append(row)
            told.lines.append(number)
        row.update(pairs)
    return _without_summaries(told)


def _boxed(text: str) -> Told:
    """The rows of boxes such as stable-baselines3 prints: a name and a number per line, groups of names inset."""
    told = Told()
    row: dict[str, Any] = {}
    group = ""
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip()
        found = _BOXED.match(line) if line.startswith("|") else None
        if found is not None and found["value"] is None:
            group = f"{found['name'].strip()}/" if found["group"] else ""
        elif found is not None:
            row[group + found["name"].strip()] = float(found["value"])
        elif _RULE.match(line):
            counters = [name for name in row if name.rpartition("/")[2].lower() in STEPS + EPOCHS]
            step = row.get("time/total_timesteps", row[counters[0]] if counters else None)
            if step is not None and len(row) > 1:
                told.rows.append({STEP: step, **row})
                told.lines.append(number)
            row, group = {}, ""
    return told


def _object(text: str) -> dict[str, Any]:
    """The numbers of an object that ends a line, its counters (`"epoch": "3/50"`) among them; none without one."""
    try:
        found = parse_json(text)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    kind = next((str(found[name]) for name in ("_type", "type", "mode", "split", "phase") if name in found), "")
    split = _SPLIT_WORD.match(kind)
    row: dict[str, Any] = {}
    for name, value in found.items():
        counter = EPOCH if name.lower() in EPOCHS else STEP if name.lower() in STEPS else None
        if counter is not None and isinstance(value, str):
            value = as_number(value.partition("/")[0])
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            row[counter or (f"{split.group()}/{name}" if split is not None else name)] = float(value)
    return row if EPOCH in row or STEP in row else {}


def _by_class(found: re.Match[str]) -> str:
    """The numbers of a list with a name each, where it is that of a metric."""
    if known_metric(found["name"]) is None:
        return found.group()
    return ", ".join(f"{found['name']}_{at}: {value.strip()}" for at, value in enumerate(found["values"].split(",")))


def _counted(found: list[re.Match[str]], totals: dict[str, float]) -> Iterator[tuple[str, float]]:
    for one in found:
        word = one["what"].lower()
        name = EPOCH if word.startswith(("ep", "round")) else BATCH if word.startswith("batch") else STEP
        yield name, float(one["at"])
        if one["of"] is not None:
            totals[name] = float(one["of"])
        if one["batch"] is not None:
            yield BATCH, float(one["batch"])


def _pairs(line: str) -> Iterator[tuple[str, float]]:
    """The names of a line and their numbers; where an average stands in brackets behind the latest value, it counts."""
    split = ""
    for segment in _SEGMENTS.split(line):
        head = _SPLIT.match(segment)
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
                own = _SPLIT.match(f"{words_of(name)[0]}:")
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


def _without_summaries(told: Told) -> Told:
    at = [tuple(row.get(name) for name in (EPOCH, STEP, BATCH)) for row in told.rows]
    if len(set(at)) > 1:
        counts: dict[str, set[tuple[float | None, ...]]] = {}
        for counted, row in zip(at, told.rows, strict=True):
            for name in row:
                counts.setdefault(name, set()).add(counted)
        for row in told.rows:
            for name in [name for name in row if len(counts[name]) == 1]:
                del row[name]
    kept = [at for at, row in enumerate(told.rows) if not row.keys() <= {EPOCH, STEP, BATCH}]
    return Told([told.rows[at] for at in kept], [told.lines[at] for at in kept], told.totals)
