"""What a curve's name says: on which data it was measured, of which task it is, and what is left as its metric."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from lcode.table.metric import MAIN_TASK, split_key
from lcode.table.metric_names import known_metric, plain_text
from lcode.table.metric_parse import Name
from lcode.table.metric_words import CHANGES, DIFFERENCES, SPLITS
from lcode.table.other_languages import name_in_english

_SPACES = (
    *("metrics", "metric", "scores", "results", "summary", "charts", "eval_metrics", "evaluators"),
    *("history", "training_history", "train_history", "training_log", "logs"),
)
"""First parts of a name that say nothing."""

_PART_OF_METRIC = """
    top mean avg average best micro macro weighted balanced binary ema running total overall max min per class k final
    last smoothed history episode rate ratio std coefficient coef coeff metric
"""
NO_TASK = SPLITS.keys() | set(_PART_OF_METRIC.split())
"""Words before a metric that are part of it."""

_OF_ANY_TASK = ("loss", "reward", "return", "cost")
"""What each task has: the word before it names the task, unless it names the measure (`mse_loss`)."""

_RATIO = r"[^\W\d_][\w.·*^°µ²³-]{0,11}/[\w.·*^°µÅ²³-]{1,12}"
"""A unit with a slash, which separates no parts of a name: `meV/atom`."""

_BRACKETS = re.compile(rf"^(.*?\S)\s*[(\[]\s*(\w+|%|{_RATIO})\s*[)\]](?:\s*[(\[]%[)\]])?$")

_OF_RATIO = re.compile(rf"(?<=\S)\s*[(\[]\s*{_RATIO}\s*[)\]]$")

_HELD_OUT = re.compile(r"held[ _-]out", re.IGNORECASE)

_METRIC_FIRST = re.compile(r"([^/.]+)([/.])([^/]+)")

_LOADER = re.compile(r"dataloader_idx_\d+")
"""How Lightning tells apart what it evaluates on: behind the metric's name."""

_AGAIN = re.compile(r"(?P<name>.*[A-Za-z])_[1-9]\d?")
"""What Keras calls a metric whose name another output has: `ctcvr_auc_1` beside `ctr_auc`."""

_EDGE = re.compile(r"^([A-Za-z]+?)(?:[_.\- ]+|(?<=[a-z])(?=[A-Z]))(.+)$")
_END = re.compile(r"^(.+?)(?:[_.\- ]+)([A-Za-z]+)$")


@lru_cache(maxsize=1 << 16)
def split_name(key: str) -> tuple[str, str]:
    """On which data a curve was measured, empty where its name does not say it, and its name without that."""
    parts = _HELD_OUT.sub("holdout", _BRACKETS.sub(_unbracketed, name_in_english(key))).split("/")
    if len(parts) > 1 and parts[0].lower() in _SPACES:
        parts = parts[1:]
    for at, part in enumerate(parts):
        word = SPLITS.get(part.strip().lower())
        if word is not None and len(parts) > 1:
            others = [*parts[:at], *parts[at + 1 :]]
            return word, "/".join(others[1:] if others[0] == MAIN_TASK and len(others) > 1 else others)
    for at, part in enumerate(parts):
        for pattern, which in ((_EDGE, 0), (_END, 1)):
            found = pattern.match(part)
            word = None if found is None else SPLITS.get(found.groups()[which].lower())
            if found is not None and word is not None:
                rest = found.groups()[1 - which]
                # `valid_0/auc`: the first of several sets; `train_history/loss`.
                if len(parts) > 1 and (rest.isdigit() or rest.lower() in _SPACES):
                    return word, "/".join([*parts[:at], *parts[at + 1 :]])
                return word, "/".join([*parts[:at], rest[0].lower() + rest[1:], *parts[at + 1 :]])
    for at, part in enumerate(parts):
        pieces = re.split(r"([_.\- ]+)", part)
        for place in range(2, len(pieces) - 2, 2):  # `total_train_loss`
            word = SPLITS.get(pieces[place].lower())
            if word is not None:
                return word, "/".join([*parts[:at], "".join(pieces[:place] + pieces[place + 2 :]), *parts[at + 1 :]])
    return "", "/".join(parts)


