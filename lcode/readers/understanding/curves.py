"""Which curves are scored and which only tell of the training: settled by their names, for all readers alike.

Where there are validation curves, those of the training are signals, and those of a test set are left out: to choose a
run by its test scores would spoil them. A name like `val/seg/miou` or `val_seg_miou` is that of `seg/miou`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from lcode.readers.choices import Choices
from lcode.readers.part import LogPart, stacked
from lcode.readers.understanding.classes_of_means import classes_of_means
from lcode.readers.understanding.column_words import words_of
from lcode.readers.understanding.curve_names import plain_curve, split_name, with_tasks, without_ratio
from lcode.readers.understanding.how_often import HowOften
from lcode.readers.understanding.layout import SIGNAL
from lcode.readers.understanding.learners import (
    FEWEST_EVALUATIONS,
    hardly_evaluated,
    is_reward,
    of_adversaries,
    of_learner,
    spreads,
)
from lcode.readers.understanding.spreads_beside import bounds_beside, spreads_beside
from lcode.table.balancing import tells_of_balancing
from lcode.table.metric import MAIN_TASK, Metric, split_key
from lcode.table.metric_names import known_metric
from lcode.table.metric_parse import Name

_NUMBERED_SET = re.compile(r"\b(validation|valid|eval)_(\d+)(?=[/_.\- ])")
"""How XGBoost and LightGBM call the sets that they measure on: `validation_0-rmse`, `valid_1's auc`."""

_RANKINGS = frozenset(("ndcg", "dcg", "hit", "hr @", "mrr"))
"""Measures of a ranking of all items, which no batch of a training has, so that they are an evaluation's."""

_LOSS = frozenset(("loss", "losses"))


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
    keys: Iterable[str],
    choices: Choices,
    stated: Collection[str] = (),
    often: HowOften | None = None,
    directed: Collection[str] = (),
) -> Curves:
    """What these curves are, by their names and by what the user says.

    Args:
        keys: names of the curves, as logged.
        choices: what the user says.
        stated: curves that the user named as metrics, by their full names: these are scored.
        often: how often they were logged, where a tool did it. A loss that is logged much more often than the scores is
            that of the training (detectron2 says so nowhere).
        directed: curves of which the log says which way is better, whatever their names.
    """
    keys = list(keys)
    curves = _as_chosen(keys, choices, stated)
    scored, signals, left_out = dict(curves.scored), dict(curves.signals), dict(curves.left_out)
    if choices.map is None:
        classes = [key for key in classes_of_means(scored) if key not in stated]
        for key in classes:
            del scored[key]
        split_of = _measured_on(scored, stated, often, directed)
        plain = {plain_curve(name) for key in keys for name in (key, split_name(key)[1])}
        validated = any(split == "val" and _is_measured(key, directed) for key, split in split_of.items())
        bounds, deviations = bounds_beside(keys), spreads_beside(keys)
        for key in list(scored):
            if key in stated:
                continue
            if _is_best(key, plain):
                left_out[key] = "best so far"
            elif key in bounds:
                left_out[key] = bounds[key]
            elif split_of[key] == "train":
                signals[key] = f"train/{key}" if scored[key] == key else key
            elif split_of[key] == "test" and validated:
                left_out[key] = "test set"
            elif key in deviations:
                signals[key] = scored[key]
            else:
                continue
            del scored[key]
        for key in classes:
            if validated and split_name(key)[0] == "test":
                left_out[key] = "test set"
            else:
                signals[key] = key
        tasked = with_tasks(scored) | {key: key for key in scored if key in stated}
        tasks = {split_key(name)[0] for name in tasked.values()}
        # Names stay as they are where nothing else is to be told from them.
        scored = tasked if signals or left_out or len(tasks) > 1 else {key: without_ratio(key) for key in scored}
    for key in list(scored):
        if not choices.wants(key, scored[key]):
            signals[key] = key
            del scored[key]
    if len({Metric(*split_key(name), "min").key for name in scored.values()}) < len(scored):  # two curves would be one
        scored = {key: key for key in scored}
    return Curves(scored, signals, left_out)


