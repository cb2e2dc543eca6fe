"""The arithmetic of an exchange: who takes whose network, and how the loss weights that come with it are changed."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from lcode.table import Metric


def mean_rank(values: NDArray[np.float64], metrics: Sequence[Metric]) -> NDArray[np.float64]:
    """Score without a baseline: minus the mean, over metrics, of each member's rank; higher is better, -1 the best.

    Whatever their units, all metrics count alike. Equal values share the mean of their ranks.

    Args:
        values: values in natural units, [N, K].
        metrics: the K metrics.

    Returns:
        Scores [N]; NaN for members without a finite value of every metric, which have no rank.
    """
    scores = np.full(len(values), np.nan)
    there = np.isfinite(values).all(1)
    oriented = values[there] * np.array([metric.sign for metric in metrics], dtype=float)
    better = (oriented[None] > oriented[:, None]).sum(1)
    equal = (oriented[None] == oriented[:, None]).sum(1)
    scores[there] = -(1 + better + (equal - 1) / 2).mean(1)
    return scores


def choose_parents(
    scores: NDArray[np.float64], quantile: float, generator: np.random.Generator
) -> list[tuple[int, int]]:
    """Truncation selection (Jaderberg et al. 2017, arXiv 1711.09846): the worst take over from one of the best each.

    As many as the quantile says, rounded up, but never more than half of the members, are the worst, and as many the
    best; of equal scores the earlier member is the better one. Members without a finite score are replaced whatever
    their number, and never copied; a member is copied only by one with a lower score.

    Args:
        scores: of N members, higher is better, [N].
        quantile: share of the members, above 0 and up to 0.5.
        generator: which of the best is drawn evenly.

    Returns:
        Pairs of a member and its parent, by increasing member; none where there is nobody to be copied.
    """
    finite = np.isfinite(scores)
    ranked = np.argsort(np.where(finite, -scores, np.inf), kind="stable")
    count = min(ceil(len(scores) * quantile), len(scores) // 2)
    best = [int(i) for i in ranked[:count] if finite[i]]
    worst = {int(i) for i in ranked[len(scores) - count :]} | {int(i) for i in np.flatnonzero(~finite)}
    pairs = []
    for member in sorted(worst):
        parents = [i for i in best if not finite[member] or scores[i] > scores[member]]
        if parents:
            pairs.append((member, parents[generator.integers(len(parents))]))
    return pairs


def perturb(weights: NDArray[np.float64], perturbation: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Loss weights near those of a parent: each is multiplied by 1 + or by 1 - the perturbation, at random.

    Then all are scaled to the old sum: their overall size is a learning rate, which is no part of the search. If all
    grew, or all shrank, nothing would change, so such draws are made again.

    Args:
        weights: not negative, [K].
        perturbation: above 0 and below 1.
        generator: decides which weights grow.
    """
    grows = np.zeros(len(weights), dtype=bool)
    while len(weights) > 1 and grows.all() == grows.any():
        grows = generator.random(len(weights)) < 0.5
    changed = weights * np.where(grows, 1 + perturbation, 1 - perturbation)
    total = changed.sum()
    return changed * (weights.sum() / total) if total > 0 else weights
