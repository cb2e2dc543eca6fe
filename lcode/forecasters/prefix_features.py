"""What is known of runs that were cut at different epochs, as rows of the same columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.curves.config import ConfigEncoder
from lcode.curves.features import ValueScale, side_information
from lcode.table import Metric, RunTable, split_key

Array = NDArray[np.float64]

LAGS = np.array([1, 2, 4, 8])
"""How many epochs before the cutoff the curves are read, beside the last value."""

SHARES = np.array([0.0, 0.25, 0.5, 0.75])
"""Where in the prefix they are read besides."""

SIGNAL_LAGS = np.array([0, 2])


@dataclass(frozen=True, eq=False)
class RunInputs:
    """What is read of R runs, whatever the cutoff: curves (K metrics), signals, encoded side information, horizons."""

    curves: CurveArrays
    signals: CurveArrays
    side: Array
    horizons: NDArray[np.int64]

    def rows(self, index: NDArray[np.int64]) -> RunInputs:
        """These runs only, in this order; a run may occur more than once."""
        return RunInputs(self.curves.rows(index), self.signals.rows(index), self.side[index], self.horizons[index])


class PrefixFeatures:
    """Fitted on finished runs; rows hold NaN where something is missing.

    Args:
        finished: the runs.
        arrays: their curves.
    """

    def __init__(self, finished: RunTable, arrays: CurveArrays) -> None:
        self.scale = ValueScale.fit(arrays)
        keys = sorted(set(finished.signals["metric"].astype(str)))
        self._signals = tuple(Metric(*split_key(key), "min") for key in keys)
        self._signal_scale = ValueScale.fit(self._signal_arrays(finished))
        self._encoder = ConfigEncoder.fit(side_information(finished))

    def inputs(self, table: RunTable, arrays: CurveArrays) -> RunInputs:
        """What is read of the runs of a table; `arrays`: the metrics of the training runs."""
        horizons = table.runs["horizon"].to_numpy(np.int64)
        side = self._encoder.encode(side_information(table))
        return RunInputs(arrays, self._signal_arrays(table), side, horizons)

    def at(self, inputs: RunInputs, cutoffs: NDArray[np.int64]) -> Array:
        """Rows of runs cut at their cutoffs [R] (-1: nothing observed), shape [R, P].

        Last value and differences to it of all metrics, last signals, cutoff and horizon, side information.
        """
        prefix = inputs.curves.before(cutoffs)
        places = np.concatenate([cutoffs[:, None] - LAGS, np.rint(SHARES * cutoffs[:, None])], axis=1)
        earlier = self.scale.forward(prefix.interpolate(np.maximum(places, 0).astype(np.int64)))
        last = self.scale.forward(prefix.last_values[..., None])
        recent = np.maximum(cutoffs[:, None] - SIGNAL_LAGS, 0)
        signals = self._signal_scale.forward(inputs.signals.before(cutoffs).interpolate(recent))
        time = np.stack([np.log(cutoffs + 2), np.log1p(inputs.horizons), cutoffs / np.maximum(inputs.horizons, 1)], 1)
        parts = [last, earlier - last, signals]
        flat = [part.reshape(len(cutoffs), int(np.prod(part.shape[1:]))) for part in parts]
        return np.concatenate([*flat, time, inputs.side], axis=1)

    def _signal_arrays(self, table: RunTable) -> CurveArrays:
        return curve_arrays(replace(table, points=table.signals), metrics=self._signals)


def lead_features(cutoffs: NDArray[np.int64], horizons: NDArray[np.int64], epochs: NDArray[np.int64]) -> Array:
    """How far ahead the queries are: log ratio of the epochs, shares of what is left and of the horizon, [R, Q, 3].

    Args:
        cutoffs: last observed epochs, -1 for none, shape [R].
        horizons: shape [R].
        epochs: query epochs, shape [R, Q].
    """
    start, end = np.maximum(cutoffs, 0)[:, None], np.maximum(horizons, 1)[:, None]
    ahead = np.log1p(epochs) - np.log1p(start)
    return np.stack([ahead, (epochs - start) / np.maximum(end - start, 1), epochs / end], axis=-1)
