"""Correlations and intervals for a few clusters of data, and what a smaller search would have found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb, sqrt

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats


@dataclass(frozen=True)
class Interval:
    """An estimate and where it lies with 95 % confidence.

    Attributes:
        estimate: the value itself.
        low: lower end.
        high: upper end.
    """

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        return format(self, ".2f")

    def __format__(self, form: str) -> str:
        """The three numbers, each in this form with its sign, such as `.3f`."""
        number, low, high = (format(one, f"+{form or '.2f'}") for one in (self.estimate, self.low, self.high))
        return f"{number} [{low}, {high}]"


def mean_interval(values: ArrayLike) -> Interval:
    """Mean with Student's interval; without one (NaN) for a single value."""
    sample = np.asarray(values, dtype=float)
    mean, n = float(sample.mean()), len(sample)
    half = float(stats.t.ppf(0.975, n - 1) * sample.std(ddof=1) / sqrt(n)) if n > 1 else np.nan
    return Interval(mean, mean - half, mean + half)


def norm_ratio(tasks: pd.DataFrame, norms: str, *, weighted: bool) -> pd.Series:
    """Decimal logarithm of a task's gradient norm over the mean of the other tasks' norms in the same run.

    Args:
        tasks: one row per run and task, from `gap_table`.
        norms: column of the norms, `norm_early` or `norm`.
        weighted: whether norms are multiplied by the loss weights first: how hard a task really pulls.
    """
    pull = tasks[norms] * tasks["weight"] if weighted else tasks[norms]
    runs = pull.groupby(tasks["run"])
    others = (runs.transform("sum") - pull) / (runs.transform("size") - 1)
    return np.log10(pull / others)


def correlation(x: pd.Series, y: pd.Series, method: str) -> float:
    """Pearson's or Spearman's coefficient; NaN where one of the two does not vary."""
    # Thousands of draws ask for it: written out, as scipy's come with p-values that take most of the time.
    a, b = (stats.rankdata(values) if method == "spearman" else np.asarray(values, dtype=float) for values in (x, y))
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    return float(np.clip(a / np.linalg.norm(a) @ (b / np.linalg.norm(b)), -1, 1))


def partial_correlation(x: pd.Series, y: pd.Series, given: pd.DataFrame) -> float:
    """Spearman's coefficient of what is left of two columns' ranks when those of others are taken out by least squares.

    Args:
        x: one.
        y: the other.
        given: the columns to be taken out; none = Spearman's coefficient itself.

    Returns:
        -1..1; NaN where nothing is left of one of the two.
    """
    ones, *others = np.ones(len(x)), *(stats.rankdata(given[name]) for name in given)
    known = np.stack([ones, *(other - other.mean() for other in others)], 1)
    left = []
    for values in (x, y):
        ranks = stats.rankdata(values)
        rest = ranks - known @ np.linalg.lstsq(known, ranks, rcond=None)[0]
        # What rounding leaves is nothing.
        left.append(pd.Series(np.where(np.abs(rest) < 1e-9 * len(x), 0.0, rest)))
    one, other = left
    return correlation(one, other, "pearson")


def ranks_within(values: pd.Series, groups: pd.Series) -> pd.Series:
    """Ranks inside each group, from -1/2 to 1/2: groups of other scales and sizes can be pooled."""
    by = values.groupby(groups)
    return (by.rank() - 0.5) / by.transform("size") - 0.5


def bootstrap_interval(
    frame: pd.DataFrame,
    statistic: Callable[[pd.DataFrame], float],
    clusters: str,
    *,
    n_draws: int = 1000,
    seed: int = 0,
) -> Interval:
    """A statistic with its percentile interval, when whole clusters are drawn anew.

    Args:
        frame: the data.
        statistic: of such a frame; draws where it is NaN are left out.
        clusters: column that names what is drawn as a whole, because it is not independent inside.
        n_draws: how many.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    frame = frame.reset_index(drop=True)
    parts = list(frame.groupby(clusters, sort=True).indices.values())
    draws = [
        statistic(frame.take(np.concatenate([parts[i] for i in drawn])).reset_index(drop=True))
        for drawn in generator.integers(len(parts), size=(n_draws, len(parts)))
    ]
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return Interval(statistic(frame), float(low), float(high))


def permutation_p_value(
    frame: pd.DataFrame,
    statistic: Callable[[pd.DataFrame], float],
    shuffled: str,
    within: str,
    *,
    n_draws: int = 2000,
    seed: int = 0,
) -> float:
    """Two-sided: how often a column shuffled inside its groups gives a statistic at least as far from 0.

    Args:
        frame: the data.
        statistic: of such a frame, 0 for what is unrelated.
        shuffled: column whose values change places.
        within: column of the groups that they do not leave.
        n_draws: how many.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    places = [np.asarray(rows) for rows in frame.reset_index(drop=True).groupby(within).groups.values()]
    found, values = abs(statistic(frame)), frame[shuffled].to_numpy()
    as_far = 0
    for _ in range(n_draws):
        new = values.copy()
        for rows in places:
            new[rows] = values[generator.permutation(rows)]
        as_far += abs(statistic(frame.assign(**{shuffled: new}))) >= found - 1e-12
    return (1 + as_far) / (1 + n_draws)


def best_of(n: int, criterion: ArrayLike, score: ArrayLike) -> float:
    """Expected score of the one with the best criterion among n trials drawn without replacement.

    Args:
        n: size of the search, at most the number of trials.
        criterion: what is chosen by, higher is better.
        score: what is looked at afterwards.
    """
    order = np.argsort(-np.asarray(criterion, dtype=float), kind="stable")
    scores = np.asarray(score, dtype=float)[order]
    total = len(scores)
    # The best but i is chosen when it is drawn and the i better ones are not.
    chances = [comb(total - 1 - i, n - 1) / comb(total, n) for i in range(total)]
    return float(np.dot(chances, scores))
