"""The model that a command forecasts with, fitted or shipped, and the logs as it wants them read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from lcode.cli import options as opt
from lcode.cli.console import err
from lcode.cli.log_source import LogSource
from lcode.ensemble.settings import SETTINGS
from lcode.errors import UsageError

if TYPE_CHECKING:
    from lcode.forecasters.lcgode import LCGODEForecaster
    from lcode.table import Direction, RunTable


def loaded_model(source: LogSource, model: Path | None, device: str | None) -> LCGODEForecaster:
    """The model in that folder, or the shipped one.

    Raises:
        UsageError: the user states another direction of a metric than the model was fitted with.
        CheckpointError: the folder holds no model that can be read.
    """
    from lcode.api import load

    forecaster = load(model, device=device)
    stated = opt.parse_directions(source.direction) or {}
    for metric in forecaster.known_metrics:
        if stated.get(metric.key, metric.direction) != metric.direction:
            raise UsageError(f"--direction {metric.key}: the model was fitted with {metric.direction}")
    return forecaster


def known_directions(forecaster: LCGODEForecaster) -> dict[str, Direction]:
    """The directions that the model knows, which need not be said."""
    return {metric.key: metric.direction for metric in forecaster.known_metrics}


def table_for(forecaster: LCGODEForecaster, source: LogSource, *, told: bool = True) -> RunTable:
    """Read the logs; directions that the model knows need not be said."""
    return source.table(known=known_directions(forecaster), told=told)


def model_and_table(source: LogSource, model: Path | None, device: str | None) -> tuple[LCGODEForecaster, RunTable]:
    """Read the logs and load the model that a command was given; it takes up the runs that have finished."""
    loaded = forecaster = loaded_model(source, model, device)
    table = table_for(loaded, source)
    if (table.runs["status"] != "finished").any():
        with err.status("learning from the finished runs"):
            forecaster = loaded.in_context(table)
    told_model(loaded, forecaster, table)
    return forecaster, table


def told_model(loaded: LCGODEForecaster, forecaster: LCGODEForecaster, table: RunTable) -> None:
    """Say on stderr how far a model is to be trusted on these runs, and what it has learned from them since loaded."""
    if loaded.interrupted:
        err.print("[yellow]note:[/] the model's fit was interrupted; `lcode fit` again makes a whole one")
    for warning in forecaster.trust(table)[1]:
        err.print(f"[yellow]warning:[/] {escape(warning)}", highlight=False)
    runs = forecaster.learned_from - loaded.learned_from
    if not runs:
        return
    many = forecaster.learned_from > SETTINGS.few
    if loaded.learned_from:
        more = "; `lcode fit` adapts the networks to them too" if many else ""
        text = f"the forecasts take up {runs} runs that finished after the fit{more}"
    else:
        more = "; `lcode fit`, then --model, adapts the networks too" if many else ""
        text = f"the forecasts take up {runs} of these runs, which have finished{more}"
    err.print(f"[yellow]note:[/] {text}", highlight=False)
