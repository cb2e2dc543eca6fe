"""What is said of a model that was just fitted: what it learned from, and how far it can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from lcode.cli.console import err, out

if TYPE_CHECKING:
    from lcode.forecasters.lcgode import LCGODEForecaster
    from lcode.table import RunTable


def show_fit(model: LCGODEForecaster, table: RunTable) -> None:
    """Print how many runs were learned from, and whether the fit was cut short."""
    assert model.fitted is not None
    beside = f" and {related} related ones" if (related := model.related) else ""
    err.print(f"learned from {model.fitted.runs} finished runs of {len(table)}{beside}", highlight=False)
    if not model.fitted.report.steps:
        err.print("no network was adapted: so few finished runs are read as examples", highlight=False)
    weights = model.mean_weights().items()
    if weights:
        parts = ", ".join(f"{part} {100 * weight:.0f} %" for part, weight in weights)
        err.print(f"weights of the parts, learned on left-out runs: {parts}", highlight=False)
    if model.interrupted:
        err.print(f"[yellow]interrupted[/] after {model.fitted.report.steps} steps: the best model so far is kept")


def show_trust(model: LCGODEForecaster) -> None:
    """Print what the fit's own backtest says, and a warning where a simple forecast does as well."""
    from lcode.report.terminal import summary_table

    rows, warnings = model.trust()
    if rows:
        out.print("forecasts of runs that were left out: error of the final value (MAE) and order of the runs (τ),")
        out.print("beside what the last value and ExtraTrees forecast:")
        out.print(summary_table(rows))
    for warning in warnings:
        err.print(f"[yellow]warning:[/] {escape(warning)}", highlight=False)
