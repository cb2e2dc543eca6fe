"""Measured curves in the order of a forecast, and how its runs truly ended."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays, curve_arrays
from lcode.forecast import Forecast
from lcode.table import RunTable


def aligned_curves(forecast: Forecast, table: RunTable) -> CurveArrays:
    """The table's curves in the forecast's order of runs and metrics, and in its unit of the epoch.

    A run that the table lacks has no point.
    """
    row = table.runs.index.get_indexer(pd.Index(forecast.run_ids, dtype=object))
    arrays = curve_arrays(table.in_unit(forecast.epoch_unit), metrics=forecast.metrics)

    def picked(cells: Any, blank: float) -> Any:
        # -1, the row of a run that is not there, picks the blank row at the end.
        return np.concatenate([cells, np.full((1, *cells.shape[1:]), blank, dtype=cells.dtype)])[row]

    return CurveArrays(
        arrays.metrics,
        picked(arrays.epochs, 0),
        picked(arrays.values, np.nan),
        picked(arrays.lengths, 0),
        picked(arrays.diverged_at, -1),
    )


def true_finals(forecast: Forecast, truth: RunTable) -> NDArray[np.float64]:
    """Value at the horizon of each run of the forecast, NaN where `truth` does not know it, [R, K]."""
    arrays = aligned_curves(forecast, truth)
    status = truth.runs["status"].reindex(list(forecast.run_ids))
    reached = (status == "finished").to_numpy()[:, None] | (arrays.last_epochs >= forecast.horizons[:, None])
    return np.where(reached & (arrays.diverged_at < 0), arrays.last_values, np.nan)
