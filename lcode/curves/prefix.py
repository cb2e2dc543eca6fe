"""A prefix in a few numbers per curve, and everything else that is known at a cutoff, in groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays, thinned
from lcode.curves.collate import SignalScale
from lcode.curves.common_settings import CommonSettings
from lcode.curves.config import ConfigEncoder
from lcode.curves.features import side_information
from lcode.curves.power_fit import fit_power_laws
from lcode.curves.scaling import ValueScaler
from lcode.regressors.kernel_regression import Columns
from lcode.table import Metric, RunTable, split_key

Array = NDArray[np.float64]

Prospects = Callable[[pd.DataFrame], Array]
"""What the configurations of R runs promise, a normal score where more is better, [R]."""

POINTS = 48
"""A prefix is read at so many evenly spaced epochs at most."""

CURVE_FEATURES = 10

CURVE, OTHERS, SIGNALS, SIDE = range(4)
"""What is known of a run: its curve in the metric, its other curves, its signals, and what was known beforehand."""

KEPT = 24
"""Points of a prefix that are kept as they are, evenly chosen."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that is known of R runs for a forecast of one metric.

    Attributes:
        values: without NaN, [R, F].
        columns: what each column is; the blocks are `CURVE`, `OTHERS`, `SIGNALS` and `SIDE`.
    """

    values: Array
    columns: Columns

    def rows(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Evidence:
        """Of these runs only."""
        return Evidence(self.values[index], self.columns)

    def blocks(self, *chosen: int) -> Evidence:
        """These blocks only."""
        kept = (self.columns.blocks[:, None] == np.array(chosen)).any(1)
        return Evidence(self.values[:, kept], Columns(self.columns.groups[kept], self.columns.blocks[kept]))


@dataclass(frozen=True)
class Known:
    """What is known of R runs at a cutoff.

    Attributes:
        last: last observed value of each curve in model space, NaN where there is none, [R, K].
        curves: features of each curve, [R, K, 10].
        signals: auxiliary signals at the cutoff and half-way to it, [R, A]; `signal_groups` numbers their names, [A].
        side: encoded side information, last the prospects if there are any, [R, P]; `side_groups` numbers its
            columns, [P].
        prospects: what the configurations promise, see `Prospects`; 0 where nothing is known, [R].
        points: some of the points of each curve in model space, NaN where there are fewer, [R, K, S].
        seen: evaluations of each curve so far, [R, K].
        settings: places of the common settings among the finished runs, 0 where one is unknown, [R, P].
    """

    last: Array
    curves: Array
    signals: Array
    side: Array
    prospects: Array
    signal_groups: NDArray[np.int64]
    side_groups: NDArray[np.int64]
    points: Array
    seen: NDArray[np.int64]
    settings: Array

    def rows(self, chosen: slice) -> Known:
        """What is known of these runs only."""
        return replace(
            self,
            last=self.last[chosen],
            curves=self.curves[chosen],
            signals=self.signals[chosen],
            side=self.side[chosen],
            prospects=self.prospects[chosen],
            points=self.points[chosen],
            seen=self.seen[chosen],
            settings=self.settings[chosen],
        )

    def anchor(self, training: Array) -> Array:
        """The last values, or the mean of the training runs' [N, K] where nothing of a curve was observed, [R, K]."""
        known = np.isfinite(training)
        middle = np.where(known, training, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return np.where(np.isfinite(self.last), self.last, middle)

    def everything(self) -> Array:
        """All features, one row per run, [R, F]."""
        return np.concatenate([self.curves.reshape(len(self.last), -1), self.signals, self.side], axis=1)

    def evidence(self, metric: int) -> Evidence:
        """All that is known for a forecast of this metric, one row per run.

        Each feature of the curve itself is its own group; the same feature of all other curves, all signals of one
        name, and all columns of one hyper-parameter are one group each.
        """
        runs, count = self.last.shape
        others = np.delete(self.curves, metric, axis=1).reshape(runs, -1)
        parts = [self.curves[:, metric], others, self.signals, self.side]
        numbers = [
            np.arange(CURVE_FEATURES),
            np.tile(np.arange(CURVE_FEATURES), count - 1),
            self.signal_groups,
            self.side_groups,
        ]
        groups, used = [], 0
        for number in numbers:
            groups.append(number + used)
            used += int(number.max(initial=-1)) + 1
        blocks = np.repeat((CURVE, OTHERS, SIGNALS, SIDE), [part.shape[1] for part in parts])
        return Evidence(np.concatenate(parts, axis=1), Columns(np.concatenate(groups), blocks))


class PrefixReader:
    """Fitted on finished runs; tells what is known of runs at a cutoff.

    Args:
        finished: N finished runs.
        values: scales of their metrics.
        prospects: what configurations promise; None: nothing is known of them.
    """

    def __init__(self, finished: RunTable, values: ValueScaler, prospects: Prospects | None = None) -> None:
        self.metrics, self._values = finished.metrics, values
        self._side = ConfigEncoder.fit(side_information(finished))
        widths = [len(column.categories) or 1 for column in self._side.columns]
        self._prospects = prospects
        self._settings = CommonSettings.among(finished.configs)
        widths += [1] if prospects is not None else []
        self._side_groups = np.repeat(np.arange(len(widths)), widths)
        keys = sorted(set(finished.signals["metric"].astype(str)))
        arrays = _signal_arrays(finished, keys)
        known = {key: arrays.values[:, i][arrays.present[:, i]] for i, key in enumerate(keys)}
        self._signals = {key: SignalScale.fit(key, values) for key, values in known.items() if len(values)}
        keys = list(self._signals)
        names = sorted({split_key(key)[1] for key in keys})
        self._signal_names = np.array([names.index(split_key(key)[1]) for key in keys], dtype=np.int64)
        first = curve_arrays(finished).epochs
        self._first = int(first[..., 0].min(initial=1)) if first.shape[-1] else 1

    def at(self, table: RunTable, arrays: CurveArrays, cutoff: int) -> Known:
        """What is known at the cutoff; `arrays` are the table's curves in the order of the training metrics."""
        runs = len(table)
        limit = np.full(runs, cutoff)
        prefix = arrays.before(limit)
        first = min(self._first, cutoff)
        grid = np.unique(np.rint(np.linspace(first, cutoff, POINTS)).astype(np.int64))
        values = self._values.scale(prefix.interpolate(np.tile(grid, (runs, 1))))
        fit, horizons = fit_power_laws(prefix), table.runs["horizon"].to_numpy(np.int64)[:, None]
        law = self._values.scale(np.where(fit.usable[..., None], fit.at(horizons), np.nan)) - values[..., -1:]
        _, points, present = thinned(prefix, KEPT)
        side = self._side.encode(side_information(table))
        prospects = np.zeros(runs)
        if self._prospects is not None:
            prospects = self._prospects(table.configs)
            side = np.concatenate([side, prospects[:, None]], axis=1)
        return Known(
            last=values[..., -1],
            curves=np.nan_to_num(
                np.concatenate([_curve_features(values, (grid - first + 1).astype(np.float64)), law], axis=-1)
            ),
            signals=self._signal_features(table, cutoff, first),
            side=side,
            prospects=prospects,
            signal_groups=np.tile(self._signal_names, 2),
            side_groups=self._side_groups,
            points=self._values.scale(np.where(present, points, np.nan)),
            seen=prefix.lengths,
            settings=self._settings.places(table.configs),
        )

    def _signal_features(self, table: RunTable, cutoff: int, first: int) -> Array:
        keys = list(self._signals)
        arrays = _signal_arrays(table, keys).before(np.full(len(table), cutoff))
        at = np.tile(np.array([(first + cutoff) // 2, cutoff]), (len(table), 1))
        values = arrays.interpolate(at)
        scaled = [scale.scale(values[:, a]) for a, scale in enumerate(self._signals.values())]
        return np.stack(scaled, axis=2).reshape(len(table), -1) if scaled else np.zeros((len(table), 0))


def _curve_features(values: Array, epochs: Array) -> Array:
    """Level, recent and total change, slope and unrest of prefixes on a common grid, [R, K, G] to [R, K, 9]."""
    last = values[..., -1]
    half = values.shape[-1] // 2
    late, clock = values[..., half:], np.log1p(epochs[half:])
    clock = clock - clock.mean()
    slope = (late * clock).sum(-1) / max(float((clock**2).sum()), 1e-9)
    steps = np.diff(values[..., -9:], axis=-1)
    unrest = np.log(steps.std(-1) + 1e-3) if steps.shape[-1] > 1 else np.zeros_like(last)
    previous = values[..., -2] if values.shape[-1] > 1 else last
    return np.stack(
        [
            last,
            last - previous,
            values[..., 0] - last,
            values[..., values.shape[-1] // 4] - last,
            late.mean(-1) - last,
            values.mean(-1) - last,
            values.min(-1) - last,
            slope,
            unrest,
        ],
        axis=-1,
    )


def _signal_arrays(table: RunTable, keys: list[str]) -> CurveArrays:
    return curve_arrays(replace(table, points=table.signals), metrics=tuple(Metric(*split_key(k), "min") for k in keys))
