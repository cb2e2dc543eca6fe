"""Which curves are scored and which only tell of the training: settled by their names, for all readers alike.

Where there are validation curves, those of the training are signals, and those of a test set are left out: to choose a
run by its test scores would spoil them. A name like `val/seg/miou` or `val_seg_miou` is that of `seg/miou`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from lcode.readers.choices import Choices
from lcode.readers.layout import SIGNAL
from lcode.readers.part import LogPart
from lcode.table.balancing import tells_of_balancing
from lcode.table.metric import MAIN_TASK, Metric, split_key
from lcode.table.metric_names import known_metric
from lcode.table.metric_parse import Name
from lcode.table.table import empty_points

_SPLITS = {
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev", "holdout"), "val"),
    **dict.fromkeys(("train", "training", "trn", "tr", "rollout"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Words that say on which data a curve was measured."""

_SPACES = ("metrics", "metric", "scores", "results", "summary", "charts", "eval_metrics", "evaluators")
"""First parts of a name that say nothing."""

_NO_TASK = frozenset(
    [
        "top",
        "mean",
        "avg",
        "average",
        "best",
        "micro",
        "macro",
        "weighted",
        "balanced",
        "binary",
        "ema",
        "running",
        "total",
        "overall",
        "max",
        "min",
        "per",
        "class",
        "k",
        "final",
        "last",
        "smoothed",
        "val",
        "train",
        "test",
        "eval",
    ]
)
"""Words before a metric that are part of it."""

_OF_ANY_TASK = ("loss", "reward", "return", "cost")
"""What each task has: the word before it names the task, unless it names the measure (`mse_loss`)."""

_EDGE = re.compile(r"^([A-Za-z]+?)(?:[_.\- ]+|(?<=[a-z])(?=[A-Z]))(.+)$")
_END = re.compile(r"^(.+?)(?:[_.\- ]+)([A-Za-z]+)$")


@dataclass(frozen=True)
class Curves:
    """What the curves of a log are.

    Attributes:
        scored: key as logged -> key as scored.
        signals: key as logged -> key of the signal.
        left_out: key as logged -> why it is not read.
    """

    scored: Mapping[str, str]
    signals: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


def settle_curves(
    keys: Iterable[str], choices: Choices, stated: Collection[str] = (), counts: Mapping[str, int] | None = None
) -> Curves:
    """What these curves are, by their names and by what the user says.

    Args:
        keys: names of the curves, as logged.
        choices: what the user says.
        stated: curves that the user named as metrics, by their full names: these are scored.
        counts: how many values each curve has, where a tool logged them. A loss that is logged much more often than
            the scores is that of the training (detectron2 says so nowhere).
    """
    scored: dict[str, str] = {}
    signals: dict[str, str] = {}
    left_out: dict[str, str] = {}
    split_of: dict[str, str] = {}
    bare: dict[str, str] = {}
    keys = list(keys)
    for key in keys:
        split_of[key], bare[key] = split_name(key)
        if key in stated:
            scored[key], split_of[key], bare[key] = key, "", key
        elif key.startswith(SIGNAL):
            signals[key] = key.removeprefix(SIGNAL)
        elif choices.ignores(key, bare[key]):
            left_out[key] = "asked for"
        elif tells_of_balancing(key) and choices.map is None and not choices.only:
            signals[key] = key
        elif choices.map is not None:
            named = choices.mapped(key)
            if named is None:
                signals[key] = key
            else:
                scored[key] = named
        else:
            scored[key] = bare[key]
    if choices.map is None:
        there = {split_of[key] for key in scored}
        validated = "val" in there
        twins = {bare[key] for key in scored if split_of[key] == ("val" if validated else "test")}
        for key in scored:  # Keras: `loss` beside `val_loss` (others: `test_loss`) is that of the training
            if not split_of[key] and bare[key] in twins and key not in stated:
                split_of[key] = "train"
        if counts is not None and there == {""}:
            split_of |= dict.fromkeys(_of_training(scored, counts, stated), "train")
            there |= {"test"} if "train" in split_of.values() else set()
        for key in list(scored):
            if _is_best(key, keys):
                left_out[key] = "best so far"
            elif (validated or "test" in there) and split_of[key] == "train":
                signals[key] = f"train/{key}" if bare[key] == key else key
            elif validated and split_of[key] == "test":
                left_out[key] = "test set"
            else:
                continue
            del scored[key]
        tasked = _with_tasks(scored)
        tasks = {split_key(name)[0] for name in tasked.values()}
        # Names stay as they are where nothing else is to be told from them.
        scored = tasked if signals or left_out or len(tasks) > 1 else {key: key for key in scored}
    for key in list(scored):
        if not choices.wants(key, scored[key]):
            signals[key] = key
            del scored[key]
    if len(set(scored.values())) < len(scored):  # two curves would be one
        scored = {key: key for key in scored}
    return Curves(scored, signals, left_out)


