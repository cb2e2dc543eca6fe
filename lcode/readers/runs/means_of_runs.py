"""What somebody has computed of repeats and keeps beside them: `mean.csv` beside `seed0.csv` and `seed1.csv`.

It is no training: ranked among the others it would be one of them, and a model that is fitted would see them twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.readers.part import LogPart, without_runs
from lcode.readers.understanding.column_words import words_of
from lcode.table.reading import listed

_Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_STATISTICS: dict[str, tuple[str, tuple[_Statistic, ...]]] = {
    word: (name, statistics)
    for words, name, statistics in (
        ("mean avg average averaged", "mean", (lambda values: values.mean(1),)),
        ("median", "median", (lambda values: np.median(values, 1),)),
        ("std stddev stdev sd", "deviation", (lambda values: values.std(1), lambda values: values.std(1, ddof=1))),
    )
    for word in words.split()
}
"""By a word in the name of a run: what it may be of the others, and how that is computed, over their axis 1."""

_FEWEST_RUNS, _MOST_RUNS, _FEWEST_VALUES = 2, 100, 3
"""Runs of which something was computed, and values that must be so; nobody repeats a training more often."""

_DECIMALS = 9
"""Decimals of a value that are looked at, to tell how it was rounded."""


def without_means(part: LogPart) -> tuple[LogPart, list[str]]:
    """The runs without those that are the mean, the median or the deviation of others in their folder, and a remark.

    They are known by their names and by their values: a network that takes a mean of its inputs is called so, too.
    """
    named = {run: word for run in part.sources if (word := _word(run)) is not None}
    found: dict[str, tuple[str, list[str]]] = {}
    for run, word in named.items():
        name, statistics = _STATISTICS[word]
        beside = [one for one in part.sources if part.sources[one].parent == part.sources[run].parent]
        beside = [one for one in beside if one not in named]
        stem = _stem(run, word)
        for others in ([one for one in beside if stem and _last(one).lower().startswith(stem)], beside):
            if _FEWEST_RUNS <= len(others) <= _MOST_RUNS and any(
                _is_of(part, run, word, others, one) for one in statistics
            ):
                found[run] = (name, others)
                break
    told = [f"'{run}', the {name} of {listed(others, 3)}" for run, (name, others) in found.items()]
    notes = [f"computed of other runs, so no runs of their own: {listed(told, 3)}."] if told else []
    return without_runs(part, found), notes


def _last(run: str) -> str:
    return PurePath(run).name


def _word(run: str) -> str | None:
    """The word in a run's name that says what it is of others."""
    return next((word for word in words_of(_last(run)) if word in _STATISTICS), None)


def _stem(run: str, word: str) -> str:
    """What the name of a run shares with those that it was computed of: `cagrad` of `cagrad_mean`."""
    return _last(run).lower().partition(word)[0].strip("_-. ")


def _is_of(part: LogPart, run: str, word: str, others: Sequence[str], statistic: _Statistic) -> bool:
    """Whether all values of a run, where the others have some, are what the statistic makes of theirs."""
    told = part.points[part.points["run"].isin([run, *others])]
    told = told.astype({"run": str, "metric": str}).dropna(subset=["value"])
    mine = told[told["run"] == run]
    theirs = told[told["run"] != run].pivot_table(index=["metric", "epoch"], columns="run", values="value").dropna()
    known = set(theirs.index.get_level_values("metric"))
    names = {name: bare for name in mine["metric"].unique() if (bare := _of_run(name, word, known)) is not None}
    mine = mine[mine["metric"].isin(list(names))]
    at = pd.MultiIndex.from_arrays([mine["metric"].map(names), mine["epoch"]], names=["metric", "epoch"])
    both = theirs.join(pd.Series(mine["value"].to_numpy(), index=at, name=""), how="inner")
    if len(both) < _FEWEST_VALUES or theirs.shape[1] < len(others):
        return False
    values, own = both.drop(columns="").to_numpy(float), both[""].to_numpy(float)
    rounded = 0.51 * (_unit(own) + _unit(values.ravel()))
    if (np.ptp(values, axis=1) > 4 * rounded).sum() < _FEWEST_VALUES:
        return False  # of runs that are as near as they were rounded anything is the mean
    return bool(np.allclose(own, statistic(values), rtol=1e-5, atol=rounded))


def _of_run(name: str, word: str, known: set[str]) -> str | None:
    """The curve of the others that a curve was computed of: its own name, or that without the word (`acc_mean`)."""
    bare = name.replace(word, "").strip("_-./ ")
    return next((one for one in (name, bare) if one in known), None)


def _unit(values: NDArray[np.float64]) -> float:
    """The last decimal to which values were rounded, as a number."""
    decimals = (at for at in range(_DECIMALS) if np.allclose(values, values.round(at), rtol=0, atol=1e-10))
    return 10.0 ** -next(decimals, _DECIMALS)
