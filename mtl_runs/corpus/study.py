"""The stored corpus as arrays, problem by problem, and what its figures are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import kendalltau

from lcode.errors import UsageError
from lcode.table import split_key
from mtl_runs.corpus.stored import read_curves, read_runs
from mtl_runs.corpus.trivial import is_trivial, trivial_levels
from mtl_runs.problems import make_problem

EARLY = 0.2
"""Share of the horizon at which curves are looked at early."""

BLOWN_UP = 2.0
"""Where smaller is better, values beyond so many times the trivial level count as that: a few runs that blow up without
becoming infinite would be all of a mean."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Study:
    """The multi-task runs on one problem.

    Attributes:
        problem: its name.
        runs: their lines of `runs.parquet`, R of them, indexed by run.
        directions: metric key -> `min` or `max`, M of them.
        trivial: metric key -> its trivial level.
        early: values at 20 % of the horizon, at most `BLOWN_UP` trivial levels, [R, M]; NaN where the run had ended.
        final: values at the horizon, at most `BLOWN_UP` trivial levels, [R, M]; NaN where the run failed.
        references: references of Δm for the run's architecture, [R, M]; NaN where there is none.
        n_references: how many runs train one task alone.
    """

    problem: str
    runs: pd.DataFrame
    directions: Mapping[str, str]
    trivial: Mapping[str, float]
    early: Array
    final: Array
    references: Array
    n_references: int

    @cached_property
    def delta_m(self) -> Array:
        """Δm of each run's end in per cent, higher is better, [R]; NaN where the run failed."""
        return self._gain(self.final)

    @cached_property
    def early_delta_m(self) -> Array:
        """Δm at 20 % of the horizon, [R]."""
        return self._gain(self.early)

    def _gain(self, values: Array) -> Array:
        """Mean relative gain over the references in per cent over metrics, as `lcode.decisions` defines it."""
        signs = np.array([1.0 if direction == "max" else -1.0 for direction in self.directions.values()])
        usable = np.abs(self.references) > 1e-8
        with np.errstate(divide="ignore", invalid="ignore"):
            gain: Array = 100 * (signs * (values - self.references) / np.abs(self.references)).mean(-1)
        return np.where(usable.all(-1), gain, np.nan)

    @cached_property
    def trivial_tasks(self) -> Array:
        """In how many tasks each run ended at the trivial level, [R]; 0 for one that failed."""
        number = np.zeros(len(self.runs))
        for task in self.tasks:
            mine = [(k, key, way) for k, (key, way) in enumerate(self.directions.items()) if split_key(key)[0] == task]
            at_level = [is_trivial(self.final[:, k], self.trivial[key], way) for k, key, way in mine]
            number += np.all(at_level, axis=0)
        return number

    @property
    def blown_up(self) -> NDArray[np.bool_]:
        """Whether each run finished with a value beyond `BLOWN_UP` trivial levels, [R]."""
        most = [BLOWN_UP * self.trivial[key] if way == "min" else np.inf for key, way in self.directions.items()]
        beyond: NDArray[np.bool_] = self.final >= np.array(most)
        return np.any(beyond, axis=-1)

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks."""
        return list(dict.fromkeys(split_key(key)[0] for key in self.directions))

    @cached_property
    def seeds(self) -> list[NDArray[np.int64]]:
        """For each configuration with two or more finished seeds, its rows."""
        rows = np.flatnonzero(np.isfinite(self.final).all(-1))
        groups = pd.Series(rows).groupby(self.runs["configuration"].to_numpy()[rows], sort=False)
        return [members.to_numpy() for _, members in groups if len(members) > 1]

    def twins(self) -> NDArray[np.int64]:
        """The first two seeds of each of those configurations, [T, 2]."""
        return np.array([rows[:2] for rows in self.seeds], dtype=np.int64).reshape(-1, 2)


def read_studies(folder: Path) -> Iterator[Study]:
    """The problems of a stored corpus, in its order.

    Raises:
        DataNotFoundError: there is no corpus.
        UsageError: it has no multi-task run.
    """
    runs = read_runs(folder)
    ends: dict[str, dict[str, tuple[float, float]]] = {run: {} for run in runs.index}
    directions: dict[str, dict[str, str]] = {problem: {} for problem in runs["problem"].unique()}
    problem_of, horizon_of = runs["problem"].to_dict(), runs["horizon"].to_dict()
    for run, key, direction, values in read_curves(folder):
        if direction is not None:
            directions[problem_of[run]][key] = direction
            early, horizon = round(EARLY * horizon_of[run]), horizon_of[run]
            ends[run][key] = (
                float(values[early - 1]) if len(values) >= early else np.nan,
                float(values[-1]) if len(values) == horizon else np.nan,
            )
    multi = runs[~runs["single_task"]]
    if not len(multi):
        raise UsageError(f"the corpus in {folder} has no multi-task run yet")
    for problem, frame in multi.groupby("problem", sort=False):
        of = directions[str(problem)]
        best = runs[runs["baseline"] & (runs["problem"] == problem)]
        reference = {(arch, key): end for run, arch in best["arch"].items() for key, (_, end) in ends[str(run)].items()}
        trivial = trivial_levels(make_problem(str(problem)))
        most = np.array([BLOWN_UP * trivial[key] if way == "min" else np.inf for key, way in of.items()])
        values = np.minimum(np.array([[ends[run][key] for key in of] for run in frame.index]), most[:, None])
        yield Study(
            str(problem),
            frame,
            of,
            trivial,
            values[..., 0],
            values[..., 1],
            np.array([[reference.get((arch, key), np.nan) for key in of] for arch in frame["arch"]]),
            int((runs["single_task"] & (runs["problem"] == problem)).sum()),
        )


def tau(one: Array, other: Array) -> float:
    """Kendall τ over the pairs where both are known; NaN below five pairs."""
    known = np.isfinite(one) & np.isfinite(other)
    return float(kendalltau(one[known], other[known]).statistic) if known.sum() >= 5 else np.nan


def with_error(statistic: Callable[[Array, Array], float], one: Array, other: Array, draws: int = 100) -> str:
    """A statistic of pairs and its bootstrap standard error, as text."""
    value = statistic(one, other)
    if not np.isfinite(value):
        return "–"
    generator = np.random.default_rng(0)
    samples = generator.integers(len(one), size=(draws, len(one)))
    return f"{value:.2f} ± {np.nanstd([statistic(one[rows], other[rows]) for rows in samples]):.2f}"


def balancer_ranks(study: Study, rows: NDArray[np.bool_] | None = None, at_least: int = 3) -> pd.DataFrame:
    """How well each balancer does.

    Args:
        study: the runs.
        rows: which of them, [R]; None = all.
        at_least: balancers with fewer of these runs are left out.

    Returns:
        Indexed by balancer: `rank`, the mean place of its runs among these by Δm from 0 (worst; so are runs that
        failed) to 1 (best), and its standard error `error`.
    """
    chosen = np.ones(len(study.runs), dtype=bool) if rows is None else rows
    score = pd.Series(study.delta_m[chosen]).fillna(-np.inf)
    places = (score.rank() - 0.5) / len(score)
    groups = places.groupby(study.runs["config.balancer"].to_numpy()[chosen])
    frame = pd.DataFrame({"rank": groups.mean(), "error": groups.sem(), "n": groups.size()})
    return frame[frame["n"] >= at_least].sort_values("rank", ascending=False)[["rank", "error"]]
