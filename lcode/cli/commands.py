"""The commands. Each reads, calls the library, and shows or writes what came out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from lcode.cli import options as opt
from lcode.cli.bench import bench
from lcode.cli.console import (
    StepsProgress,
    check_output,
    err,
    fit_progress,
    out,
    show_notes,
    steps_progress,
    write_frame,
    write_frames,
)
from lcode.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from lcode.forecasters.lcgode import LCGODEForecaster
    from lcode.table import RunTable

app = typer.Typer(
    help="Forecast the final performance of training runs from their first epochs, rank them, and stop them early. "
    "Add --verbose to any command to see tracebacks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(bench)


@app.command()
def fit(
    logs: opt.Logs,
    out_dir: Annotated[Path, typer.Option("--out", help="Folder to write the model to.")],
    graphs: opt.Graphs = None,
    target: opt.Targets = None,
    direction: opt.Directions = None,
    horizon: opt.Horizon = None,
    on_repeat: opt.Repeats = opt.OnRepeat.error,
    rates: opt.Rates = opt.RateKind.plan,
    start: Annotated[
        opt.Start, typer.Option("--from", help="Adapt the shipped model, or begin anew.")
    ] = opt.Start.shipped,
    related: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="LOGS",
            help="Logs of another problem with the same metrics, to learn from as well; may be repeated.",
            show_default=False,
        ),
    ] = None,
    paper: Annotated[bool, typer.Option("--paper", help="The published single-task recipe, from scratch.")] = False,
    device: opt.Device = None,
    seed: opt.Seed = 0,
) -> None:
    """Learn from the finished runs in LOGS and write a model folder."""
    from lcode.api import fit as fit_table
    from lcode.fitting.checkpoint import check_writable

    check_writable(out_dir)
    table = opt.read(logs, graphs, direction, target, horizon=horizon, on_repeat=on_repeat, rates=rates)
    targets = opt.target_keys(table, opt.parse_targets(target))
    known = {metric.key: metric.direction for metric in table.metrics}
    others = [
        opt.read(path, graphs, direction, known=known, on_repeat=on_repeat, rates=rates) for path in related or ()
    ]
    with fit_progress("fitting") as progress:
        model = fit_table(
            table,
            start=start.value,
            paper=paper,
            targets=targets,
            device=device,
            seed=seed,
            progress=progress,
            related=others,
        )
    model.save(out_dir)
    show_fit(model, table)
    show_trust(model)
    err.print(f"model written to {escape(str(out_dir))}", highlight=False)


@app.command()
def predict(
    logs: opt.Logs,
    out_path: Annotated[Path, typer.Option("--out", help="File to write: OUT.csv or OUT.parquet.")],
    model: opt.ModelDir = None,
    graphs: opt.Graphs = None,
    direction: opt.Directions = None,
    horizon: opt.Horizon = None,
    on_repeat: opt.Repeats = opt.OnRepeat.error,
    rates: opt.Rates = opt.RateKind.plan,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Every epoch up to the horizon (of more than 10,000 a grid), not the horizon alone."
        ),
    ] = False,
    device: opt.Device = None,
) -> None:
    """Forecast every run in LOGS and write one row per run and metric (and epoch, with --full)."""
    check_output(out_path, ".csv", ".parquet")
    forecaster, table = _model_and_table(logs, model, graphs, direction, horizon, on_repeat, rates, device)
    notes: dict[str, None] = {}
    with steps_progress("forecasting") as progress:
        write_frames(_blocks(forecaster, table, full, notes, progress), out_path)
    show_notes(list(notes))
    err.print(f"forecasts of {len(table)} runs written to {escape(str(out_path))}", highlight=False)


def _blocks(
    forecaster: LCGODEForecaster, table: RunTable, full: bool, notes: dict[str, None], progress: StepsProgress
) -> Iterator[pd.DataFrame]:
    """The forecasts of some runs after the others, and the remarks on them."""
    done = 0
    for forecast in forecaster.predict_in_blocks(table, "full" if full else "horizon"):
        notes.update(dict.fromkeys(forecast.notes))
        done += len(forecast.run_ids)
        yield forecast.to_frame()
        progress(done, len(table), f"{done} of {len(table)} runs")


@app.command()
def rank(
    logs: opt.Logs,
    out_path: Annotated[Path, typer.Option("--out", help="File to write: OUT.csv or OUT.parquet.")],
    model: opt.ModelDir = None,
    graphs: opt.Graphs = None,
    direction: opt.Directions = None,
    objective: opt.Objective = "delta_m",
    baseline: opt.Baseline = None,
    final: opt.Final = "horizon",
    horizon: opt.Horizon = None,
    on_repeat: opt.Repeats = opt.OnRepeat.error,
    rates: opt.Rates = opt.RateKind.plan,
    device: opt.Device = None,
    seed: opt.Seed = 0,
) -> None:
    """Rank the runs in LOGS by the score they are forecast to end with, and say which to stop."""
    from lcode.decisions import FinalValue
    from lcode.decisions import rank as rank_forecast
    from lcode.report.terminal import ranking_table

    check_output(out_path, ".csv", ".parquet")
    ends = FinalValue.parse(final)
    forecaster, table = _model_and_table(logs, model, graphs, direction, horizon, on_repeat, rates, device)
    forecast = forecaster.predict(table, ends.at)
    ranking = rank_forecast(forecast, objective, table=table, baseline=baseline, seed=seed, final=ends)
    write_frame(ranking.to_frame(), out_path)
    out.print(ranking_table(ranking, ends.of_forecast(forecast, table)))
    show_notes(ranking.notes)
    err.print(f"ranking of {len(table)} runs written to {escape(str(out_path))}", highlight=False)


@app.command()
def backtest(
    logs: opt.Logs,
    graphs: opt.Graphs = None,
    target: opt.Targets = None,
    direction: opt.Directions = None,
    horizon: opt.Horizon = None,
    on_repeat: opt.Repeats = opt.OnRepeat.error,
    rates: opt.Rates = opt.RateKind.plan,
    observe: Annotated[float, typer.Option(help="Share of the horizon that is seen.", min=0.0, max=0.99)] = 0.2,
    train_fraction: Annotated[
        float, typer.Option(help="Share of the finished runs to learn from.", min=0.05, max=0.95)
    ] = 0.75,
    seeds: Annotated[int, typer.Option(help="Number of random splits.", min=1)] = 3,
    forecasters: Annotated[
        str,
        typer.Option(help="Comma-separated: lcode, paper, last, best, drift, power, trees; an unknown name lists all."),
    ] = ("lcode,last,drift,power,trees"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Measure forecasters on the finished runs in LOGS: hide the end of some, forecast it, compare."""
    table = opt.read(logs, graphs, direction, target, horizon=horizon, on_repeat=on_repeat, rates=rates)
    from lcode.evaluation import backtest as run_backtest
    from lcode.evaluation.render import backtest_table

    names = tuple(name.strip() for name in forecasters.split(",") if name.strip())
    with steps_progress("backtest") as progress:
        result = run_backtest(
            table,
            observe=observe,
            train_fraction=train_fraction,
            seeds=seeds,
            forecasters=names,
            targets=opt.target_keys(table, opt.parse_targets(target)),
            progress=progress,
        )
    if as_json:
        typer.echo(json.dumps(result.to_json()))
    else:
        out.print(backtest_table(result))


