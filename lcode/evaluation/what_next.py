"""How soon a good configuration is found by what is trained next: recorded runs trained again, paused and gone on with.

`python -m lcode.evaluation.what_next lcbench/airlines lcbench/phoneme` prints, per source and for each way to choose,
the epochs until one of the best 5 % of a pool of configurations has been trained to its end, and until the best has.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lcode.decisions import final_values
from lcode.decisions.price import price
from lcode.errors import UsageError
from lcode.forecast import LEVELS
from lcode.forecasters.base import Forecaster
from lcode.table import RunTable

SAMPLES = 256
"""Levels of each forecast that its price is counted on."""

TOP = 0.05
"""A good configuration is one of this share of the pool."""


class Found(NamedTuple):
    """Epochs trained, all runs together, until a good configuration had come to its end, and until the best had."""

    good: int
    best: int


@dataclass(eq=False)
class RecordedPool:
    """R finished runs of one metric as a pool of configurations, none begun; H epochs each, an evaluation per epoch.

    Attributes:
        scores: at every epoch, higher is better, [R, H]; the last is the final one.
        ends: samples of the final score as forecast after 0 … H − 1 epochs, ascending, [H, R, n].
        persistence: of the forecasts.
        best_known: the best score of other configurations that are known; −∞ if there are none.
    """

    scores: NDArray[np.float64]
    ends: NDArray[np.float64]
    persistence: float
    best_known: float
    _prices: dict[tuple[int, int, float], tuple[float, int]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, runs: RunTable, model: Forecaster, *, history: RunTable | None = None) -> RecordedPool:
        """Forecast every run after every number of epochs, by a model that has not seen it.

        Args:
            runs: finished runs of one metric, with a value at each of the epochs 1 … H.
            model: the forecaster; it learns no more.
            history: finished runs that are known.

        Raises:
            UsageError: several metrics, runs of different lengths, or a forecaster that needs an epoch.
        """
        (metric, *more) = runs.metrics
        values = [runs.curve(run, metric.key).values for run in runs.run_ids]
        if more or len({len(curve) for curve in values}) > 1:
            raise UsageError("a pool has one metric, and as many epochs in every run")
        ends, persistence = [], 0.0
        for seen in range(len(values[0])):
            forecast = model.predict(runs.prefix(seen)).final()
            persistence = forecast.persistence
            levels = (np.arange(SAMPLES) + 0.5) / SAMPLES
            ends.append(np.stack([np.interp(levels, LEVELS, run) for run in forecast.quantiles[:, 0, 0]]) * metric.sign)
        if not np.isfinite(ends).all():
            raise UsageError(f"the forecaster {model.name} does not forecast every run from its configuration alone")
        known = -np.inf if history is None else float(np.nanmax(final_values(history)[:, 0] * metric.sign))
        return cls(np.stack(values) * metric.sign, np.sort(np.stack(ends), axis=-1), persistence, known)

    def price(self, run: int, seen: int, best: float) -> tuple[float, int]:
        """Of training a run on that has been seen up to here; see `lcode.decisions.price`."""
        key = (run, seen, best)
        if key not in self._prices:
            self._prices[key] = price(self.ends[seen, run], best, self.scores.shape[1] - seen, self.persistence)
        return self._prices[key]


def by_price(pool: RecordedPool, seed: int = 0) -> Found:
    """Train what is dearest, for as long as its price says, as `lcode suggest` has it; ties in random order.

    Where nothing is worth training any more, the run that may still end highest is trained to its end.
    """
    runs, epochs = pool.scores.shape
    count, best = _Count(pool), pool.best_known
    open_ = np.random.default_rng(seed).permutation(runs).tolist()
    if not np.isfinite(best):
        best = float(np.median(pool.ends[0]))
    while count.best is None:
        worth, look, run = max(
            ((*pool.price(run, count.seen[run], best), run) for run in open_), key=lambda one: one[0]
        )
        if worth <= 0:
            run = max(open_, key=lambda one: pool.ends[count.seen[one], one, -1])
            look = epochs
        if count.train(run, look):
            best = max(best, float(pool.scores[run, -1]))
            open_.remove(run)
    return count.found


def in_random_order(pool: RecordedPool, seed: int = 0) -> Found:
    """Train one after the other to its end."""
    count = _Count(pool)
    for run in np.random.default_rng(seed).permutation(len(pool.scores)).tolist():
        count.train(run, pool.scores.shape[1])
        if count.best is not None:
            break
    return count.found


def by_halving(pool: RecordedPool, seed: int = 0, *, first: int = 1, keep: int = 2) -> Found:
    """Successive halving (Jamieson and Talwalkar 2016), begun again with the runs that are left.

    Args:
        pool: the runs.
        seed: of their order, by which ties are decided.
        first: epochs of the first rung.
        keep: one run in so many goes on from a rung, to so many times more epochs.
    """
    runs, epochs = pool.scores.shape
    count = _Count(pool)
    left = np.random.default_rng(seed).permutation(runs).tolist()
    while count.best is None:
        rung, alive = first, list(left)
        while alive:
            rung = min(rung, epochs)
            for run in alive:
                if count.train(run, rung - count.seen[run]):
                    left.remove(run)
            if rung == epochs:
                break
            alive.sort(key=lambda run: -pool.scores[run, max(count.seen[run], 1) - 1])
            alive, rung = alive[: max(1, len(alive) // keep)], rung * keep
    return count.found


WAYS: dict[str, Callable[[RecordedPool, int], Found]] = {
    "suggest": by_price,
    "halving (1, 2)": by_halving,
    "halving (3, 3)": lambda pool, seed: by_halving(pool, seed, first=3, keep=3),
    "random order": in_random_order,
}
"""Ways to choose, by name."""


@dataclass(eq=False)
class _Count:
    """The epochs that were trained so far."""

    pool: RecordedPool
    spent: int = 0
    good: int | None = None
    best: int | None = None
    seen: list[int] = field(init=False)

    def __post_init__(self) -> None:
        final = self.pool.scores[:, -1]
        self.seen = [0] * len(final)
        self._good = np.sort(final)[-max(1, round(TOP * len(final)))]
        self._best = final.max()

    def train(self, run: int, epochs: int) -> bool:
        """Train a run by so many epochs at most; whether it has come to its end by them."""
        taken = min(max(epochs, 0), self.pool.scores.shape[1] - self.seen[run])
        self.seen[run] += taken
        self.spent += taken
        ended = taken > 0 and self.seen[run] == self.pool.scores.shape[1]
        if ended and self.good is None and self.pool.scores[run, -1] >= self._good:
            self.good = self.spent
        if ended and self.best is None and self.pool.scores[run, -1] >= self._best:
            self.best = self.spent
        return ended

    @property
    def found(self) -> Found:
        assert self.good is not None and self.best is not None
        return Found(self.good, self.best)


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare the ways on benchmarks of one metric; see the module."""
    from lcode.benchmarks import load_benchmark
    from lcode.forecasters.lcgode import SHIPPED, LCGODEForecaster

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sources", nargs="+", help="benchmarks of one metric, as `python -m lcode.benchmarks list`")
    parser.add_argument("--pool", type=int, default=60, help="configurations to choose from")
    parser.add_argument("--known", type=int, default=20, help="other configurations that have finished before")
    parser.add_argument("--seed", type=int, default=0, help="of which they are")
    parser.add_argument("--orders", type=int, default=50)
    asked = parser.parse_args(arguments)
    _tell("source", WAYS)
    means = []
    for source in asked.sources:
        table = load_benchmark(source).with_status("finished")
        chosen = np.random.default_rng(asked.seed).permutation(np.array(table.run_ids, dtype=object)).tolist()
        history = table.select(chosen[: asked.known])
        model = LCGODEForecaster.load(SHIPPED, device="cpu").in_context(history)
        runs = table.select(chosen[asked.known : asked.known + asked.pool])
        pool = RecordedPool.of(runs, model, history=history)
        means.append([np.mean([way(pool, seed) for seed in range(asked.orders)], axis=0) for way in WAYS.values()])
        _tell(source, (f"{good:.0f} / {best:.0f}" for good, best in means[-1]))
    _tell("mean", (f"{good:.0f} / {best:.0f}" for good, best in np.mean(means, axis=0)))


def _tell(name: str, cells: Iterable[str]) -> None:
    """A line of the table."""
    sys.stdout.write(" | ".join((name, *cells)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
