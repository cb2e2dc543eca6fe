"""What learners say of themselves, beside which something else is to be scored.

An agent is scored by what it earns, a generator by what it makes, and a network by its task: losses of the learner, of
two that work against each other, and of heads that only help the training tell of no result.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from lcode.readers.understanding.column_words import why_left_out, words_of
from lcode.readers.understanding.curve_names import split_name
from lcode.readers.understanding.how_often import HowOften
from lcode.readers.understanding.rates import is_rate
from lcode.table.metric_names import known_metric

FEWEST_EVALUATIONS = 3
"""Evaluations of a run that it takes to tell a curve: two may be those of its beginning and its end."""

_REWARDS = frozenset(("reward", "rewards", "rew", "return", "returns", "ret", "eprew", "eprewmean", "epret"))

_LEARNER = frozenset(
    [
        *("loss", "losses", "kl", "kld", "entropy", "td", "explained", "rms"),
        *("critic", "actor", "policy", "qf", "vf", "q1", "q2", "qvalue", "qvals", "advantage"),
        *("discriminator", "expert", "generator", "agent", "novelty", "curiosity"),
    ]
)
"""Words for how well a learner fits its targets, for what it makes of its inputs (a running mean: `obs_rms`), and for
what it explores by."""

_OPPOSED = frozenset(
    [
        *("d", "g", "dis", "disc", "gen", "discriminator", "generator", "critic", "adv", "adversarial", "gan"),
        *("aux", "auxiliary", "surrogate"),
    ]
)
"""Words for whose loss it is, or that it only helps the training."""

_MAKERS = frozenset(("g", "gen", "generator"))

_TOLD_APART = frozenset(("acc", "accuracy"))
"""Beside these, an accuracy is that of what it learns to tell apart, such as the expert's steps from its own."""

_MEAN = frozenset(("mean", "avg", "average"))
_EXTREME = frozenset(("min", "max", "minimum", "maximum", "median", "std"))


def is_reward(key: str) -> bool:
    """Whether a curve is what an agent earns."""
    facts = known_metric(key)
    return facts is not None and facts.direction == "max" and not _REWARDS.isdisjoint(words_of(key))


def of_learner(keys: Collection[str]) -> list[str]:
    """The curves that, beside a reward, tell of the learner alone."""
    others = [key for key in keys if not is_reward(key)]
    found = [key for key in others if not _LEARNER.isdisjoint(words_of(key))]
    return found + [key for key in others if found and key not in found and not _TOLD_APART.isdisjoint(words_of(key))]


def of_adversaries(keys: Iterable[str]) -> list[str]:
    """The losses of networks that work against each other, and of what only helps, beside a metric that is no loss."""
    keys = list(keys)
    found = [key for key in keys if not _OPPOSED.isdisjoint(words := words_of(key)) and "loss" in words]
    others = [key for key in keys if "loss" not in words_of(key) and not is_rate(key) and why_left_out(key) is None]
    if any(not _MAKERS.isdisjoint(words_of(key)) for key in found):  # what is told apart is real or made
        others = [key for key in others if _TOLD_APART.isdisjoint(words_of(key)) or split_name(key)[0]]
    return found if any(known_metric(key) is not None for key in others) else []


def spreads(keys: Collection[str]) -> list[str]:
    """The smallest, the largest and the median reward of several episodes, beside their mean."""
    named = {key: words_of(key) for key in keys if is_reward(key)}
    means = {tuple(sorted(set(words) - _MEAN)) for words in named.values() if not _MEAN.isdisjoint(words)}
    return [
        key
        for key, words in named.items()
        if not _EXTREME.isdisjoint(words) and tuple(sorted(set(words) - _EXTREME)) in means
    ]


def hardly_evaluated(split_of: Mapping[str, str], often: HowOften | None) -> dict[str, str]:
    """What an agent earns while it learns, as what is to be scored, where it was evaluated apart seldom or not always.

    Args:
        split_of: on which data each curve was measured, by its name.
        often: how often each curve was logged; None: not known.

    Returns:
        The split of the curves for which that changes it.
    """
    rollouts = [key for key, split in split_of.items() if split == "train" and "rollout" in words_of(key)]
    apart = [key for key, split in split_of.items() if split == "val"]
    if not rollouts or not apart or often is None:
        return {}
    if often.most_values(apart) >= FEWEST_EVALUATIONS and often.most_runs(apart) >= often.most_runs(rollouts):
        return {}
    return dict.fromkeys(rollouts, "val") | dict.fromkeys(apart, "train")
