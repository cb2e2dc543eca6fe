"""All experts of a fit, by cutoff, made when a cutoff is first met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from lcode.experts.continuation import at_epochs
from lcode.experts.forests import ForestExperts
from lcode.experts.gaussian_process import STEPS, Hyperparameters
from lcode.experts.prefix import Known, PrefixReader
from lcode.experts.process import ProcessExpert
from lcode.experts.scene import KEPT, Scene
from lcode.forecast import LEVELS
from lcode.table import Metric, RunTable
from lcode.table.archive import pack, unpack
from lcode.tensors.arrays import curve_arrays
from lcode.tensors.scaling import ValueScaler

Array = NDArray[np.float64]

EXPERTS = ("gaussian process", "forest of values", "forest of changes")

EXACT, RATIO = 8, 1.15
"""Last cutoff that has experts of its own, and how far apart they lie from there on; see `Committee.nearest`."""

MAX_RUNS = 1500
"""Finished runs that the experts learn from at most: the forests' weights grow with their square."""

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
        seed: of the trees.
        start: hyper-parameters of the processes to begin with.
        steps: optimiser steps for them.
    """

    def __init__(
        self, scene: Scene, known: Known, seed: int, start: list[Hyperparameters | None] | None, steps: int
    ) -> None:
        self.scene, self._known = scene, known
        self.process = ProcessExpert(scene, known, start=start, steps=steps)
        self._forests = ForestExperts(scene, known, seed)

    def left_out(self) -> Array:
        """Forecasts of the finished runs by what was learned without their fold, [E, N, K, J, 21]."""
        return np.concatenate([self.process.left_out()[None], self._forests.left_out(self._known)])

    def predict(self, known: Known, horizons: NDArray[np.int64], cutoff: int, epochs: NDArray[np.int64]) -> Array:
        """Quantiles in model space at the query epochs [R, Q] of runs last observed at the cutoff, [E, R, K, Q, 21]."""
        paths = np.concatenate([self.process.predict(known)[None], self._forests.predict(known)])
        return np.stack([at_epochs(path, self.scene.grid, known.last, cutoff, horizons, epochs) for path in paths])


class Committee:
    """Experts that learned from finished runs.

    Args:
        finished: N finished runs.
        scaler: scales of their metrics.
        folds: fold of each run, [N].
        seed: of the trees.
        hyperparameters: of the processes, by the cutoff at which they were chosen.
    """

    def __init__(
        self,
        finished: RunTable,
        scaler: ValueScaler,
        folds: NDArray[np.int64],
        seed: int,
        hyperparameters: dict[int, list[Hyperparameters | None]] | None = None,
    ) -> None:
        self.finished, self.scaler, self.folds, self.seed = finished, scaler, folds, seed
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

    def predict(self, observed: Observed, epochs: NDArray[np.int64]) -> Array:
        """Quantiles in model space at the query epochs [R, Q], NaN where there is no expert, [E, R, K, Q, 21]."""
        experts = self.at(self.nearest(observed.cutoff))
        if experts is None:
            return np.full((len(EXPERTS), *observed.known.last.shape, epochs.shape[1], len(LEVELS)), np.nan)
        return experts.predict(observed.known, observed.horizons, observed.cutoff, epochs)

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
        return {"table": meta, "seed": self.seed, "hyperparameters": hyper}, {**arrays, "folds": self.folds}

    @classmethod
    def unpack(cls, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], scaler: ValueScaler) -> Self:
        """The inverse of `pack`."""
        hyper = {
            int(cutoff): [
                None if h is None else Hyperparameters(*(torch.tensor(t, dtype=torch.float64) for t in h))
                for h in by_metric
            ]
            for cutoff, by_metric in meta["hyperparameters"].items()
        }
        return cls(unpack(meta["table"], arrays), scaler, arrays["folds"], meta["seed"], hyper)

    def _make(self, cutoff: int, steps: int) -> CutoffExperts | None:
        scene = Scene.of(self.finished, self._arrays, self.folds, cutoff, self.scaler)
        if len(scene.table) < MIN_RUNS or len(np.unique(scene.folds[scene.folds != KEPT])) < 2:
            return None
        place = np.log1p(max(cutoff, 0))
        nearest = min(self.hyperparameters, key=lambda c: abs(np.log1p(max(c, 0)) - place), default=None)
        start = None if nearest is None else self.hyperparameters[nearest]
        known = self._reader.at(scene.table, scene.arrays, cutoff)
        experts = CutoffExperts(scene, known, self.seed, start, steps)
        if steps:
            self.hyperparameters[cutoff] = experts.process.hyperparameters
        return experts
