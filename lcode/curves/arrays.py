"""The curves of a table as dense numpy arrays: the form in which every forecaster reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lcode.table import Metric, RunTable
from lcode.table.gaps import NotFinite, diverged_epochs


@dataclass(frozen=True, eq=False)
class CurveArrays:
    """Curves of R runs × K metrics with up to S points each, packed to the left.

    Attributes:
        metrics: the K metrics.
        epochs: epoch of each point, shape [R, K, S]; beyond `lengths` the last epoch is repeated (0 if none).
        values: finite values in natural units, [R, K, S]; NaN beyond `lengths`.
        lengths: number of points of each curve, [R, K]; values that are NaN or infinite are none.
        diverged_at: first epoch from which on every value is NaN or infinite, [R, K]; -1 where there is none.
        since: for each point the epoch of the first of the non-finite values right before it, -1 where there is none,
            [R, K, S]; None: no curve has such a gap.
    """

    metrics: tuple[Metric, ...]
    epochs: NDArray[np.int64]
    values: NDArray[np.float64]
    lengths: NDArray[np.int64]
    diverged_at: NDArray[np.int64]
    since: NDArray[np.int64] | None = None

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which cells hold a point, [R, K, S]."""
        return np.arange(self.values.shape[-1]) < self.lengths[..., None]

    @property
    def last_epochs(self) -> NDArray[np.int64]:
        """Epoch of the last point of each curve, -1 where there is none, [R, K]."""
        if self.epochs.shape[-1] == 0:
            return np.full(self.lengths.shape, -1)
        last = np.take_along_axis(self.epochs, np.maximum(self.lengths - 1, 0)[..., None], -1)[..., 0]
        return np.where(self.lengths > 0, last, -1)

    @property
    def last_values(self) -> NDArray[np.float64]:
        """Last value of each curve, NaN where there is none, [R, K]."""
        if self.values.shape[-1] == 0:
            return np.full(self.lengths.shape, np.nan)
        return np.take_along_axis(self.values, np.maximum(self.lengths - 1, 0)[..., None], -1)[..., 0]

    def rows(self, index: NDArray[np.int64]) -> CurveArrays:
        """The curves of these runs (indices or a boolean mask) only."""
        return CurveArrays(
            self.metrics,
            self.epochs[index],
            self.values[index],
            self.lengths[index],
            self.diverged_at[index],
            None if self.since is None else self.since[index],
        )

    def before(self, cutoffs: NDArray[np.int64]) -> CurveArrays:
        """The prefixes with epoch ≤ the run's cutoff, cutoffs of shape [R].

        A curve that is cut inside a gap has diverged, as far as was known then.
        """
        limit = cutoffs[:, None]
        kept = self.present & (self.epochs <= limit[..., None])
        diverged = np.where((self.diverged_at >= 0) & (self.diverged_at <= limit), self.diverged_at, -1)
        lengths = kept.sum(-1)
        if self.since is not None and self.since.shape[-1]:
            following = np.minimum(lengths, self.since.shape[-1] - 1)[..., None]
            since = np.take_along_axis(self.since, following, -1)[..., 0]
            diverged = np.where((lengths < self.lengths) & (since >= 0) & (since <= limit), since, diverged)
        values = np.where(kept, self.values, np.nan)
        return CurveArrays(self.metrics, self.epochs, values, lengths, diverged, self.since)

    def interpolate(self, at: NDArray[np.int64]) -> NDArray[np.float64]:
        """Values at the epochs `at`, linear between points, constant beyond the ends; NaN without a point.

        Args:
            at: epochs per run, shape [R, Q].

        Returns:
            Values of shape [R, K, Q].
        """
        runs, tasks, size = self.values.shape
        query = np.broadcast_to(at[:, None, :], (runs, tasks, at.shape[1]))
        if size == 0:
            return np.full(query.shape, np.nan)
        # One sorted axis for all curves: each curve gets its own range of keys, so a single search serves them all.
        # Cells beyond the end take their curve's largest key.
        span = int(max(self.epochs.max(initial=0), at.max(initial=0))) + 2
        offset = np.arange(runs * tasks).reshape(runs, tasks, 1) * span
        keys = (np.where(self.present, self.epochs, span - 1) + offset).reshape(-1)
        right = np.searchsorted(keys, (query + offset).reshape(-1), side="left").reshape(query.shape)
        right -= np.arange(runs * tasks).reshape(runs, tasks, 1) * size
        end = np.maximum(self.lengths - 1, 0)[..., None]
        upper, lower = np.minimum(right, end), np.minimum(np.maximum(right - 1, 0), end)
        at_upper, at_lower = (np.take_along_axis(self.epochs, index, -1) for index in (upper, lower))
        width = at_upper - at_lower
        share = np.where(width > 0, (query - at_lower) / np.maximum(width, 1), 1.0)
        share = np.clip(share, 0.0, 1.0)
        value_upper, value_lower = (np.take_along_axis(self.values, index, -1) for index in (upper, lower))
        return np.where(share == 1.0, value_upper, (1 - share) * value_lower + share * value_upper)


