"""From predicted quantiles to a `Forecast`: what is already known replaces what was predicted, and every run stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lcode.curves.arrays import CurveArrays
from lcode.forecast import LEVELS, NO_EPOCH, Forecast, grid_note
from lcode.table import RunTable


def curve_status(table: RunTable, arrays: CurveArrays) -> NDArray[np.str_]:
    """`ForecastStatus` of each curve, shape [R, K].

    A curve is finished when it reached the run's horizon, or when its run says so in `status` (a metric measured
    every fifth epoch may have its last point before the horizon). A run of which nothing was observed is a candidate.
    """
    horizons = table.runs["horizon"].to_numpy(np.int64)[:, None]
    ended = (table.runs["status"] == "finished").to_numpy()[:, None]
    status = np.full(arrays.lengths.shape, "ok", dtype="<U9")
    status[ended | (arrays.last_epochs >= horizons)] = "finished"
    unseen = arrays.lengths == 0
    status[unseen & ~unseen.all(axis=1, keepdims=True)] = "too_short"  # of a candidate nothing can have been observed
    status[arrays.diverged_at >= 0] = "diverged"
    return status


def last_values_as_quantiles(arrays: CurveArrays, epochs: NDArray[np.int64]) -> NDArray[np.float64]:
    """The last value of each curve at all levels and query epochs [R, Q], for forecasts to replace, [R, K, Q, 21]."""
    shape = (*arrays.lengths.shape, epochs.shape[1], len(LEVELS))
    return np.broadcast_to(arrays.last_values[..., None, None], shape).copy()


def assemble(
    table: RunTable,
    arrays: CurveArrays,
    epochs: NDArray[np.int64],
    quantiles: NDArray[np.float64],
    *,
    correlation: NDArray[np.float64] | None = None,
    persistence: float = 0.9,
    notes: tuple[str, ...] = (),
) -> Forecast:
    """Make a forecast of predicted quantiles and of what the table already knows.

    A finished curve is given its observed values, and so is a query at or before a curve's last observed epoch, all
    levels alike; a diverged curve and the padding of `epochs` are NaN; crossed levels are put in order.

    Args:
        table: the runs as observed, R runs.
        arrays: `curve_arrays(table)`, K metrics.
        epochs: query epochs from `query_epochs`, shape [R, Q].
        quantiles: predicted values at `LEVELS` in natural units, NaN where there is no prediction, [R, K, Q, 21].
        correlation: see `Forecast`, shape [R, K, K].
        persistence: see `Forecast`.
        notes: remarks for the user.

    Returns:
        The forecast of all R runs, in the table's order.
    """
    status = curve_status(table, arrays)
    unknown = np.isnan(quantiles).all(axis=(-2, -1)) & (arrays.lengths == 0) & (status == "ok")
    status[unknown] = "too_short"  # a forecaster that says nothing of a run that has not begun
    asked = epochs[:, None, :]
    known = (asked <= arrays.last_epochs[..., None]) | (status == "finished")[..., None]
    values = np.where(known[..., None], arrays.interpolate(epochs)[..., None], np.sort(quantiles, axis=-1))
    values[np.broadcast_to((asked == NO_EPOCH) | (status == "diverged")[..., None], known.shape)] = np.nan
    return Forecast(
        run_ids=table.run_ids,
        metrics=arrays.metrics,
        epochs=epochs,
        quantiles=values,
        status=status,
        observed=arrays.last_epochs,
        horizons=table.runs["horizon"].to_numpy(np.int64),
        correlation=correlation,
        persistence=persistence,
        notes=(*notes, *grid_note(epochs)),
        epoch_unit=table.epoch_unit,
    )
