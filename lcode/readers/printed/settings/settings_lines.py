"""Settings in a line that has no word for them: a command, the head of a run, a dictionary of nothing but settings.

`+ srun python train.py --lr 0.003 --epochs 40`, `==== Run 1/10: lr=0.003 bs=32 ====`.
"""

from __future__ import annotations

import re
import shlex
from typing import Any

from lcode.readers.logged.settings import call_settings
from lcode.readers.printed.lines.line_forms import usual_form
from lcode.readers.raw import as_number
from lcode.table.metric_names import known_metric

_COMMAND = re.compile(r"(?:\S*/)?(?:python[\d.]*|torchrun|accelerate|deepspeed|srun|mpirun)")
"""What starts a program of Python."""

_OVERRIDE = re.compile(r"\+{0,2}(?P<name>[A-Za-z][\w.]*)=(?P<value>[^=]*)")
"""As Hydra takes it: `optimizer.lr=0.1`."""

_TITLE = re.compile(
    r"\W*(?:\S+ )?(?:run|trial|experiment|exp|config(?:uration)?|job|fold|sweep|setting)\b[ #:]*\d+(?: *(?:/|of) *\d+)?"
    r"[\s:,|(\[-]+(?P<pairs>[A-Za-z][\w.]*=[^\s=,;|]+(?:[\s,;|]+[A-Za-z][\w.]*=[^\s=,;|]+)*)\W*",
    re.IGNORECASE,
)
"""The head of one of several runs, with what is set for it."""

_RULED = re.compile(
    r"\s*(?P<rule>[=#*~-])(?P=rule){2,}\s*(?P<title>[A-Za-z][^=]{0,60}?[\s:,|(\[-])?\s*"
    r"(?P<pairs>[A-Za-z][\w.]*=[^\s=,;|]+(?:[\s,;|]+[A-Za-z][\w.]*=[^\s=,;|]+)*)[)\]]?\s*(?P=rule){3,}\s*"
)
"""The same between rules, whatever the run is called: `==== task 0: balancing=ew lr=0.001 ====`."""

_ONE_MORE = re.compile(r"\W*overriding: (?P<name>[A-Za-z][\w.-]*) = (?P<value>\S+)\s*", re.IGNORECASE)
"""A setting that was given on the command line, as nanoGPT says it: `Overriding: max_iters = 2000`."""

_AT = re.compile(r"\b(?:epoch|step|iter(?:ation)?|round|batch)\b", re.IGNORECASE)
"""A head of an epoch is none of a run."""

_FEWEST_RULED = 2
"""Settings between rules where no number says which run it is."""

_LONGEST_TITLE, _LONGEST_HEAD = 300, 1000
"""Characters of a head with what a logger puts before it, and of one alone."""

_NAMED = re.compile(r"\w=[^\s=]")

_PAIR = re.compile(r"([A-Za-z][\w.]*)=([^\s=,;|)\]]+)")

_OBJECT = re.compile(r"(?:^|[\s|])(?P<object>\{\s*'.*\})\s*$")

_OF_TRAINING = re.compile(r"'(?:max_?epochs?|epochs|num_epochs|batch_size|optimi[sz]er|learning_rate|lr|seed)'")

_FEWEST = 3
"""Settings of a dictionary that nothing calls so."""

_CONSTANTS = {"true": True, "false": False, "none": None, "null": None}


def settings_of_line(line: str) -> dict[str, Any]:
    """The settings that a line alone gives; none where it may be anything else."""
    if (".py" in line or " -m " in line) and (arguments := _arguments(line)):
        return _of_command(arguments)
    if len(line) <= _LONGEST_HEAD and _NAMED.search(line) is not None:
        plain = usual_form(line).rpartition("\n")[2] if len(line) <= _LONGEST_TITLE else ""
        title = next((one for text in (line.rstrip(), plain) if (one := _TITLE.fullmatch(text)) is not None), None)
        if title is not None:
            return _of_title(title)
        ruled = _RULED.fullmatch(plain) or _RULED.fullmatch(line)
        if ruled is not None and _AT.search(ruled.group()) is None:
            numbered = any(map(str.isdigit, ruled["title"] or ""))
            return _of_title(ruled, fewest=1 if numbered else _FEWEST_RULED)
    one = _ONE_MORE.fullmatch(line) if len(line) <= _LONGEST_TITLE else None
    if one is not None:
        return {one["name"]: setting_value(one["value"].strip("'\""))}
    if "': " in line:
        return _of_object(line)
    return {}


def _of_title(found: re.Match[str], *, fewest: int = 1) -> dict[str, Any]:
    """The settings in the head of a run, where they are as many at least and none is measured."""
    values = {name: setting_value(text) for name, text in _PAIR.findall(found["pairs"])}
    return {} if len(values) < fewest or _is_measured(values) else values


def _arguments(line: str) -> str:
    """What a program of Python is given that a line starts; empty where it starts none."""
    words = line.split()
    start = next((at for at, word in enumerate(words) if _COMMAND.fullmatch(word)), len(words))
    for at in range(start + 1, len(words)):
        if words[at].endswith(".py"):
            return " ".join(words[at + 1 :])
        if words[at] == "-m":
            return " ".join(words[at + 2 :])
    return ""


def _of_command(text: str) -> dict[str, Any]:
    """The settings that a program is given: `--lr 0.1`, `--lr=0.1`, `--amp`, `optimizer.lr=0.1`."""
    try:
        words = shlex.split(text)
    except ValueError:
        return {}
    values: dict[str, Any] = {}
    at = 0
    while at < len(words):
        word, following = words[at], words[at + 1 : at + 2]
        at += 1
        override = _OVERRIDE.fullmatch(word.removeprefix("--"))
        if override is not None:
            values[override["name"].replace("-", "_")] = setting_value(override["value"])
            continue
        if not word.startswith("--"):
            continue
        name, equals, value = word[2:].partition("=")
        if equals:
            values[name.replace("-", "_")] = setting_value(value)
        elif not following or following[0].startswith("--") or _OVERRIDE.fullmatch(following[0]):
            values[name.replace("-", "_")] = True
        else:
            values[name.replace("-", "_")] = setting_value(following[0])
            at += 1
    return {name: value for name, value in values.items() if re.fullmatch(r"[A-Za-z][\w.]*", name)}


def _of_object(line: str) -> dict[str, Any]:
    """The settings of a dictionary that ends a line, where one of them is of every training and none is measured."""
    found = _OBJECT.search(line)
    if found is None or _OF_TRAINING.search(found["object"]) is None:
        return {}
    values = call_settings(found["object"])
    return {} if len(values) < _FEWEST or _is_measured(values) else values


def _is_measured(values: dict[str, Any]) -> bool:
    """Whether one of them is a metric, with a number that is no whole one."""
    return any(known_metric(name) is not None and isinstance(value, float) for name, value in values.items())


def setting_value(text: str) -> Any:
    """A setting as it was written: a number, a boolean, or a word."""
    if re.fullmatch(r"[+-]?\d{1,18}", text):
        return int(text)
    number = as_number(text)
    return _CONSTANTS.get(text.lower(), text) if number is None else number