def curve_arrays(table: RunTable, *, metrics: tuple[Metric, ...] | None = None) -> CurveArrays:
    """Pack the table's curves; `metrics` selects and orders them (default: all of the table's)."""
    metrics = table.metrics if metrics is None else metrics
    keys = [metric.key for metric in metrics]
    position = {key: k for k, key in enumerate(keys)}
    measured, runs = table.points["metric"].array, table.points["run"].array
    codes = np.array([position.get(str(c), -1) for c in measured.categories], dtype=np.int64)
    task = codes[measured.codes] if len(measured) else np.empty(0, np.int64)
    row = runs.codes.astype(np.int64)
    epoch = table.points["epoch"].to_numpy(np.int64)
    value = table.points["value"].to_numpy(float)
    kept = task >= 0
    row, task, epoch, value = row[kept], task[kept], epoch[kept], value[kept]
    shape = (len(table), len(metrics))
    curve = row * shape[1] + task

    # The points of a table are sorted by run, metric and epoch.
    found = NotFinite.of(curve, epoch, value)
    diverged_at = diverged_epochs(curve, epoch, found.lost, shape[0] * shape[1])
    gappy, alive = bool(found.gap.any()), np.isfinite(value)
    curve, epoch, value, before = curve[alive], epoch[alive], value[alive], found.since[alive]
    order = np.lexsort((epoch, curve))
    curve, epoch, value, before = curve[order], epoch[order], value[order], before[order]

    lengths = np.bincount(curve, minlength=shape[0] * shape[1])
    slot = np.arange(len(curve)) - (np.cumsum(lengths) - lengths)[curve]
    size = int(lengths.max(initial=0))
    epochs = np.zeros((shape[0] * shape[1], size), dtype=np.int64)
    values = np.full((shape[0] * shape[1], size), np.nan)
    epochs[curve, slot], values[curve, slot] = epoch, value
    since = None
    if gappy:
        starts = np.full((shape[0] * shape[1], size), -1, dtype=np.int64)
        starts[curve, slot] = before
        since = starts.reshape(*shape, size)
    if size:
        last = np.take_along_axis(epochs, np.maximum(lengths - 1, 0)[:, None], 1)
        epochs = np.where(np.arange(size) < lengths[:, None], epochs, last)
    return CurveArrays(
        metrics,
        epochs.reshape(*shape, size),
        values.reshape(*shape, size),
        lengths.reshape(shape),
        diverged_at.reshape(shape),
        since,
    )


def thinned(arrays: CurveArrays, most: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """At most so many evenly chosen points of each curve, the first and the last among them, [R, K, S]."""
    size = int(np.minimum(arrays.lengths, most).max(initial=1))
    if not arrays.epochs.shape[-1]:
        shape = (*arrays.lengths.shape, 1)
        return np.ones(shape, dtype=np.int64), np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    count, end = np.clip(arrays.lengths, 1, size), np.maximum(arrays.lengths - 1, 0)[..., None]
    slot = np.arange(size)
    index = np.minimum(np.rint(slot * end / np.maximum(count - 1, 1)[..., None]).astype(np.int64), end)
    present = slot < np.minimum(arrays.lengths, size)[..., None]
    return np.take_along_axis(arrays.epochs, index, -1), np.take_along_axis(arrays.values, index, -1), present
