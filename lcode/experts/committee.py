"""All experts of a fit, by cutoff, made when a cutoff is first met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.experts.continuation import at_epochs
from lcode.experts.forests import ForestExperts, surprised
from lcode.experts.gaussian_process import STEPS, Hyperparameters
from lcode.experts.prefix import Known, PrefixReader
from lcode.experts.process import ProcessExpert
from lcode.experts.reach import Reach
from lcode.experts.scene import Scene
from lcode.table import Metric, RunTable
from lcode.table.archive import pack, unpack
from lcode.tensors.arrays import curve_arrays
from lcode.tensors.scaling import ValueScaler

Array = NDArray[np.float64]

EXPERTS = ("gaussian process", "forest of values", "forest of changes", "forest of surprises")

OutOfFoldForecast = Callable[[NDArray[np.int64], int, NDArray[np.float64]], NDArray[np.float64]]
"""Forecasts by a network that did not learn from them of these rows of the finished runs [n], from a cutoff, at epochs
[n, Q]: quantiles in model space [n, K, Q, 21], NaN where every part of the network has learned from a run."""

EXACT, RATIO = 8, 1.15
"""Last cutoff that has experts of its own, and how far apart they lie from there on; see `Committee.nearest`."""

MAX_RUNS = 1500
"""Finished runs that the experts learn from at most: the forests' weights grow with their square."""

SMOOTHED, MANY = 2, 100
"""With fewer than so many runs each one's noise, an epoch that went wrong, stands in every forecast: their paths are
means over so many points on either side (on 10 and 30 runs of `cifar10_cnn` 0.5 to 1.5 % less error)."""

MIN_RUNS = 4
"""Finished runs that must have gone on after a cutoff for anything to be learned there."""


@dataclass(frozen=True, eq=False)
class Observed:
    """R runs at one cutoff.

    Attributes:
        cutoff: last epoch at which anything of them was observed, -1 if nothing was.
        known: what is known of them there.
        horizons: their horizons, [R].
    """

    cutoff: int
    known: Known
    horizons: NDArray[np.int64]

    def rows(self, chosen: slice) -> Observed:
        """These runs only."""
        return Observed(self.cutoff, self.known.rows(chosen), self.horizons[chosen])


class CutoffExperts:
    """The experts of one cutoff.

    Args:
        scene: the finished runs from there.
        known: what was known of them there.
        network: their left-out forecasts by a network, [N, K, J, 21].
        seed: of the trees.
        start: hyper-parameters of the processes to begin with.
        steps: optimiser steps for them.
    """

    def __init__(
        self,
        scene: Scene,
        known: Known,
        network: Array,
        seed: int,
        start: list[Hyperparameters | None] | None,
        steps: int,
    ) -> None:
        self.scene, self.known, self.network = scene, known, network
        self.process = ProcessExpert(scene, known, start=start, steps=steps)
        self._forests = ForestExperts(scene, known, network, seed)
        self._last = known.anchor(known.last)
        self._reach = Reach.of(self._last, scene.values)

    def out_of_fold(self) -> Array:
        """Forecasts of the finished runs by what was learned without their fold, [E, N, K, J, 21]."""
        return self._smooth(np.concatenate([self.process.out_of_fold()[None], self._forests.out_of_fold()]))

    def predict(self, observed: Observed, epochs: NDArray[np.int64], network: Array) -> Array:
        """Quantiles in model space at the query epochs [R, Q] of observed runs, [E, R, K, Q, 21].

        Args:
            observed: the runs.
            epochs: query epochs, [R, Q].
            network: the network's forecasts there, [R, K, Q, 21].
        """
        known, grid = observed.known, self.scene.grid
        values, changes, surprises = self._smooth(self._forests.predict(known))
        paths = [(self._smooth(self.process.predict(known)), known.last), (values, known.last), (changes, known.last)]
        # What was observed holds no surprise.
        paths.append((surprises, np.where(np.isfinite(known.last), 0.0, np.nan)))
        at = [at_epochs(path, grid, start, observed.cutoff, observed.horizons, epochs) for path, start in paths]
        return np.stack([*at[:-1], surprised(network, at[-1])])

    def ends(self, observed: Observed, epochs: NDArray[np.int64]) -> Array:
        """How far observed runs may plausibly go by the query epochs [R, Q], see `Reach.ends`, [R, K, Q, 4]."""
        last = observed.known.anchor(self.known.last)
        return at_epochs(self._reach.ends(last), self.scene.grid, last, observed.cutoff, observed.horizons, epochs)

    def out_of_fold_ends(self) -> Array:
        """How far the finished runs might have gone, each by the runs of the other folds, [N, K, J, 4]."""
        folds, values = self.scene.folds, self.scene.values
        result = np.full((*values.shape, 4), np.nan)
        for fold in np.unique(folds):
            out = folds == fold
            result[out] = Reach.of(self._last[~out], values[~out]).ends(self._last[out])
        return result

    def _smooth(self, paths: Array) -> Array:
        return smoothed(paths, SMOOTHED if len(self.scene.rows) < MANY else 0)


def smoothed(paths: Array, half: int) -> Array:
    """Means over at most so many points on either side, as many on both, but for the last point; [..., J, 21]."""
    if not half:
        return paths
    count = paths.shape[-2]
    place = np.arange(count)
    reach = np.minimum(half, np.minimum(place, count - 1 - place))
    reach[-1] = min(half, count - 1)
    sums = np.concatenate([np.zeros_like(paths[..., :1, :]), np.cumsum(paths, axis=-2)], axis=-2)
    low, high = place - reach, np.minimum(place + reach + 1, count)
    means = (sums[..., high, :] - sums[..., low, :]) / (high - low)[:, None]
    return np.maximum.accumulate(means, axis=-1)  # differences of sums are not exactly in order


