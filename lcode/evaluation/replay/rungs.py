"""The field's rules that compare runs at rungs: successive halving, Hyperband, and all a little, then the best.

A run is at a rung of r epochs with its first report at or after epoch r, and counts there with its latest score; one
that has diverged is behind all others. Synchronous rules wait at a rung until everyone has come: workers then idle,
which costs time but no epochs, so that their number makes no difference to what is counted here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lcode.arguments import check_count
from lcode.evaluation.replay.protocol import Course

if TYPE_CHECKING:
    from lcode.evaluation.replay.sweep import RecordedSweep

Indices = NDArray[np.int64]


class Rungs:
    """What each run of a sweep has to show at each rung.

    Args:
        sweep: the R recorded runs.
        epochs: of the rungs, ascending.
    """

    def __init__(self, sweep: RecordedSweep, epochs: Sequence[float]) -> None:
        runs, unit = range(len(sweep.table)), sweep.table.epoch_unit
        places = [[sweep.reach(round(epoch / unit), run) for run in runs] for epoch in epochs]
        self._places: Indices = np.array(places, dtype=np.int64).reshape(len(epochs), len(runs))
        found = sweep.scores[runs, self._places]
        # A run that has diverged for good before the rung does not come to it.
        came = self._places < np.where(sweep.alive < sweep.lengths, sweep.alive - 1, sweep.lengths)
        self.scores = np.where(came & np.isfinite(found), found, -np.inf)
        self.reports: Indices = np.minimum(self._places + 1, sweep.alive)

    def best(self, runs: Sequence[int], rung: int, count: int) -> list[int]:
        """The best so many of these runs at a rung, in their order; of equal ones the earlier."""
        first = np.argsort(-self.scores[rung, list(runs)], kind="stable")[: max(count, 0)]
        return [runs[place] for place in sorted(first.tolist())]


def rung_epochs(first: float, eta: float, last: float) -> list[float]:
    """Epochs first, first·η, first·η² … before the last one."""
    epochs: list[float] = []
    while first < last:
        epochs.append(first)
        first *= eta
    return epochs


@dataclass(frozen=True)
class SuccessiveHalving:
    """All runs train to the first rung, the best 1/η of them to the next, and so on; the last ones to their ends.

    Jamieson & Talwalkar 2016 (arXiv 1502.07943), with the geometric rungs of Li et al. 2018 (JMLR 18, 185).

    Attributes:
        first: epoch of the first rung.
        eta: each rung is so many times farther, and so many times fewer runs come to it, ≥ 2.
        keep: at least so many runs are trained to the end.
    """

    first: int = 3
    eta: int = 3
    keep: int = 1

    def __post_init__(self) -> None:
        for name, least in (("first", 1), ("eta", 2), ("keep", 1)):
            check_count(name, getattr(self, name), least)

    def play(self, sweep: RecordedSweep, order: Sequence[int], workers: int) -> Course:
        """See `Rule`; the order decides between equal scores alone."""
        epochs = rung_epochs(self.first, self.eta, horizon_of(sweep))
        return Course(halved(sweep, order, Rungs(sweep, epochs), len(epochs), eta=self.eta, keep=self.keep))


@dataclass(frozen=True)
class BestAfter:
    """All runs train for some epochs, then the best of them to their end.

    Egele et al. 2023 ("Is one epoch all you need for multi-fidelity hyperparameter optimization?", arXiv 2307.15422)
    find it, with one epoch, as good as the rules with many rungs.

    Attributes:
        epochs: epochs that every run trains.
        keep: runs that are trained to the end.
    """

    epochs: int = 10
    keep: int = 3

    def __post_init__(self) -> None:
        for name in ("epochs", "keep"):
            check_count(name, getattr(self, name), 1)

    def play(self, sweep: RecordedSweep, order: Sequence[int], workers: int) -> Course:
        """See `Rule`; the order decides between equal scores alone."""
        return Course(halved(sweep, order, Rungs(sweep, [self.epochs]), 1, eta=len(order) + 1, keep=self.keep))


@dataclass(frozen=True)
class Hyperband:
    """Successive halving from several first rungs, for nobody knows how much the first epochs say.

    Li et al. 2018 (JMLR 18, 185), algorithm 1 with R = the horizon and η: bracket s begins at R·η^(-s) epochs, for s
    from the largest that begins at `first` epochs or later, down to 0, which trains every run to its end. A sweep of
    given runs deals them out to the brackets in the paper's sizes, again and again until none is left.

    Attributes:
        first: no bracket begins before this epoch.
        eta: see `SuccessiveHalving`.
    """

    first: int = 3
    eta: int = 3

    def __post_init__(self) -> None:
        for name, least in (("first", 1), ("eta", 2)):
            check_count(name, getattr(self, name), least)

    def sizes(self, horizon: float) -> list[int]:
        """Runs of each bracket, from s = s_max down to 0."""
        most = max(math.floor(math.log(max(horizon / self.first, 1), self.eta) + 1e-9), 0)
        return [math.ceil((most + 1) / (s + 1) * self.eta**s) for s in range(most, -1, -1)]

    def play(self, sweep: RecordedSweep, order: Sequence[int], workers: int) -> Course:
        """See `Rule`."""
        horizon = horizon_of(sweep)
        sizes = self.sizes(horizon)
        epochs = [horizon * self.eta**-s for s in range(len(sizes) - 1, 0, -1)]
        rungs, reports = Rungs(sweep, epochs), np.zeros(len(order), dtype=np.int64)
        for bracket, runs in _dealt(order, sizes):
            reports += halved(sweep, runs, rungs, len(epochs), eta=self.eta, keep=1, begin=bracket)
        return Course(reports)


def halved(
    sweep: RecordedSweep, runs: Sequence[int], rungs: Rungs, count: int, *, eta: int, keep: int, begin: int = 0
) -> Indices:
    """Reports of all runs of the sweep, [R], where these are halved at each of so many rungs; 0 for the others."""
    reports = np.zeros(len(sweep.table), dtype=np.int64)
    alive = list(runs)
    for rung in range(begin, count):
        reports[alive] = rungs.reports[rung, alive]
        alive = rungs.best(alive, rung, max(len(alive) // eta, keep))
    reports[alive] = sweep.alive[alive]
    return reports


def horizon_of(sweep: RecordedSweep) -> float:
    """The longest horizon of the sweep, in epochs."""
    return float(sweep.told(int(sweep.curves.horizons.max())))


def _dealt(order: Sequence[int], sizes: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    """Brackets and their runs: the next so many each, until none is left."""
    begin = 0
    while begin < len(order):
        for bracket, size in enumerate(sizes):
            if runs := order[begin : begin + size]:
                yield bracket, runs
            begin += size
