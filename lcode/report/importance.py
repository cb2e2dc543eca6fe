"""Which settings go with good scores: one association per setting, with its number of runs and an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from lcode.decisions import Ranking
from lcode.show import is_missing, plain
from lcode.table import RunTable

LEAST_RUNS = 10
"""With fewer runs the interval of a rank correlation spans most of -1 to 1, and nothing is said."""

LEAST_PER_VALUE, MOST_VALUES, LEAST_NUMBERS = 3, 8, 5
"""A value of a setting needs so many runs for a mean with an interval; more values than this are not listed; a number
with fewer different values is treated as a choice between them."""

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Level:
    """Runs that share a value of a setting: their number, and the mean of their scores with its interval."""

    value: str
    runs: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Setting:
    """How a setting goes with the score.

    Attributes:
        name: of the setting.
        runs: runs that have both.
        strength: for sorting, 0 to 1: |ρ|, or the root of the share of variance that lies between the values, corrected
            for their number.
        rho: Spearman's rank correlation of a number with the score; None for a choice.
        low: lower end of its 95 % interval.
        high: upper end.
        levels: of a choice: the values, best first; empty for a number.
    """

    name: str
    runs: int
    strength: float
    rho: float | None = None
    low: float = math.nan
    high: float = math.nan
    levels: tuple[Level, ...] = ()


def setting_importance(table: RunTable, ranking: Ranking) -> list[Setting]:
    """Settings whose association with the (forecast or true) score can be told, strongest first.

    Each is looked at alone: what varies together cannot be told apart so, and nothing here is a cause. Settings of
    fewer than `LEAST_RUNS` runs, or with a value of their own for almost every run, are left out.
    """
    scores = pd.Series(ranking.score, index=pd.Index(ranking.runs, dtype=object)).reindex(list(table.run_ids))
    found = []
    for name in table.configs:
        values = table.configs[name]
        known = scores.notna().to_numpy() & np.array([not is_missing(value) for value in values], dtype=bool)
        if known.sum() < LEAST_RUNS or scores[known].nunique() < 2:
            continue
        better = 1 if ranking.objective.direction == "max" else -1
        setting = _setting(str(name), values[known].tolist(), scores[known].to_numpy(float), better)
        if setting is not None:
            found.append(setting)
    return sorted(found, key=lambda setting: -setting.strength)


def _setting(name: str, values: list[object], scores: NDArray[np.float64], better: int = 1) -> Setting | None:
    """How one setting goes with scores, of which larger ones (+1) or smaller ones (-1) are better."""
    numbers = all(isinstance(value, Real) and not isinstance(value, bool) for value in values)
    texts = [plain(value) for value in values]
    if numbers and len(set(texts)) >= LEAST_NUMBERS:
        rho = float(stats.spearmanr(values, better * scores).statistic)
        # Fisher's transformation with the variance of a rank correlation (Bonett and Wright 2000, eq. 3).
        error = stats.norm.ppf(0.5 + CONFIDENCE / 2) * math.sqrt((1 + rho**2 / 2) / (len(scores) - 3))
        middle = math.atanh(min(max(rho, -0.999999), 0.999999))
        return Setting(
            name, len(scores), abs(rho), rho=rho, low=math.tanh(middle - error), high=math.tanh(middle + error)
        )
    groups = {text: scores[[other == text for other in texts]] for text in dict.fromkeys(texts)}
    groups = {text: group for text, group in groups.items() if len(group) >= LEAST_PER_VALUE}
    if not 2 <= len(groups) <= MOST_VALUES:
        return None
    levels = tuple(
        sorted((_level(text, group) for text, group in groups.items()), key=lambda level: -better * level.mean)
    )
    return Setting(name, sum(level.runs for level in levels), _between(list(groups.values())), levels=levels)


def _level(value: str, scores: NDArray[np.float64]) -> Level:
    mean = float(scores.mean())
    quantile = float(stats.t.ppf(0.5 + CONFIDENCE / 2, len(scores) - 1))
    half = quantile * float(scores.std(ddof=1)) / math.sqrt(len(scores))
    return Level(value, len(scores), mean, mean - half, mean + half)


def _between(groups: list[NDArray[np.float64]]) -> float:
    """Root of ε², the share of the variance between groups without what chance alone gives (Kelley 1935)."""
    everything = np.concatenate(groups)
    total = float(((everything - everything.mean()) ** 2).sum())
    inside = float(sum(((group - group.mean()) ** 2).sum() for group in groups))
    n, k = len(everything), len(groups)
    if total == 0 or n <= k:
        return 0.0
    return math.sqrt(max(0.0, 1 - (inside / total) * (n - 1) / (n - k)))