@app.command()
def report(
    logs: opt.Logs,
    out_path: Annotated[Path, typer.Option("--out", help="File to write: OUT.html.")],
    model: opt.ModelDir = None,
    graphs: opt.Graphs = None,
    direction: opt.Directions = None,
    objective: opt.Objective = "delta_m",
    baseline: opt.Baseline = None,
    horizon: opt.Horizon = None,
    on_repeat: opt.Repeats = opt.OnRepeat.error,
    rates: opt.Rates = opt.RateKind.plan,
    device: opt.Device = None,
) -> None:
    """Write a self-contained HTML page: forecasts with their intervals, and the ranking."""
    check_output(out_path, ".html")
    forecaster, table = _model_and_table(logs, model, graphs, direction, horizon, on_repeat, rates, device)
    from lcode.decisions import rank as rank_forecast
    from lcode.report import write_report

    forecast = forecaster.predict(table, "full")
    ranking = rank_forecast(forecast, objective, table=table, baseline=baseline)
    show_notes(ranking.notes)
    write_report(out_path, title=f"Forecasts for {logs.name}", table=table, forecast=forecast, ranking=ranking)
    err.print(f"report written to {escape(str(out_path))}", highlight=False)


@app.command()
def demo(
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the logs, the table and the report.")] = Path(
        "lcode-demo"
    ),
    runs: Annotated[int, typer.Option(help="Number of multi-task runs.", min=16)] = 36,
    epochs: Annotated[int, typer.Option(help="Horizon of each run.", min=10)] = 30,
    seed: opt.Seed = 0,
) -> None:
    """Train a small multi-task sweep, stop hopeless runs by forecast, and show what was saved and what it cost."""
    from lcode.cli.demo import run_demo

    run_demo(out_dir, runs=runs, epochs=epochs, seed=seed)