def _as_chosen(keys: Iterable[str], choices: Choices, stated: Collection[str]) -> Curves:
    """The curves by what the user says of each alone; names of those that may be scored are without their split."""
    scored: dict[str, str] = {}
    signals: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for key in keys:
        _, bare = split_name(key)
        if key in stated:
            scored[key] = key
        elif key.startswith(SIGNAL):
            signals[key] = key.removeprefix(SIGNAL)
        elif choices.ignores(key, bare):
            left_out[key] = "asked for"
        elif tells_of_balancing(key) and choices.map is None and not choices.only:
            signals[key] = key
        elif choices.map is None:
            scored[key] = bare
        elif (named := choices.mapped(key)) is not None:
            scored[key] = named
        else:
            signals[key] = key
    return Curves(scored, signals, left_out)


def _measured_on(
    names: Mapping[str, str],
    stated: Collection[str],
    often: HowOften | None,
    directed: Collection[str],
) -> dict[str, str]:
    """On which data each curve was measured: `val`, `test` or `train`; empty where that cannot be told.

    Curves of the training count as such only beside others: where there are none, they are what is to be scored.

    Args:
        names: key as logged -> name without its split.
        stated: see `settle_curves`.
        often: see `settle_curves`.
        directed: see `settle_curves`.
    """
    split_of = {key: "" if key in stated else split_name(key)[0] for key in names}
    split_of |= dict.fromkeys(_earlier_sets(key for key, split in split_of.items() if split == "val"), "train")
    split_of |= {key: split for key, split in _of_chainer(split_of).items() if key not in stated}
    split_of |= hardly_evaluated(split_of, often)
    measured = {split for key, split in split_of.items() if _is_measured(key, directed)}
    held_out = next((split for split in ("val", "test") if split in measured), None)
    if held_out is not None:
        # Keras: `loss` beside `val_loss` (others: `test_loss`) is that of the training.
        twins = {names[key].lower() for key, split in split_of.items() if split in ("val", "test")}
        # `Loss: 0.3, Test Acc: 91`: a loss of which nothing is said, beside scores of other data, is of the training.
        oftener = _oftener_than([key for key, split in split_of.items() if split == held_out], names, often)
        of_training = [
            key
            for key, split in split_of.items()
            if not split
            and key not in stated
            and (names[key].lower() in twins or key in oftener or not _LOSS.isdisjoint(words_of(key)))
        ]
    else:
        of_training = _beside_scores(split_of, stated, often)
        if not of_training and "train" not in split_of.values() and often is not None:
            of_training = _logged_often(names, often.values, stated)
        split_of = dict.fromkeys(names, "")
    opposed = of_adversaries(key for key in names if key not in stated)
    split_of |= dict.fromkeys(opposed, "train")
    rewarded = any(is_reward(key) for key in names)
    unsaid = [key for key, split in split_of.items() if not split]
    aside = [*(of_learner(unsaid) if rewarded else ()), *spreads(split_of)]
    return split_of | dict.fromkeys([*of_training, *(key for key in aside if key not in stated)], "train")


def _is_measured(key: str, directed: Collection[str]) -> bool:
    """Whether a curve can be scored at all: a clock of the validation is no validation."""
    return key in directed or known_metric(key) is not None


def _earlier_sets(keys: Iterable[str]) -> list[str]:
    """Of several numbered sets, those before the last: XGBoost and LightGBM are given the training's own data first."""
    numbered: dict[str, dict[int, list[str]]] = {}
    for key in keys:
        found = _NUMBERED_SET.search(key)
        if found is not None:
            numbered.setdefault(found[1], {}).setdefault(int(found[2]), []).append(key)
    return [key for sets in numbered.values() for at in sets if at < max(sets) for key in sets[at]]


def _of_chainer(split_of: Mapping[str, str]) -> dict[str, str]:
    """Chainer's curves: `main/loss` is that of the training where evaluators have a `TaskA/main/loss`, their own."""
    unsaid = [key for key, split in split_of.items() if not split]
    training = {bare: key for key in unsaid if "/" not in (bare := key.removeprefix("main/"))}
    evaluated = [key for key in unsaid if key.partition("/main/")[2] in training]
    return dict.fromkeys(training.values(), "train") | dict.fromkeys(evaluated, "val") if evaluated else {}


