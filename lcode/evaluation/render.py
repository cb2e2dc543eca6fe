"""A backtest as a table for the terminal."""

from __future__ import annotations

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from lcode.evaluation.backtest import Backtest
from lcode.show import numbers

_SHOWN = {
    "mape": "MAPE",
    "rmse": "RMSE",
    "final_mae": "final MAE",
    "kendall": "τ",
    "crps": "CRPS",
    "coverage90": "covers",
    "fit_seconds": "fit s",
}
"""The measures that fit a terminal of 80 columns; `--json` has them all."""

_NOMINAL_COVERAGE = 0.9


def backtest_table(result: Backtest) -> Table:
    """A section per metric, a row per forecaster: the mean of some measures over the seeds, the best in bold."""
    splits = f"{result.seeds} split{'s' if result.seeds > 1 else ''}"
    caption = (
        f"{result.runs} finished runs, {result.train_fraction:.0%} to learn from, {result.observe:.1%} of the horizon "
        f"observed, mean over {splits}; covers: share of the truth in the 90 % interval; --json gives all measures"
    )
    if unclear := _unclear(result):
        caption += (
            f"\nMAPE says little of {', '.join(unclear)}: values lie near 0, and a relative error grows without bound "
            "there; read final MAE, or RMSE"
        )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=caption, caption_justify="left", header_style="bold")
    table.add_column("forecaster", no_wrap=True)
    for heading in _SHOWN.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for metric, scores in result.to_frame().groupby(level="metric", sort=False):
        rows = scores.droplevel("metric")[list(_SHOWN)]
        best = _distance_to_best(rows).abs().round(9)
        best = best == best.min()
        table.add_row(Text(str(metric), style="italic"))
        columns = [_column(rows[measure].tolist(), best[measure].tolist()) for measure in _SHOWN]
        for name, *cells in zip(rows.index, *columns, strict=True):
            table.add_row(Text(f"  {name}"), *cells)
        table.add_section()
    return table


def _unclear(result: Backtest) -> list[str]:
    """Metrics near 0 of which a relative error is larger than the value itself."""
    mape = result.to_frame()["mape"].groupby(level="metric").max()
    return [key for key in result.near_zero if mape[key] >= 1]


def _distance_to_best(rows: pd.DataFrame) -> pd.DataFrame:
    """Scores turned so that the smallest absolute one is the best of its column."""
    turned = rows.copy()
    turned["kendall"] = 1 - turned["kendall"]
    turned["coverage90"] = turned["coverage90"] - _NOMINAL_COVERAGE
    return turned


def _column(values: list[float], best: list[bool]) -> list[str]:
    """A measure of all forecasters, the best in bold; what would need an exponent has one digit before it."""
    short = [
        f"{value:.0e}" if "e" in f"{value:.3g}" else text
        for value, text in zip(values, numbers(values, digits=3), strict=True)
    ]
    return [
        f"[bold]{text}[/bold]" if first and len(values) > 1 else text for text, first in zip(short, best, strict=True)
    ]