class Committee:
    """Experts that learned from finished runs.

    Args:
        finished: N finished runs, those of the problem to forecast first, then those of related ones.
        own: how many are of the problem itself.
        scaler: scales of their metrics.
        folds: fold of each run, [N].
        network: forecasts of the runs by a network that did not learn from their fold.
        seed: of the trees.
        hyperparameters: of the processes, by the cutoff at which they were chosen.
    """

    def __init__(
        self,
        finished: RunTable,
        own: int,
        scaler: ValueScaler,
        folds: NDArray[np.int64],
        network: OutOfFoldForecast,
        seed: int,
        hyperparameters: dict[int, list[Hyperparameters | None]] | None = None,
    ) -> None:
        self.finished, self.own, self.scaler, self.seed = finished, own, scaler, seed
        self.folds, self.network = folds, network
        self.hyperparameters = hyperparameters or {}
        self._arrays = curve_arrays(finished)
        self._reader = PrefixReader(finished, scaler)
        self._made: dict[int, CutoffExperts | None] = {}

    def at(self, cutoff: int, *, steps: int = 0) -> CutoffExperts | None:
        """The experts of a cutoff; None where fewer than `MIN_RUNS` runs went on.

        Args:
            cutoff: last epoch seen.
            steps: optimiser steps for the hyper-parameters, which begin as at the nearest cutoff; then they are kept.
        """
        if cutoff not in self._made:
            self._made[cutoff] = self._make(cutoff, steps if self.hyperparameters else STEPS)
        return self._made[cutoff]

    def observe(self, table: RunTable, cutoff: int, metrics: tuple[Metric, ...]) -> Observed:
        """What must be known of runs that were last observed at the cutoff; the metrics in the order of the axis K."""
        known = self._reader.at(table, curve_arrays(table, metrics=metrics), cutoff)
        return Observed(cutoff, known, table.runs["horizon"].to_numpy(np.int64))

    def predict(self, observed: Observed, epochs: NDArray[np.int64], network: Array) -> Array:
        """Quantiles in model space at the query epochs [R, Q], NaN where there is no expert, [E, R, K, Q, 21].

        Args:
            observed: the runs.
            epochs: query epochs, [R, Q].
            network: the network's forecasts there, [R, K, Q, 21].
        """
        experts = self.at(self.nearest(observed.cutoff))
        if experts is None:
            return np.full((len(EXPERTS), *network.shape), np.nan)
        return experts.predict(observed, epochs, network)

    def nearest(self, cutoff: int) -> int:
        """The cutoff whose experts serve runs observed up to this one.

        Up to `EXACT` it is the cutoff itself, later the nearest of those that were calibrated or that lie `RATIO`
        apart: a live sweep would otherwise make new experts at every epoch of every run.
        """
        longest = int(self.finished.runs["horizon"].max())
        if cutoff <= EXACT or cutoff >= longest:
            return cutoff
        rungs = EXACT * RATIO ** np.arange(np.ceil(np.log(cutoff / EXACT) / np.log(RATIO)) + 1)
        known = {*np.rint(rungs).astype(np.int64).tolist(), *self.hyperparameters}
        # Where the finished runs end there is nothing to learn from.
        reached = (rung for rung in known if rung < longest)
        return min(reached, key=lambda rung: (abs(np.log(max(rung, 1) / cutoff)), rung))

    def pack(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """JSON values and arrays for a checkpoint: the finished runs, their folds, the hyper-parameters."""
        meta, arrays = pack(self.finished)
        hyper = {
            str(cutoff): [None if h is None else [t.tolist() for t in h.tensors()] for h in by_metric]
            for cutoff, by_metric in self.hyperparameters.items()
        }
        meta = {"table": meta, "own": self.own, "seed": self.seed, "hyperparameters": hyper}
        return meta, {**arrays, "folds": self.folds}

    @classmethod
    def unpack(
        cls,
        meta: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
        scaler: ValueScaler,
        network: Callable[[RunTable, NDArray[np.int64]], OutOfFoldForecast],
    ) -> Self:
        """The inverse of `pack`; `network` makes the left-out forecasts from the finished runs and their folds."""
        hyper = {
            int(cutoff): [
                None if h is None else Hyperparameters(*(torch.tensor(t, dtype=torch.float64) for t in h))
                for h in by_metric
            ]
            for cutoff, by_metric in meta["hyperparameters"].items()
        }
        finished, folds = unpack(meta["table"], arrays), arrays["folds"]
        return cls(finished, meta["own"], scaler, folds, network(finished, folds), meta["seed"], hyper)

    def _make(self, cutoff: int, steps: int) -> CutoffExperts | None:
        scene = Scene.of(self.finished, self.own, self._arrays, self.folds, cutoff, self.scaler)
        if len(scene.table) < MIN_RUNS or len(np.unique(scene.folds)) < 2:
            return None
        place = np.log1p(max(cutoff, 0))
        nearest = min(self.hyperparameters, key=lambda c: abs(np.log1p(max(c, 0)) - place), default=None)
        start = None if nearest is None else self.hyperparameters[nearest]
        known = self._reader.at(scene.table, scene.arrays, cutoff)
        network = self.network(scene.rows, cutoff, scene.epochs.astype(float))
        experts = CutoffExperts(scene, known, network, self.seed, start, steps)
        if steps:
            self.hyperparameters[cutoff] = experts.process.hyperparameters
        return experts