def _is_best(key: str, keys: Collection[str]) -> bool:
    """Whether a curve is the best value so far of another one."""
    plain = {re.sub(r"(?i)[_.\-/ ]+", "/", other) for other in keys if other != key}
    without = re.sub(r"(?i)(?<![a-z])best(?![a-z])(_so_far)?[_.\-/ ]*", "", key)
    return without != key and re.sub(r"(?i)[_.\-/ ]+", "/", without).strip("/") in plain


def _of_training(keys: Iterable[str], counts: Mapping[str, int], stated: Collection[str]) -> list[str]:
    """The losses that were logged at least twice as often as the scores."""
    losses = [key for key in keys if "loss" in Name.parse(key).words or "loss" in key.lower()]
    scores = [counts.get(key, 0) for key in keys if key not in losses and known_metric(key) is not None]
    if not scores:
        return []
    return [key for key in losses if key not in stated and counts.get(key, 0) >= 2 * max(scores)]


def split_name(key: str) -> tuple[str, str]:
    """On which data a curve was measured, empty where its name does not say it, and its name without that."""
    parts = key.split("/")
    if len(parts) > 1 and parts[0].lower() in _SPACES:
        parts = parts[1:]
    for at, part in enumerate(parts):
        word = _SPLITS.get(part.strip().lower())
        if word is not None and len(parts) > 1:
            others = [*parts[:at], *parts[at + 1 :]]
            return word, "/".join(others[1:] if others[0] == MAIN_TASK and len(others) > 1 else others)
    for at, part in enumerate(parts):
        for pattern, which in ((_EDGE, 0), (_END, 1)):
            found = pattern.match(part)
            word = None if found is None else _SPLITS.get(found.groups()[which].lower())
            if found is not None and word is not None:
                rest = found.groups()[1 - which]
                return word, "/".join([*parts[:at], rest[0].lower() + rest[1:], *parts[at + 1 :]])
    return "", "/".join(parts)


def _with_tasks(scored: dict[str, str]) -> dict[str, str]:
    """Names such as `seg_acc` and `depth_rmse` as those of tasks, where at least two tasks are named so."""
    first = {name.partition("/")[0] for name in scored.values() if "/" in name}
    if len(first) == 1 and all(name.count("/") == 1 for name in scored.values()):
        # One prefix of all says nothing of the tasks.
        inner = _with_tasks({key: name.partition("/")[2] for key, name in scored.items()})
        if len({split_key(name)[0] for name in inner.values()}) > 1:
            return inner
    turned = _turned(scored)
    named = {key: _task(name) for key, name in scored.items() if "/" not in name} | turned
    tasks = {split_key(name)[0] for name in named.values() if name is not None}
    if len(tasks) < 2:
        named = {}
    return {key: named.get(key) or (name if "/" in name else _plain(key, name)) for key, name in scored.items()}


def _turned(scored: Mapping[str, str]) -> dict[str, str | None]:
    """Names with the metric before the task, `loss/seg` and `loss/depth`, turned round: `seg/loss`, `depth/loss`."""
    found: dict[str, dict[str, str]] = {}
    for key, name in scored.items():
        metric, slash, task = name.partition("/")
        if slash and "/" not in task and _is_metric(metric) and not _is_metric(task) and task.lower() not in _NO_TASK:
            found.setdefault(metric, {})[key] = task
    return {
        key: f"{task}/{metric}"
        for metric, tasks in found.items()
        if len(set(tasks.values())) > 1 and any(known_metric(scored[key]) is None for key in tasks)
        for key, task in tasks.items()
    }


