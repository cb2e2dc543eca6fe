"""What one printed line tells: counters, and names with a number behind them.

No two programs print alike, but nearly all name what they count and name each number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lcode.readers.printed.lines.bare_counters import with_bare_counter, without_count
from lcode.readers.printed.lines.form_parts import BEGINS_NAME, DATA, ENDS_NAME, NUMBER, STAND_INS, number_of
from lcode.readers.printed.lines.labels import Labels, Value, with_labels
from lcode.readers.printed.lines.line_forms import usual_form
from lcode.readers.printed.lines.line_names import REMARK, name_before
from lcode.readers.understanding.column_words import words_of
from lcode.readers.understanding.curve_names import split_name
from lcode.table.metric_names import known_metric
from lcode.table.metric_words import SPLITS
from lcode.table.other_languages import in_english

EPOCH, STEP, BATCH, RUN = "epoch", "step", "batch", "run"

FEWEST = 3
"""Counts, and values of a name, that make a curve."""

_COUNTER = re.compile(
    r"(?:(?<![A-Za-z_/])|(?<![A-Za-z])(?:i|idx|cur(?:rent)?)_)"
    r"(?P<what>epoch_in(?:ner)?|inner_epoch|local[_ ]epoch|epoch_out(?:er)?|"
    r"epochs?|epoche|epoque|epoca|durchgang|schritt|etape|paso|"
    r"ep|global[_ ]step|num[_ ]updates|num_timesteps|steps?|iterations?|iters?|it(?=\s*[:=])|"
    r"updates?|up|rounds?|episodes?|games?|generations?|kimg|batch(?:_id(?:x)?| i)?)(?![A-Za-z])(?: num(?:ber)?\b)?"
    r"[\s.:=#\[(_-]*?(?P<at>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"(?:st|nd|rd|th)?(?![\d.]*[A-Za-z%])(?:(?:/\d+){2,}|\s*(?:/|of)\s*(?P<of>\d+))?[\])]*(?:\s*[\[(]\s*(?P<batch>\d+)/\d+[\])]?)?",
    re.IGNORECASE,
)
"""What is counted, and where it stands; of three numbers, `iteration 97/100/101`, none is the end."""

_INNER = frozenset(("epoch_in", "epoch_inner", "inner_epoch", "local_epoch"))
"""Epochs within those of an outer loop."""

_SETTING = re.compile(
    r"(?:epochs|steps|iterations|iters|rounds)\b[^/]*$|(?:updates|episodes)\b[^/\d]*\d+[^/\d]*$", re.IGNORECASE
)
"""`epochs: 50` alone in a line is a setting."""

_ASIDE = re.compile(
    r"\b(?:best|bad|since|early|patience|warm-?up|total|max(?:imum)?|num(?:ber)?|sav(?:ed|ing)|load(?:ed|ing)|"
    r"resum(?:ed?|ing))\b[^,;|]*$|\b(?:this|per|each|every|next|one)\s+$",
    re.IGNORECASE,
)
"""What stands before a number that does not count the present epoch: `best acc at epoch 3`, `time of this epoch: 9`."""

_OF_HELD_OUT = re.compile(r"^\[Eval $")
"""What Composer has before the count of how far an evaluation is: `[Eval batch=8/8]`."""

_IN_ALL = re.compile(r"total|max|num", re.IGNORECASE)

SPLIT = re.compile(
    r"^(?:[^:=,|]*\bis\b)?[\W_]*(?:(?:overall|average|avg|mean)\W+)?"
    r"(?P<split>train(?:ing)?|val(?:id(?:ation|ating)?)?|dev|holdout|heldout|test(?:ing)?|"
    r"eval(?:uation|uating)?)\b(?:[ _-]+(?:results?|metrics?|scores?|set|phase|summary)\b)*"
    r"(?=[^:=,|\d]*(?:#\d+\s*)?(?:[:|\]>]|$)|\*\*)",
    re.IGNORECASE,
)
_VALUE = re.compile(
    rf"(?<![\w.@^])(?<![A-Za-z]-)(?<!\^[+-])(?!\d+-[A-Za-z]|{BEGINS_NAME}|{ENDS_NAME})(?P<value>{NUMBER})(?![\d.:/-]*\d)"
    rf"(?:\s*\(\s*(?P<mean>{NUMBER})\s*\))?",
    re.IGNORECASE,
)
"""A number that is no part of a word, as in `Precision 16-mixed`, or of a name, and the average behind it."""

_UNIT = re.compile(
    r"\s*(?:%|(?:[mun]?s|secs?|seconds|min|[KMGT]i?B?)\b(?!/))"
    r"|(?P<glued>[A-Za-zµ°Å]{1,4}[²³]?(?:/[A-Za-z]{1,4}[²³]?)?)(?![\w@/-]| *[:=])"
    r"|\s*(?:[mck]?m|dB|deg(?:rees)?|px|m?eV)\b(?!\s*[:=(]|\s+[+-]?[\d.])"
    r"|\s*(?:毫?秒|分钟?|小时|天|个|条|次|折|轮|步|批|张|帧|元|万|亿|倍)(?![^\W\d_])"
)
"""What stands between a number and the next name, as a unit of the number."""
_DURATION = re.compile(r"\s*(?:[mun]?s|secs?|seconds?|min(?:ute)?s?|hours?)\b(?!\s*[:=/])", re.IGNORECASE)
"""What stands behind a time: `Loading model cost 0.5 seconds.`"""

_SHORT = 60
"""Characters of a line that holds no several ones."""

_COUNTING = ("ep", "step", "iter", "round", "batch", "update", "game", "generation")
_COUNTING_ABROAD = (
    *("第", "轮", "步", "迭代", "批次"),
    *("에폭", "에포크", "エポック", "эпоха", "итерация", "época", "époque"),
)
"""Of these, one is in most names of counters."""

_DIGITS = re.compile(r"[\d.+-]+")

IN_BATCH = "\0"
"""Begins the name of a value that was told within an epoch, or beside a loss, of which the line does not say on which
data it was measured."""

_ALONE = re.compile(rf"[\s:=]*(?P<value>{NUMBER})\s*%?(?:\s*\([^()]*\))?\s*$", re.IGNORECASE)
_BEST = re.compile(r"\bbest\b", re.IGNORECASE)

_OF_THE_BEST = re.compile(r"(?:[\W_]|INFO|new|found|the|a|current|sav(?:ed?|ing))*\bbest\b", re.IGNORECASE)
"""How a line begins that says again what was best: `New best model, saved to best.pt (val_loss=0.3)`."""

_OF_BATCHES = re.compile(r"mini[-_ ]?batch", re.IGNORECASE)
"""Begins a name of the training, whatever stands before it: `Validation Accuracy: 0.5, Mini-batch Loss: 0.4`."""

_SEGMENTS = re.compile(
    r"[,;\t|·•—→⇒{}]+|\s(?:[-–>]+|and)\s|\s{2,}|\n|(?<=[\d%])\s(?=(?:train|val|valid|validation|test|dev)\s?:\s)",
    re.IGNORECASE,
)


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


def pieces_of(line: str) -> list[str]:
    """The line, broken where it counts on if several were written without line breaks between them."""
    words = _COUNTING if line.isascii() else (*_COUNTING, *_COUNTING_ABROAD)
    if len(line) < _SHORT or max(map(line.lower().count, words)) < FEWEST:
        return [line]
    english = in_english(line)
    counted = list(_COUNTER.finditer(english))
    starts = [one.start() for one in counted if one["what"].lower() == counted[0]["what"].lower()]
    if len(starts) < FEWEST:
        return [line]
    pieces = [english[start:end] for start, end in zip(starts, [*starts[1:], len(english)], strict=True)]
    ((_, often),) = Counter(_DIGITS.sub("", piece).strip() for piece in pieces).most_common(1)
    if 2 * often < len(pieces):  # or it names other epochs beside the present one
        return [line]
    return [english[: starts[0]] + pieces[0], *pieces[1:]]


def said_in(line: str) -> Said | None:
    """What the line says of a training; None where it says nothing, or speaks of another epoch than the present one.

    How far an evaluation is says nothing of where the training is.
    """
    line = usual_form(line)
    counted = list(_COUNTER.finditer(line))
    before = [_ASIDE.search(line[: one.start()]) for one in counted]
    stand = [one["at"] in STAND_INS.values() for one in counted]
    found = [one for one, aside, none in zip(counted, before, stand, strict=True) if aside is None and not none]
    if counted and not found and all(aside is not None and _IN_ALL.match(aside.group()) for aside in before):
        counted, line = [], _COUNTER.sub("\n", line)  # how many there are in all, beside values
    bare = with_bare_counter(line, named=bool(counted))
    told = "" if _OF_THE_BEST.match(line) else _COUNTER.sub("\n", bare) if found or bare != line else line
    pairs = dict(_pairs(without_count(told, found, line)))
    if bare != line and any(known_metric(name) or name.lower() in DATA for name in pairs):
        counted = found = list(_COUNTER.finditer(bare))
    if (counted and not found) or (found and not pairs and all(_SETTING.match(bare[one.start() :]) for one in found)):
        return None
    kinds = _kinds(found)
    counters = dict(_counted(found, kinds))
    totals = {
        kind: float(one["of"])
        for kind, one in zip(kinds, found, strict=True)
        if one["of"] is not None and float(one["at"]) == counters[kind]
    }
    if totals.keys() == {BATCH} and not pairs and all(_is_of_composer(line, one) for one in found):
        return None
    if BATCH in counters or (EPOCH in counters and STEP in totals) or (found and _is_of_training(pairs)):
        pairs = {name if _split(name) else f"{IN_BATCH}{name}": value for name, value in pairs.items()}
    return Said(counters, totals, pairs) if found or pairs else None


def without_counters(line: str) -> str:
    """The line, in the usual form, with a break where it counts."""
    return _COUNTER.sub("\n", line)


def counts_behind(line: str) -> bool:
    """Whether a line counts behind its values: `loss: 0.3, epoch: 2`."""
    line = usual_form(line)
    found = _COUNTER.search(line)
    return found is not None and any(_pairs(line[: found.start()]))


def _is_of_training(names: Iterable[str]) -> bool:
    """Whether a line that does not say on which data was measured tells a loss, so that its scores are of that data."""
    return not any(map(_split, names)) and any("loss" in words_of(name) for name in names)


@lru_cache(maxsize=4096)
def _split(name: str) -> str:
    """On which data a value was measured, by its name, which may say nothing else; empty where it does not say it."""
    return split_name(name)[0] or SPLITS.get(name.lower(), "")


def _counter(found: re.Match[str]) -> str:
    word = found["what"].lower().replace(" ", "_")
    if word in _INNER:
        return BATCH
    if word.startswith(("ep", "round", "gen", "durchgang")):
        return EPOCH
    return BATCH if word.startswith("batch") else STEP


def _is_of_composer(line: str, found: re.Match[str]) -> bool:
    return _OF_HELD_OUT.match(line[: found.start()].lstrip()) is not None and "=" in found.group()


def _kinds(found: Sequence[re.Match[str]]) -> list[str]:
    """What each counter of a line counts; epochs beside a round are those of a client within it.

    Of two that count steps the first counts passes where the second alone has an end: `iteration:7 step:8/652`.
    """
    kinds = [_counter(one) for one in found]
    if kinds == [STEP, STEP] and found[0]["of"] is None is not found[1]["of"]:
        return [EPOCH, STEP]
    rounds = [one["what"].lower().startswith("round") for one in found]
    if kinds.count(EPOCH) < 2 or not any(rounds):
        return kinds
    return [BATCH if kind == EPOCH and not is_round else kind for kind, is_round in zip(kinds, rounds, strict=True)]


def _counted(found: Sequence[re.Match[str]], kinds: Sequence[str]) -> Iterator[tuple[str, float]]:
    for one, kind in zip(found, kinds, strict=True):
        yield kind, float(one["at"])
        if one["batch"] is not None:
            yield BATCH, float(one["batch"])


def _pairs(line: str) -> Iterator[tuple[str, float]]:
    """The names of a line and their numbers; where an average stands in brackets behind the latest value, it counts."""
    split = ""
    told: list[Value] = []
    labels = Labels()
    for separator, segment in _segments(line):
        labels.begin(separator)
        head = SPLIT.match(segment)
        if head is not None:
            alone = _ALONE.match(segment, head.end())
            if alone is not None:  # `val: 0.3`
                name = re.sub(r"\W+", "_", head.group().strip(" :|[]>.-#"))
                told.append(Value("", name, number_of(alone["value"])))
                continue
            split = head["split"].lower()
            segment = segment[head.end() :]
            labels.reset()
        behind = 0
        for found in _VALUE.finditer(segment):
            unit = _UNIT.match(segment, behind) if behind else None
            before = REMARK.sub("", segment[unit.end() if unit else behind : found.start()]).rstrip()
            behind = found.end()
            marked = before.endswith((":", "="))
            *ahead, last = re.split(r"[:=]", before.rstrip(":= "))
            name = name_before(last, marked=marked)
            if name and not (_DURATION.match(segment, behind) and _may_be_time(name)):
                first = words_of(name)[0]
                own = first in DATA or (head is None and _OF_BATCHES.match(name) is not None)
                told.append(labels.named(ahead, "" if own else split, name, number_of(found["mean"] or found["value"])))
                split = first if own and split else split  # `Train Loss: 0.3 Acc: 0.8 Val Loss: 0.4 Acc: 0.7`
        if not behind and _BEST.search(segment):
            break  # `best metric, acc: 0.9`
        if not behind:
            labels.alone(segment)
    told = with_labels(told)
    again = _told_again(told)
    for at, one in enumerate(told):
        if at in again:  # CenterNet: of the training, and behind it of the validation
            yield f"val/{one.name}", one.value
            continue
        yield f"{one.split}/{one.name}" if one.split and not _is_aside(one, told) else one.name, one.value


def _segments(line: str) -> Iterator[tuple[str, str]]:
    """The parts of a line, each with what separates it from the one before."""
    start, separator = 0, ""
    for found in _SEGMENTS.finditer(line):
        yield separator, line[start : found.start()]
        start, separator = found.end(), found.group()
    yield separator, line[start:]


@lru_cache(maxsize=4096)
def _may_be_time(name: str) -> bool:
    """Whether a number with a unit of time may be how long something took, since no other metric is named."""
    return known_metric(name) is None or words_of(name)[-1] in ("cost", "costs")


def _told_again(told: Sequence[Value]) -> range:
    """The places of a line from which on the same names come again, several of them, and nothing says of which data."""
    names = [one.name for one in told]
    start = names.index(names[0], 1) if names and names[0] in names[1:] else len(names)
    alike = 1 < len(names) - start <= start and names[start:] == names[: len(names) - start]
    unsaid = not any(one.split or _split(one.name) for one in told)
    return range(start, len(names)) if alike and unsaid else range(0)


def _of_data(word: str) -> str:
    """The part of the data that a word alone says; empty where it says none."""
    return SPLITS[word] if word in DATA else ""


def _is_aside(value: Value, told: Sequence[Value]) -> bool:
    """Whether a loss behind scores of held-out data is not of that data: `Train Acc: 0.9 | Test Acc: 0.8 | Loss: 0.3`.

    The training's score stands before it in the line, and its loss does not.
    """
    if SPLITS[value.split] == "train" or "loss" not in words_of(value.name):
        return False
    of_training = [one.name for one in told if _of_data(one.split or words_of(one.name)[0]) == "train"]
    alike = [one.name for one in told if one.split == value.split and one.name != value.name]
    return bool(of_training) and bool(alike) and not any("loss" in words_of(other) for other in of_training)
