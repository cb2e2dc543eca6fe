"""Histogram gradient boosting at random cutoffs: one model that serves every prefix, with the lead as input."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.continuation import change_quantiles, continuation_grid, continuations, share_epochs
from lcode.ensemble.folds import assign_folds
from lcode.forecasters.boosting import boosted, predicted
from lcode.forecasters.by_cutoff import CutoffForecaster, CutoffModel
from lcode.forecasters.point_model import FOLDS, MIN_RUNS
from lcode.forecasters.prefix_features import PrefixFeatures, RunInputs, lead_features
from lcode.table import RunTable

Array = NDArray[np.float64]

PREFIXES, DRAWS = 4000, (5, 20)
"""About so many prefixes are learned from, between 5 and 20 of each run; one of them is empty."""

QUERIES = 4
"""Future epochs per cutoff, the horizon among them."""

ROUNDS, LEAVES = 200, 31
"""There are more rows than at a fixed cutoff, and more to tell apart."""

Regressors = list[HistGradientBoostingRegressor | None]
"""One per metric; None for a metric that too few runs have."""


class RandomBoostingForecaster(CutoffForecaster):
    """One boosted regression per metric, for the scaled change since the last value at any epoch after any cutoff.

    Cutoffs are drawn in proportion to 1 / (number of epochs seen). The spread at a cutoff is that of the errors which
    the regressions of left-out parts make there on the finished runs they did not see.
    """

    name: ClassVar[str] = "boosting-random"

    def fit(self, table: RunTable) -> Self:
        """Learn from the finished runs."""
        super().fit(table)
        assert self._finished is not None
        self._anywhere = _AnyCutoff(self._finished, self.seed)
        return self

    def learn(self, finished: RunTable, cutoff: int) -> CutoffModel:
        """The one model, with the errors it makes at this cutoff."""
        return _AtCutoff(self._anywhere, finished, cutoff)


class _AnyCutoff:
    """The regressions: those of all runs, and for each fold those that never saw it.

    Args:
        finished: N finished runs.
        seed: of folds and cutoffs.
    """

    def __init__(self, finished: RunTable, seed: int) -> None:
        arrays = curve_arrays(finished)
        self.features = PrefixFeatures(finished, arrays)
        self._middle = _median(self.features.scale.forward(arrays.last_values[..., None]))
        fold = assign_folds(finished, FOLDS, seed)
        self.fold_of = dict(zip(finished.run_ids, fold.tolist(), strict=True))
        generator = np.random.default_rng(seed)
        runs, cutoffs = _draw_cutoffs(arrays, generator)
        inputs = self.features.inputs(finished, arrays).rows(runs)
        share = generator.random((len(runs), QUERIES))
        share[:, 0] = 1.0
        start = np.maximum(cutoffs, 0)[:, None]
        epochs = start + np.ceil(share * (inputs.horizons[:, None] - start)).astype(np.int64)
        values = np.where((inputs.curves.diverged_at >= 0)[..., None], np.nan, inputs.curves.interpolate(epochs))
        targets = self.features.scale.forward(values) - self._anchor(inputs, cutoffs)
        rows, owner = self._rows(inputs, cutoffs, epochs), np.repeat(runs, QUERIES)
        flat = targets.swapaxes(0, 1).reshape(targets.shape[1], -1)
        self.of_all = _regressors(rows, flat, owner, np.ones(len(owner), dtype=bool))
        self.without = {part: _regressors(rows, flat, owner, fold[owner] != part) for part in np.unique(fold).tolist()}

    def values(self, regressors: Regressors, inputs: RunInputs, cutoff: int, grid: Array) -> Array:
        """Predicted scaled values at the shares `grid` after the cutoff, [R, K, J]; NaN for an unknown metric."""
        cutoffs = np.full(len(inputs.horizons), cutoff)
        rows = self._rows(inputs, cutoffs, share_epochs(inputs.horizons, cutoff, grid))
        change = [np.full(len(rows), np.nan) if model is None else predicted(model, rows) for model in regressors]
        return np.stack(change).reshape(-1, len(cutoffs), len(grid)).swapaxes(0, 1) + self._anchor(inputs, cutoffs)

    def _anchor(self, inputs: RunInputs, cutoffs: NDArray[np.int64]) -> Array:
        """Scaled value that changes are counted from: the last one, or else the training runs' middle, [R, K, 1]."""
        last = self.features.scale.forward(inputs.curves.before(cutoffs).last_values[..., None])
        return np.where(np.isfinite(last), last, self._middle)

    def _rows(self, inputs: RunInputs, cutoffs: NDArray[np.int64], epochs: NDArray[np.int64]) -> Array:
        """One row per run and query, [R × Q, P]."""
        prefix = np.repeat(self.features.at(inputs, cutoffs), epochs.shape[1], axis=0)
        lead = lead_features(cutoffs, inputs.horizons, epochs)
        return np.concatenate([prefix, lead.reshape(-1, lead.shape[-1])], axis=1)


