"""Logs of reinforcement learning: what an agent earns is to be scored, what its learner says of itself is not."""

from __future__ import annotations

from collections.abc import Mapping

from lcode.readers.understanding.column_words import words_of
from lcode.table.metric_names import known_metric

FEWEST_EVALUATIONS = 3
"""Evaluations of a run that it takes to tell a curve: two may be those of its beginning and its end."""

_REWARDS = frozenset(("reward", "rewards", "rew", "return", "returns", "ret", "eprew", "eprewmean", "epret"))

_LEARNER = frozenset(
    [
        *("loss", "losses", "kl", "kld", "entropy", "td", "explained", "rms"),
        *("critic", "actor", "policy", "qf", "vf", "q1", "q2", "qvalue", "qvals", "advantage"),
    ]
)
"""Words for how well a learner fits its targets, and for what it makes of its inputs (a running mean: `obs_rms`)."""


def is_reward(key: str) -> bool:
    """Whether a curve is what an agent earns."""
    facts = known_metric(key)
    return facts is not None and facts.direction == "max" and not _REWARDS.isdisjoint(words_of(key))


def is_of_learner(key: str) -> bool:
    """Whether a curve, beside a reward, tells of the learner alone."""
    return not is_reward(key) and not _LEARNER.isdisjoint(words_of(key))


def hardly_evaluated(
    split_of: Mapping[str, str], counts: Mapping[str, float] | None, spread: Mapping[str, int] | None
) -> dict[str, str]:
    """What an agent earns while it learns, as what is to be scored, where it was evaluated apart seldom or not always.

    Args:
        split_of: on which data each curve was measured, by its name.
        counts: how many values each curve has in a run; None: not known.
        spread: in how many runs each has one, likewise.

    Returns:
        The split of the curves for which that changes it.
    """
    rollouts = [key for key, split in split_of.items() if split == "train" and "rollout" in words_of(key)]
    apart = [key for key, split in split_of.items() if split == "val"]
    if not rollouts or not apart or counts is None or spread is None:
        return {}
    runs = max(spread.get(key, 0) for key in apart)
    often = max(counts.get(key, 0) for key in apart) >= FEWEST_EVALUATIONS
    if often and runs >= max(spread.get(key, 0) for key in rollouts):
        return {}
    return dict.fromkeys(rollouts, "val") | dict.fromkeys(apart, "train")
