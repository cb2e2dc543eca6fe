"""The value a finished run ended with, and the score that a forecast says it will end with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lcode.decisions.objective import Objective
from lcode.forecast import Forecast
from lcode.table import RunTable


def final_values(table: RunTable) -> NDArray[np.float64]:
    """Last value of each curve in natural units, shape [R, K]; NaN for a curve that diverged or has no point."""
    points = table.points
    row = points["run"].cat.codes.to_numpy().astype(np.int64)
    position = {metric.key: k for k, metric in enumerate(table.metrics)}
    columns = np.array([position[str(key)] for key in points["metric"].cat.categories], dtype=np.int64)
    column = columns[points["metric"].cat.codes.to_numpy()]
    value = points["value"].to_numpy(float)
    final = np.full((len(table), len(table.metrics)), np.nan)
    # Points are sorted by epoch within a curve, and the last of several assignments to a cell stays.
    final[row, column] = value
    bad = ~np.isfinite(value)
    final[row[bad], column[bad]] = np.nan
    return final


def score_samples(
    forecast: Forecast,
    objective: Objective,
    *,
    n: int,
    seed: int,
    archs: Sequence[str | None] | None = None,
) -> NDArray[np.float64]:
    """Samples of each run's score at its horizon, shape [n, R]; NaN where a metric has no forecast."""
    samples = forecast.final().sample(n, seed=seed)[..., 0]
    return objective.score(samples, forecast.metrics, archs)


def forecast_rows(forecast: Forecast, index: NDArray[np.intp]) -> Forecast:
    """The forecast of these runs alone, in this order."""
    return replace(
        forecast,
        run_ids=tuple(forecast.run_ids[i] for i in index),
        epochs=forecast.epochs[index],
        quantiles=forecast.quantiles[index],
        status=forecast.status[index],
        observed=forecast.observed[index],
        horizons=forecast.horizons[index],
    )