@lru_cache(maxsize=1 << 16)
def plain_curve(key: str) -> tuple[str, str]:
    """A name to compare by: on which data, and what, in lower case. `Val Acc` and `validation/acc` are one."""
    split, bare = split_name(key.strip("_.-/ "))
    return split, re.sub(r"[_.\-/ ]+", "/", bare.lower()).strip("/")


def _unbracketed(found: re.Match[str]) -> str:
    """`Loss (val) [%]` as `val Loss`: what stands in brackets behind a name is the data, or a unit."""
    name, word = found[1], found[2].lower()
    return f"{word} {name}" if word in SPLITS else name if word == "%" or "/" in word else found[0]


def without_ratio(name: str) -> str:
    """A name without a unit behind it whose slash would be taken for that of a task: `MAE (meV/atom)` is `MAE`."""
    return _OF_RATIO.sub("", name)


def with_tasks(scored: dict[str, str]) -> dict[str, str]:
    """Names such as `seg_acc` and `depth_rmse` as those of tasks, where at least two tasks are named so."""
    first = {name.partition("/")[0] for name in scored.values() if "/" in name}
    if len(first) == 1 and all(name.count("/") == 1 for name in scored.values()):
        # One prefix of all says nothing of the tasks.
        inner = with_tasks({key: name.partition("/")[2] for key, name in scored.items()})
        if len({split_key(name)[0] for name in inner.values()}) > 1:
            return inner
    turned = _turned(scored)
    named = {key: task_of(name) for key, name in scored.items() if "/" not in name} | turned
    named |= _named_again(scored, named)
    tasks = {split_key(name)[0] for name in named.values() if name is not None}
    if len(tasks) < 2:
        named = {}
    return {key: named.get(key) or (name if "/" in name else _plain(key, name)) for key, name in scored.items()}


def _named_again(scored: Mapping[str, str], named: Mapping[str, str | None]) -> dict[str, str]:
    """Names with a number that Keras has put behind them, as those of tasks that other names are of.

    One whose task has the metric without a number as well stays what it is: `seg_acc_1` beside `seg_acc_5`.
    """
    tasks = {split_key(name)[0] for name in named.values() if name is not None}
    found: dict[str, list[str]] = {}
    for key, name in scored.items():
        again = _AGAIN.fullmatch(name) if named.get(key) is None and "/" not in name else None
        whole = None if again is None else task_of(again["name"])
        if whole is not None and split_key(whole)[0] in tasks:
            found.setdefault(whole, []).append(key)
    taken = set(named.values())
    return {keys[0]: whole for whole, keys in found.items() if len(keys) == 1 and whole not in taken}


def _turned(scored: Mapping[str, str]) -> dict[str, str | None]:
    """Names with the metric before the task, `loss/seg` and `loss/depth`, turned round: `seg/loss`, `depth/loss`.

    So are `IoU.error` and `IoU.road`, where the names of some classes would be taken for the metric.
    """
    found: dict[str, dict[str, str]] = {}
    for key, name in scored.items():
        parts = _METRIC_FIRST.fullmatch(name)
        if parts is None or not _is_metric(parts[1]) or parts[3].lower() in NO_TASK:
            continue
        if _is_difference(parts[1], parts[3]) or _says_no_way(name):
            continue
        if parts[2] == "." or not _is_metric(parts[3]) or _may_be_task(parts[3]):
            found.setdefault(parts[1] + parts[2], {})[key] = parts[3]
    several = {metric: tasks for metric, tasks in found.items() if len(set(tasks.values())) > 1}
    of_tasks = {
        frozenset(tasks.values())
        for metric, tasks in several.items()
        if all(map(_LOADER.fullmatch, tasks.values()))
        or not _agree(metric[:-1], [scored[key] for key in tasks], metric[-1])
    }
    return {  # the same words behind another metric are tasks there too
        key: f"{task}/{metric[:-1]}"
        for metric, tasks in several.items()
        if frozenset(tasks.values()) in of_tasks
        for key, task in tasks.items()
    }


