"""What is learned from and what is tested: the divisions of a source's runs.

In none of them has the shipped checkpoint seen a test run. It was pretrained on the training part (`split`) of the
multi-task corpus, but for the problems that are held out as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from lcode.errors import NotEnoughDataError, UsageError
from lcode.evaluation.backtest import MIN_TEST, MIN_TRAIN
from lcode.evaluation.bench.sources import Source, load_problem
from lcode.evaluation.splits import split_runs
from lcode.table import RunTable, pooled
from lcode.table.groups import configuration_groups

TRAIN_SHARE = 0.75
"""Share of the runs that are learned from, where nothing else divides them."""

DRAWN = 0.8
"""Share that a seed draws of a fixed part, so that seeds differ."""

ALL = "all"


@dataclass(frozen=True, eq=False)
class Division:
    """One division of a source's runs.

    Attributes:
        train: finished runs to learn from.
        test: whole runs to be judged on.
        related: finished runs of other problems with the same metrics.
    """

    train: RunTable
    test: RunTable
    related: tuple[RunTable, ...] = ()

    def reduced(self, runs: int, seed: int) -> Division:
        """The same with so many of the training runs: whole configurations in random order, the last one cut.

        The same seed makes each smaller choice a part of every larger one.
        """
        groups = configuration_groups(self.train)
        place = np.random.default_rng([seed, 1]).permutation(len(np.unique(groups)))
        chosen = np.sort(np.argsort(place[groups], kind="stable")[:runs])
        return replace(self, train=self.train.select(np.array(self.train.run_ids, dtype=object)[chosen]))


def by_run(source: Source, seed: int) -> Division:
    """A quarter of the runs is tested; runs of one configuration stay on one side."""
    problem = load_problem(source)
    if problem.pretrained_on:
        raise UsageError(
            "the shipped model was pretrained on some of these runs; by-config leaves those out of the test"
        )
    train, test = split_runs(problem.table, TRAIN_SHARE, seed)
    return Division(problem.table.select(train), problem.table.select(test))


def by_config(source: Source, seed: int) -> Division:
    """The multi-task corpus: four fifths of the train configurations, tested on four fifths of all the others."""
    table, splits = _with_splits(source)
    in_train = splits["split"] == "train"
    train, test = (table.select(splits.index[part]) for part in (in_train, ~in_train))
    return Division(_drawn(train, seed), _drawn(test, seed))


def by_arch(source: Source, seed: int) -> Division:
    """The multi-task corpus: architectures that were never seen, and four fifths of the runs on the others.

    Of the problems that the shipped checkpoint was pretrained on, no train configuration is tested.
    """
    table, splits = _with_splits(source)
    unseen = splits["arch_split"] == "test"
    tested = unseen & (splits["split"] != "train") if load_problem(source).pretrained_on else unseen
    return Division(_drawn(table.select(splits.index[~unseen]), seed), table.select(splits.index[tested]))


def siblings(source: Source, seed: int) -> Division:
    """As `by_run`, with the runs of the other benchmarks of the family that have the same metrics.

    No configuration of a test run occurs among them, whatever the architecture: TaskSet's tasks share theirs.
    """
    division = by_run(source, seed)
    others = [load_problem(other).table for other in source.family]
    related = [other for other in others if set(other.metrics) == set(division.test.metrics)]
    if not related:
        raise UsageError("no other benchmark of its family has the same metrics")
    return replace(division, related=tuple(_without_configurations(other, division.test) for other in related))


FEW_SHAPES = ("constant", "cosine")
"""Shapes of the learning rate that are learned from where others are tested, as their names begin."""


def by_schedule(source: Source, seed: int) -> Division:
    """Learned from runs whose rate is constant or a cosine, tested on all others: the names are in `schedule`."""
    problem = load_problem(source)
    if problem.pretrained_on:
        raise UsageError("the shipped model was pretrained on some of these runs")
    table = problem.table
    if "schedule" not in table.configs:
        raise UsageError("its configuration does not name the schedules; a column 'schedule' is needed")
    known = table.configs["schedule"].astype(str).str.startswith(FEW_SHAPES)
    return Division(table.select(table.runs.index[known]), table.select(table.runs.index[~known]))


PROTOCOLS: dict[str, Callable[[Source, int], Division]] = {
    "by-run": by_run,
    "by-config": by_config,
    "by-arch": by_arch,
    "siblings": siblings,
    "by-schedule": by_schedule,
}
"""Name -> division of a source by a seed."""


def default_protocol(source: Source) -> str:
    """`by-run`, or `by-config` where the shipped checkpoint was pretrained on the source."""
    return "by-config" if load_problem(source).pretrained_on else "by-run"


@lru_cache(maxsize=4)
def divide(source: Source, protocol: str, train: str, seed: int) -> Division:
    """The runs that are learned from (`all`, or so many of them) and tested.

    Raises:
        UsageError: the source has no room for this protocol or this many runs; the text says why.
        NotEnoughDataError: too few finished runs.
    """
    division = PROTOCOLS[protocol](source, seed)
    learned, tested = len(division.train), len(division.test)
    if learned < MIN_TRAIN or tested < MIN_TEST:
        needed = f"at least {MIN_TRAIN} and {MIN_TEST} are needed"
        raise NotEnoughDataError(f"{learned} finished runs to learn from and {tested} to test; {needed}")
    if train == ALL:
        return division
    if int(train) >= learned:
        raise UsageError(f"there are only {learned} runs to learn from, so {train} of them are no smaller case")
    return division.reduced(int(train), seed)


def _with_splits(source: Source) -> tuple[RunTable, pd.DataFrame]:
    problem = load_problem(source)
    if problem.splits is None:
        raise UsageError("it has no fixed splits; only the multi-task corpus has")
    return problem.table, problem.splits


def _drawn(table: RunTable, seed: int) -> RunTable:
    return table.select(split_runs(table, DRAWN, seed)[0])


def _without_configurations(table: RunTable, tested: RunTable) -> RunTable:
    """The runs whose hyper-parameters are not those of a tested run."""
    both = pooled(
        [replace(part, points=part.points.iloc[:0], signals=part.signals.iloc[:0]) for part in (tested, table)]
    )
    groups = configuration_groups(replace(both, runs=both.runs.assign(arch=None)))
    clean = ~np.isin(groups[len(tested) :], groups[: len(tested)])
    return table.select(np.array(table.run_ids, dtype=object)[clean])
