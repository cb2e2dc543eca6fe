"""A backtest as a table for the terminal."""

from __future__ import annotations

import pandas as pd
from rich.table import Table

from lcode.evaluation.backtest import MEASURES, Backtest

_HIGHER_IS_BETTER = ("kendall", "spearman")
_NOMINAL_COVERAGE = 0.9


def backtest_table(result: Backtest) -> Table:
    """Rows: metric × forecaster; columns: the measures, mean over the seeds; the best of each metric in bold."""
    caption = (
        f"{result.runs} finished runs, {result.train_fraction:.0%} to learn from, {result.observe:.1%} of the horizon "
        f"observed, mean over {result.seeds} split{'s' if result.seeds > 1 else ''}"
    )
    table = Table(title="Backtest", caption=caption, header_style="bold")
    table.add_column("metric")
    table.add_column("forecaster")
    for measure in MEASURES:
        table.add_column(measure.replace("_", " "), justify="right")
    for metric, scores in result.to_frame().groupby(level="metric", sort=False):
        rows = scores.droplevel("metric")[list(MEASURES)]
        best = _distance_to_best(rows).abs().round(9)
        best = best == best.min()
        for number, name in enumerate(rows.index):
            cells = [_cell(rows[m][name], bool(best[m][name]) and len(rows) > 1) for m in MEASURES]
            table.add_row(str(metric) if number == 0 else "", str(name), *cells)
        table.add_section()
    return table


def _distance_to_best(rows: pd.DataFrame) -> pd.DataFrame:
    """Scores turned so that the smallest absolute one is the best of its column."""
    turned = rows.copy()
    for column in _HIGHER_IS_BETTER:
        turned[column] = 1 - turned[column]
    turned["coverage90"] = turned["coverage90"] - _NOMINAL_COVERAGE
    return turned


def _cell(value: float, best: bool) -> str:
    text = "–" if pd.isna(value) else f"{value:.4g}" if abs(value) < 1e4 else f"{value:.2e}"
    return f"[bold]{text}[/bold]" if best else text