def _agree(metric: str, names: Sequence[str], mark: str) -> bool:
    """Whether all names are known to be of the metric that they begin with."""
    told = [known_metric(name) for name in names]
    if mark == "/":
        tasks = [name.rpartition(mark)[2] for name in names]
        return None not in told and not any(_is_metric(task) and _may_be_task(task) for task in tasks)
    facts = known_metric(metric)
    return all(one is None or facts is None or one.direction == facts.direction for one in told)


def _plain(key: str, name: str) -> str:
    """A bare name of the main task: as it was logged, unless a part of its key said on which data."""
    return name if "/" in key else key


def task_of(name: str) -> str | None:
    """`seg_acc` as `seg/acc`; None where what stands before the metric is no task."""
    words = [word for word in re.split(r"[_.\- ]+", name) if word]
    if _says_no_way(name):
        return None
    for at in range(len(words) - 1, 0, -1):
        metric, before = "_".join(words[at:]), words[at - 1]
        if not _is_metric(metric) or (_may_be_task(metric) and _is_metric("_".join(words[:at]))):
            continue  # or it is a task: `R2_energy`
        if _is_metric(f"{before}_{metric}") and (
            metric.lower() not in _OF_ANY_TASK or known_metric(before) is not None
        ):
            continue  # `abs_err` is one metric
        if all(word.lower() in NO_TASK or word.isdigit() or word.lower().startswith("top") for word in words[:at]):
            return None
        return f"{'_'.join(words[:at])}/{metric}"
    if _is_one_metric(name):
        return None  # `sq_rel`
    # The metric first: `loss_seg`.
    for at in range(len(words) - 1, 0, -1):
        metric, rest = "_".join(words[:at]), words[at:]
        if (
            _is_metric(metric)
            and not any(
                (_is_metric(word) and not _may_be_task(word)) or word.lower() in NO_TASK or word[0].isdigit()
                for word in rest
            )
            and not _is_difference(metric, rest[0])
        ):
            return f"{'_'.join(rest)}/{metric}"
    return None


def _is_difference(metric: str, word: str) -> bool:
    """Whether a word behind a metric makes a difference of it: `acc_gap` is the accuracy of no task.

    An error may be that of a gap (`loss_gap` of molecules), and is none that fell (`error_reduction`).
    """
    facts = known_metric(metric)
    return word.lower() in (DIFFERENCES if facts is not None and facts.direction == "max" else CHANGES)


def _says_no_way(name: str) -> bool:
    """Whether the whole name is known, and not to say which way is better: `rewards/rejected`."""
    return _is_one_metric(name) and Name.parse(plain_text(name)).found[0].entry.direction is None


def _is_one_metric(name: str) -> bool:
    """Whether the words of a name are one spelling of the vocabulary, none of them a task."""
    parsed = Name.parse(plain_text(name))
    return len(parsed.found) == 1 and (parsed.found[0].start, parsed.found[0].end) == (0, len(parsed.words))


def _may_be_task(metric: str) -> bool:
    """Whether the word of a metric is one only where it stands alone, so that beside another it names the task."""
    return all(one.entry.weight == "whole" for one in Name.parse(plain_text(metric)).found)


def _is_metric(name: str) -> bool:
    """Whether the whole name is that of a known metric."""
    parsed = Name.parse(plain_text(name))
    whole = bool(parsed.found) and parsed.found[0].start == 0 and parsed.found[-1].end == len(parsed.words)
    return whole and known_metric(name) is not None