def _plain(key: str, name: str) -> str:
    """A bare name of the main task: as it was logged, unless a part of its key said on which data."""
    return name if "/" in key else key


def _task(name: str) -> str | None:
    """`seg_acc` as `seg/acc`; None where what stands before the metric is no task."""
    words = [word for word in re.split(r"[_.\- ]+", name) if word]
    for at in range(len(words) - 1, 0, -1):
        metric, before = "_".join(words[at:]), words[at - 1]
        if not _is_metric(metric):
            continue
        if _is_metric(f"{before}_{metric}") and (
            metric.lower() not in _OF_ANY_TASK or known_metric(before) is not None
        ):
            continue  # `abs_err` is one metric
        if all(word.lower() in _NO_TASK or word.isdigit() or word.lower().startswith("top") for word in words[:at]):
            return None
        return f"{'_'.join(words[:at])}/{metric}"
    # The metric first: `loss_seg`.
    for at in range(len(words) - 1, 0, -1):
        metric, rest = "_".join(words[:at]), words[at:]
        if _is_metric(metric) and not any(
            _is_metric(word) or word.lower() in _NO_TASK or word[0].isdigit() for word in rest
        ):
            return f"{'_'.join(rest)}/{metric}"
    return None


def _is_metric(name: str) -> bool:
    """Whether the whole name is that of a known metric."""
    found = Name.parse(name).found
    whole = bool(found) and found[0].start == 0 and found[-1].end == len(Name.parse(name).words)
    return whole and known_metric(name) is not None


def as_understood(part: LogPart, curves: Curves) -> LogPart:
    """The part with its curves named as they are scored, the others among the signals."""
    names = {key: Metric(*split_key(new), "min").key for key, new in curves.scored.items()}
    if names == {key: key for key in part.metrics} and not curves.signals:
        return part
    part = replace(part, by_tools=frozenset(names[key] for key in part.by_tools if key in names))
    logged = part.points["metric"].astype(object)
    scored = part.points[logged.isin(list(names))]
    points = scored.assign(metric=_categories(logged[scored.index].map(names), [*names.values()]))
    metrics = {new: part.metrics[key] for key, new in names.items()}
    if not curves.signals:
        return replace(part, points=points, metrics=metrics)
    extra = part.points[logged.isin(list(curves.signals))]
    named = logged[extra.index].map({key: _signal(name) for key, name in curves.signals.items()})
    signals = [frame for frame in (part.signals, _at_epochs_of(extra.assign(metric=named), points)) if len(frame)]
    return replace(part, points=points, metrics=metrics, signals=_stacked(signals))


def _signal(name: str) -> str:
    task, bare = split_key(name)
    return f"{task or MAIN_TASK}/{bare}"


def _at_epochs_of(signals: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """The signals' last values at or before the epochs at which the run was scored; others are dropped."""
    if not len(signals) or not len(points):
        return signals.iloc[:0]
    runs = points["run"].cat.categories
    scored = points[["run", "epoch"]].astype({"run": object}).drop_duplicates()
    known = signals.astype({"run": object, "metric": object}).dropna(subset=["value"])
    pairs = known[["run", "metric"]].drop_duplicates().merge(scored, on="run").sort_values("epoch", kind="stable")
    known = known.sort_values("epoch", kind="stable").rename(columns={"epoch": "at"})
    joined = pd.merge_asof(pairs, known, left_on="epoch", right_on="at", by=["run", "metric"])
    # A value counts once, at the first scored epoch from it on.
    joined = joined.dropna(subset=["value"]).drop_duplicates(["run", "metric", "at"])
    return joined[["run", "epoch", "metric", "value"]].assign(
        run=_categories(joined["run"], runs), metric=_categories(joined["metric"], joined["metric"].unique())
    )


def _categories(values: pd.Series, names: Iterable[str]) -> pd.Categorical:
    return pd.Categorical(values, categories=pd.Index(list(names), dtype=object))


def _stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    if not frames:
        return empty_points()
    stacked = {
        name: pd.api.types.union_categoricals(
            [_categories(f[name].astype(object), f[name].cat.categories) for f in frames]
        )
        for name in ("run", "metric")
    }
    plain = {name: np.concatenate([f[name].to_numpy() for f in frames]) for name in ("epoch", "value")}
    return pd.DataFrame({**stacked, **plain})
