"""How good forecasts, rankings and intervals were. Pure numpy; a truth of NaN (a diverged curve) is left out.

Shapes: C curves (runs of one metric), Q epochs after the prefix, L quantile levels. A curve whose truth or forecast
has no finite cell at all is left out of the mean; `usable_curves` counts the others.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lcode.forecast import LEVELS
from lcode.table import Direction

Array = NDArray[np.float64]

MAPE_FLOOR = 1e-3
"""MAPE divides by |truth|, but by no less than this share of the mean |truth| of all curves: errors and losses near
zero would otherwise decide the mean alone. Curves within three decades of each other are not touched by it."""


def mape(truth: Array, predicted: Array) -> float:
    """Mean absolute relative error over each curve's epochs, averaged over curves, as a share (0.05 = 5 %), [C, Q]."""
    size = np.abs(truth)
    floor = max(MAPE_FLOOR * _mean(size.reshape(1, -1)), np.finfo(float).tiny)
    return _mean(np.abs(predicted - truth) / np.maximum(size, floor))


def mae(truth: Array, predicted: Array) -> float:
    """Mean absolute error over each curve's epochs, averaged over curves, in natural units, [C, Q]."""
    return _mean(np.abs(predicted - truth))


def rmse(truth: Array, predicted: Array) -> float:
    """Root mean squared error over each curve's epochs, averaged over curves, in natural units, [C, Q]."""
    squared = _row_means((predicted - truth) ** 2)
    return float(np.sqrt(squared).mean()) if len(squared) else float("nan")


def standardised(truth: Array, mean: Array, std: Array, spread: float) -> tuple[float, float]:
    """RMSE and negative log likelihood per value, over all values of all curves alike, in units of a spread.

    The likelihood is that of a normal distribution with a forecast's mean and deviation. It is NaN for forecasts
    without a deviation.

    Args:
        truth: [C, Q].
        mean: of the forecasts, [C, Q].
        std: their deviations, [C, Q].
        spread: deviation of the metric's values.
    """
    known = np.isfinite(truth) & np.isfinite(mean)
    away, wide = ((truth - mean)[known] / spread), std[known] / spread
    if not known.any():
        return float("nan"), float("nan")
    rmse = float(np.sqrt((away**2).mean()))
    if not (wide > 0).all():
        return rmse, float("nan")
    return rmse, float((np.log(wide) + 0.5 * (away / wide) ** 2).mean() + 0.5 * np.log(2 * np.pi))


def final_mae(truth: Array, predicted: Array) -> float:
    """Mean absolute error at the horizon, in natural units, both [C]."""
    return _mean(np.abs(predicted - truth)[:, None])


def kendall(truth: Array, predicted: Array) -> float:
    """Kendall's rank correlation (tau-b) of final values, [C]; NaN where either side is constant."""
    return _correlation(stats.kendalltau, truth, predicted)


def spearman(truth: Array, predicted: Array) -> float:
    """Spearman's rank correlation of final values, [C]; NaN where either side is constant."""
    return _correlation(stats.spearmanr, truth, predicted)


def top1_regret(truth: Array, predicted: Array, direction: Direction) -> float:
    """How much worse the run that was predicted best turned out than the truly best one, in natural units, [C]."""
    return _regret(truth, predicted, direction, 1)


def top10_regret(truth: Array, predicted: Array, direction: Direction) -> float:
    """As `top1_regret`, for the truly best among the tenth of the runs (at least one) that was predicted best, [C]."""
    return _regret(truth, predicted, direction, -(-len(_both(truth, predicted)[0]) // 10))


def crps(truth: Array, quantiles: Array) -> float:
    """Continuous ranked probability score, in natural units: twice the pinball loss, integrated over the levels.

    The quantile function is constant beyond the outer levels, so the score of a point forecast (all levels equal) is
    its absolute error. Averaged over each curve's epochs, then over curves (Gneiting & Raftery 2007, section 4.2).

    Args:
        truth: shape [C, Q].
        quantiles: values at `LEVELS`, shape [C, Q, L].
    """
    levels = np.array([0.0, *LEVELS, 1.0])
    padded = np.concatenate([quantiles[..., :1], quantiles, quantiles[..., -1:]], axis=-1)
    over = truth[..., None] - padded
    pinball = np.maximum(levels * over, (levels - 1) * over)
    return _mean(((pinball[..., 1:] + pinball[..., :-1]) * np.diff(levels)).sum(-1))


def coverage90(truth: Array, quantiles: Array) -> float:
    """Share of each curve's values within the 5 % and 95 % quantiles, averaged over curves; [C, Q] and [C, Q, L]."""
    low, high = (quantiles[..., int(np.argmin(np.abs(LEVELS - level)))] for level in (0.05, 0.95))
    inside = ((low <= truth) & (truth <= high)).astype(float)
    return _mean(np.where(np.isfinite(truth) & np.isfinite(low), inside, np.nan))


def usable_curves(truth: Array, predicted: Array) -> NDArray[np.bool_]:
    """Which curves have at least one epoch with a finite truth and a finite forecast, shape [C]."""
    return np.asarray(np.isfinite(predicted - truth).any(axis=-1))


def _row_means(cells: Array) -> Array:
    """Mean of each row's finite cells; rows without one are dropped."""
    finite = np.isfinite(cells)
    count = finite.sum(-1)
    return np.where(finite, cells, 0.0).sum(-1)[count > 0] / count[count > 0]


def _mean(cells: Array) -> float:
    rows = _row_means(cells)
    return float(rows.mean()) if len(rows) else float("nan")


def _both(truth: Array, predicted: Array) -> tuple[Array, Array]:
    known = np.isfinite(truth) & np.isfinite(predicted)
    return truth[known], predicted[known]


def _correlation(of: object, truth: Array, predicted: Array) -> float:
    truth, predicted = _both(truth, predicted)
    if len(truth) < 2 or np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        return float(of(truth, predicted).statistic)  # type: ignore[operator]


def _regret(truth: Array, predicted: Array, direction: Direction, kept: int) -> float:
    truth, predicted = _both(truth, predicted)
    if not len(truth):
        return float("nan")
    sign = 1.0 if direction == "min" else -1.0
    chosen = np.argsort(sign * predicted, kind="stable")[:kept]
    return float((sign * truth[chosen]).min() - (sign * truth).min())