class _AtCutoff:
    """The regressions at one cutoff; see `CutoffForecaster.learn` for the arguments."""

    def __init__(self, anywhere: _AnyCutoff, finished: RunTable, cutoff: int) -> None:
        self._anywhere, self._cutoff = anywhere, cutoff
        arrays, horizons = curve_arrays(finished), finished.runs["horizon"].to_numpy(np.int64)
        self.grid = continuation_grid(horizons, cutoff)
        inputs = anywhere.features.inputs(finished, arrays)
        errors = anywhere.features.scale.forward(continuations(arrays, horizons, cutoff, self.grid))
        fold = np.array([anywhere.fold_of[run] for run in finished.run_ids])
        for part in np.unique(fold).tolist():
            out = np.flatnonzero(fold == part)
            errors[out] -= anywhere.values(anywhere.without[part], inputs.rows(out), cutoff, self.grid)
        self._spread = change_quantiles(errors)

    def predict(self, table: RunTable, arrays: CurveArrays) -> Array:
        """See `CutoffModel.predict`."""
        features = self._anywhere.features
        inputs = features.inputs(table, arrays)
        point = self._anywhere.values(self._anywhere.of_all, inputs, self._cutoff, self.grid)
        scaled = point[..., None] + self._spread
        return features.scale.inverse(scaled.reshape(*scaled.shape[:2], -1)).reshape(scaled.shape)


def _draw_cutoffs(arrays: CurveArrays, generator: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which runs are cut (indices), and after which epochs (-1: before the first one); two arrays of equal length."""
    runs: list[int] = []
    cutoffs: list[int] = []
    draws = int(np.clip(PREFIXES // max(len(arrays.lengths), 1), *DRAWS))
    for run, (epochs, present) in enumerate(zip(arrays.epochs, arrays.present, strict=True)):
        # Something must be left to forecast.
        seen = np.unique(epochs[present])[:-1]
        weight = 1.0 / np.arange(1, len(seen) + 1)
        drawn = generator.choice(seen, draws - 1, p=weight / weight.sum()).tolist() if len(seen) else []
        cutoffs += [-1, *drawn]
        runs += [run] * (1 + len(drawn))
    return np.array(runs, dtype=np.int64), np.array(cutoffs, dtype=np.int64)


def _regressors(rows: Array, targets: Array, owner: NDArray[np.int64], kept: NDArray[np.bool_]) -> Regressors:
    """A regression per metric from rows [S, P] to targets [K, S], NaN where unknown; `owner`: the run of each row."""
    models: Regressors = []
    for target in targets:
        known = kept & np.isfinite(target)
        enough = len(np.unique(owner[known])) >= MIN_RUNS - 1  # one run at least of three may be left out
        model = boosted(rows[known], target[known], rounds=ROUNDS, leaves=LEAVES) if enough else None
        models.append(model)
    return models


def _median(last: Array) -> Array:
    """Median over the runs, 0 for a metric that none has, [N, K, 1] to [K, 1]."""
    known = np.isfinite(last).any(axis=0)
    return np.where(known, np.nanmedian(np.where(known, last, 0.0), axis=0), 0.0)