def _beside_scores(split_of: Mapping[str, str], stated: Collection[str], often: HowOften | None) -> list[str]:
    """The curves that are named as those of the training, and the losses, beside scores of which nothing is said.

    `train_loss` beside `HR@10` and `NDCG@10`: these come from an evaluation, so that a `loss` beside them is that of
    the training. So does the `loss` that is told as often as `train_loss`, for the training's own has a name already;
    nor is `age/loss` of it beside `age/acc`.
    """
    ranked = any(one.entry.name in _RANKINGS for key in split_of for one in Name.parse(key).found)
    if "train" not in split_of.values() and not ranked:
        return []
    twins = {split_name(key)[1].lower(): key for key, split in split_of.items() if split}
    counts = {} if often is None else often.values
    of_task = {task for key in split_of if (task := _scored_task(key, split_of[key]))}
    bare = {key: split_key(key)[1] if split_key(key)[0] in of_task else key for key in split_of}
    apart = {key: counts.get(key, 0) for key in split_of if bare[key].lower() in twins}
    same = {key for key, number in apart.items() if 1 < number == counts.get(twins[bare[key].lower()])}
    losses = {key for key in split_of if "loss" in words_of(key)} - same
    others = [key for key, split in split_of.items() if not split and (key.lower() not in twins or key in same)]
    scores = [key for key in others if key not in losses and known_metric(key)]
    return [key for key in split_of if key not in (*scores, *stated) and (split_of[key] or key in losses) and scores]


def _scored_task(key: str, split: str) -> str:
    """The task of a score of which nothing is said; empty where it is a loss, or has none."""
    task, bare = split_key(key)
    return task if task and not split and "loss" not in words_of(bare) and known_metric(bare) is not None else ""


def _oftener_than(
    held_out: Collection[str],
    keys: Iterable[str],
    often: HowOften | None,
) -> set[str]:
    """The curves that were logged at least twice as often as those of held-out data, in no more runs.

    A language model's perplexity is printed every 50 steps, that of the validation every 500, under another name.
    """
    if often is None or often.most_values(held_out) < FEWEST_EVALUATIONS:
        return set()
    most, runs = often.most_values(held_out), often.most_runs(held_out)
    return {key for key in keys if often.values.get(key, 0) >= 2 * most and often.runs.get(key, 0) <= runs}


def _logged_often(keys: Iterable[str], counts: Mapping[str, float], stated: Collection[str]) -> list[str]:
    """The losses that were logged at least twice as often as some scores, and the scores that were logged with them.

    Scores with one value in a run, such as that of the end, tell nothing. A score of the task that such a loss is of is
    kept where that task has no other: `seg_loss` and `seg_miou` of each epoch, `depth_abs_err` of every fifth.
    """
    keys = list(keys)
    task_of_key = {key: split_key(name)[0] for key, name in with_tasks({key: key for key in keys}).items()}
    losses = [key for key in keys if "loss" in Name.parse(key).words or "loss" in key.lower()]
    scores = [key for key in keys if key not in losses and known_metric(key) is not None]
    curves = [counts.get(key, 0) for key in scores if counts.get(key, 0) > 1]
    if not curves:
        return []
    often = {key for key in losses if counts.get(key, 0) >= 2 * min(curves)}
    with_them = {counts[key] for key in often if key in counts}
    evaluated = {task_of_key[key] for key in scores if counts.get(key, 0) > 1 and counts[key] not in with_them}
    alone = {task_of_key[key] for key in often} - evaluated - {MAIN_TASK}
    often |= {key for key in scores if counts.get(key) in with_them and task_of_key[key] not in alone}
    return [key for key in keys if key in often and key not in stated]


def _is_best(key: str, plain: Collection[tuple[str, str]]) -> bool:
    """Whether a curve is the best value so far of another one: `best_acc`, `min_top1_err`, `Best Val Loss`.

    Args:
        key: its name.
        plain: names of all curves, with and without the data that they were measured on, as `plain_curve` gives them.
    """
    without = re.sub(r"(?<![A-Za-z])(?:[Bb]est(?![a-z])|BEST(?![A-Za-z]))(?i:_so_far)?[_.\-/ ]*", "", key)
    if without == key:
        extreme = re.match(r"(min|max)_(.+)", key)
        facts = None if extreme is None else known_metric(extreme[2])
        if extreme is None or facts is None or facts.direction != extreme[1] or is_reward(extreme[2]):
            return False
        without = extreme[2]
    return plain_curve(without) in plain


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
    measured = _at_epochs_of(extra.assign(metric=named), points)
    return replace(part, points=points, metrics=metrics, signals=stacked([part.signals, measured]))


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
    return pd.Categorical(values, categories=pd.Index(list(dict.fromkeys(names)), dtype=object))
