"""What the left-out folds say of a model beside the last value: stored with it and shown to the user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lcode.fitting.calibration import Calibration, OutOfFold
from lcode.tensors.collate import Preprocessor


def left_out_figures(
    forecasts: list[OutOfFold], preprocessor: Preprocessor, calibration: Calibration
) -> dict[str, Any]:
    """How well each prefix forecasts the left-out runs' final values, beside the last value.

    Returns:
        For each share of the horizon and metric: `final_mae`, `last_final_mae` in natural units and `coverage90`.
    """
    figures: dict[str, Any] = {}
    for before, part in zip([None, *forecasts], forecasts, strict=False):
        if before is not None and np.array_equal(before.cutoffs, part.cutoffs):
            continue  # a short horizon: 5 % of it is the first epoch again
        # Where more is better, model space runs the other way.
        widened = calibration.widen(part.quantiles, np.full(len(part.quantiles), part.share))
        quantiles = np.sort(preprocessor.values.unscale(widened[:, :, -1]), axis=-1)
        truth = preprocessor.values.unscale(part.truth[..., -1])
        last = preprocessor.values.unscale(part.last)
        inside = (truth >= quantiles[..., 1]) & (truth <= quantiles[..., -2])
        known = np.isfinite(truth)
        figures[f"{part.share:g}"] = {
            metric.key: {
                "final_mae": float(np.abs(quantiles[:, k, 10] - truth[:, k])[known[:, k]].mean()),
                "last_final_mae": float(np.abs(last[:, k] - truth[:, k])[known[:, k]].mean()),
                "coverage90": float(inside[:, k][known[:, k]].mean()),
            }
            for k, metric in enumerate(preprocessor.metrics)
            if known[:, k].any()
        }
    return figures


def trust_rows(backtest: dict[str, Any]) -> list[dict[str, str]]:
    """The figures as rows for a table: one per metric and prefix."""
    return [
        {
            "metric": metric,
            "seen": "first epoch" if share == "0" else f"{100 * float(share):.0f} %",
            "final MAE": f"{values['final_mae']:.4g}",
            "last value's": f"{values['last_final_mae']:.4g}",
            "90 % interval covers": f"{100 * values['coverage90']:.0f} %",
        }
        for share, metrics in backtest.items()
        for metric, values in metrics.items()
    ]


def trust_warnings(backtest: dict[str, Any]) -> list[str]:
    """Plain sentences where the last value forecasts as well, or where the intervals are off."""
    worse = _places(backtest, lambda v: v["final_mae"] >= v["last_final_mae"])
    narrow = _places(backtest, lambda v: v["coverage90"] < 0.75)
    warnings = []
    if worse:
        warnings.append(f"on left-out runs the last value forecasts the final value as well or better: {worse}")
    if narrow:
        warnings.append(f"on left-out runs the 90 % interval covers less than 75 %: {narrow}")
    return warnings


def _places(backtest: dict[str, Any], is_bad: Any) -> str:
    found: Sequence[str] = [
        f"{metric} at {'the first epoch' if share == '0' else f'{100 * float(share):.0f} % seen'}"
        for share, metrics in backtest.items()
        for metric, values in metrics.items()
        if is_bad(values)
    ]
    return ", ".join(found)