def show_fit(model: LCGODEForecaster, table: RunTable) -> None:
    """Print how many runs were learned from, and whether the fit was cut short."""
    assert model.fitted is not None
    finished = int((table.runs["status"] == "finished").sum())
    beside = f" and {model.fitted.runs - finished} related ones" if model.fitted.runs > finished else ""
    err.print(f"learned from {min(model.fitted.runs, finished)} finished runs of {len(table)}{beside}", highlight=False)
    if model.fitted.blend is not None:
        weights = model.fitted.blend.mean_weights().items()
        parts = ", ".join(f"{part} {100 * weight:.0f} %" for part, weight in weights)
        err.print(f"weights of the parts, learned on left-out runs: {parts}", highlight=False)
    if model.fitted.report.interrupted:
        err.print(f"[yellow]interrupted[/] after {model.fitted.report.steps} steps: the best model so far is kept")


def show_trust(model: LCGODEForecaster) -> None:
    """Print what the fit's own backtest says, and a warning where a simple forecast does as well."""
    from lcode.report.terminal import summary_table

    rows, warnings = model.trust()
    if rows:
        out.print("forecasts of runs that were left out, beside the last value's and ExtraTrees' (ours/last/trees):")
        out.print(summary_table(rows))
    for warning in warnings:
        err.print(f"[yellow]warning:[/] {escape(warning)}", highlight=False)


def _model_and_table(
    logs: Path,
    model: Path | None,
    graphs: Path | None,
    direction: list[str] | None,
    horizon: float | None,
    on_repeat: opt.OnRepeat,
    rates: opt.RateKind,
    device: str | None,
) -> tuple[LCGODEForecaster, RunTable]:
    """Read the logs and load the model that a command was given; directions that the model knows need not be said."""
    from lcode.api import load

    forecaster = load(model, device=device)
    stated = opt.parse_directions(direction) or {}
    for metric in forecaster.known_metrics:
        if stated.get(metric.key, metric.direction) != metric.direction:
            raise UsageError(f"--direction {metric.key}: the model was fitted with {metric.direction}")
    known = {metric.key: metric.direction for metric in forecaster.known_metrics}
    table = opt.read(logs, graphs, direction, known=known, horizon=horizon, on_repeat=on_repeat, rates=rates)
    if (table.runs["status"] != "finished").any():
        forecaster = forecaster.in_context(table)
    for warning in forecaster.trust()[1]:
        err.print(f"[yellow]warning:[/] {escape(warning)}", highlight=False)
    if model is None and forecaster.fitted is not None and forecaster.fitted.preprocessor is not None:
        text = f"the forecasts take up {forecaster.fitted.runs} of these runs, which have finished"
        err.print(f"[yellow]note:[/] {text}; `lcode fit`, then --model, adapts the network too", highlight=False)
    return forecaster, table
