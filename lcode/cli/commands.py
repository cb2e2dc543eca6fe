"""The commands. Each reads, calls the library, and shows or writes what came out."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from lcode.cli import options as opt
from lcode.cli.baseline import baseline_for, check_baseline
from lcode.cli.bench import bench
from lcode.cli.console import (
    INTERRUPTED,
    check_output,
    err,
    fit_progress,
    out,
    show_notes,
    steps_progress,
    write_frame,
)
from lcode.cli.fitted import show_fit, show_trust
from lcode.cli.forecast_file import ForecastFile
from lcode.cli.log_source import LogSource, reads_logs
from lcode.cli.model_source import model_and_table
from lcode.cli.replay import replay
from lcode.cli.suggest import suggest
from lcode.cli.watch import watch
from lcode.errors import UsageError

app = typer.Typer(
    help="Forecast the final performance of training runs from their first epochs, rank them, and stop them early. "
    "Add --verbose to any command to see tracebacks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(bench)
app.command()(replay)
app.command()(watch)
app.command()(suggest)


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"lcode {metadata.version('lcode')}", highlight=False)
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the program itself."""


@app.command()
@reads_logs
def fit(
    source: LogSource,
    out_dir: Annotated[Path, typer.Option("--out", help="Folder to write the model to.")],
    target: opt.Targets = None,
    start: Annotated[
        opt.Start, typer.Option("--from", help="Start from the shipped model, or begin anew.")
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
    from lcode.ensemble.checkpoint import META, check_writable

    check_writable(out_dir)
    held = (out_dir / META).exists()
    table = source.table(target)
    targets = opt.target_keys(table, opt.parse_targets(target))
    known = {metric.key: metric.direction for metric in table.metrics}
    others = [replace(source, logs=path, horizon=None).table(known=known) for path in related or ()]
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
    if model.interrupted and held:
        err.print(f"[yellow]interrupted:[/] {escape(str(out_dir))} keeps the model that it had", highlight=False)
        raise typer.Exit(INTERRUPTED)
    model.save(out_dir)
    show_fit(model, table)
    show_trust(model)
    err.print(f"model written to {escape(str(out_dir))}", highlight=False)
    if model.interrupted:
        raise typer.Exit(INTERRUPTED)


@app.command()
@reads_logs
def predict(
    source: LogSource,
    out_path: opt.Out = None,
    model: opt.ModelDir = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Every epoch up to the horizon (of more than 10,000 a grid), not the horizon alone."
        ),
    ] = False,
    device: opt.Device = None,
) -> None:
    """Forecast every run in LOGS: one row per run and metric (and epoch, with --full), shown or written."""
    if out_path is None:
        if full:
            raise UsageError("--full gives every epoch of every run; name a file with --out OUT.csv")
        from lcode.report.terminal import forecast_table

        forecaster, table = model_and_table(source, model, device)
        forecast = forecaster.predict(table)
        out.print(forecast_table(forecast))
        show_notes(forecast.notes)
        return
    ForecastFile(out_path, source, model, device, "full" if full else "horizon").write()


@app.command()
@reads_logs
def rank(
    source: LogSource,
    out_path: opt.Out = None,
    model: opt.ModelDir = None,
    objective: opt.Objective = "delta_m",
    baseline: opt.Baseline = None,
    final: opt.Final = "horizon",
    constraint: opt.Constraints = None,
    regret: opt.Regret = None,
    alpha: opt.Alpha = None,
    device: opt.Device = None,
    seed: opt.Seed = 0,
) -> None:
    """Rank the runs in LOGS by the score they are forecast to end with, and say which to stop."""
    from lcode.decisions import FinalValue
    from lcode.decisions import rank as rank_forecast
    from lcode.report.terminal import ranking_table

    if out_path is not None:
        check_output(out_path, ".csv", ".parquet", logs=source.logs)
    check_baseline(baseline)
    ends = FinalValue.parse(final)
    forecaster, table = model_and_table(source, model, device)
    baseline = baseline_for(source.logs, baseline, objective, table)
    forecast = forecaster.predict(table, ends.at)
    ranking = rank_forecast(
        forecast,
        objective,
        table=table,
        baseline=baseline,
        seed=seed,
        final=ends,
        constraints=constraint or (),
        regret=regret,
        alpha=alpha,
    )
    if out_path is not None:
        write_frame(ranking.to_frame(), out_path)
    out.print(ranking_table(ranking, ends.of_forecast(forecast, table, ranking.objective), table=table))
    show_notes(ranking.notes)
    if out_path is not None:
        err.print(f"ranking of {len(table)} runs written to {escape(str(out_path))}", highlight=False)


@app.command()
@reads_logs
def backtest(
    source: LogSource,
    target: opt.Targets = None,
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
    table = source.table(target)
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
@reads_logs
def report(
    source: LogSource,
    out_path: Annotated[Path, typer.Option("--out", help="File to write: OUT.html.")],
    model: opt.ModelDir = None,
    objective: opt.Objective = "delta_m",
    baseline: opt.Baseline = None,
    constraint: opt.Constraints = None,
    device: opt.Device = None,
) -> None:
    """Write a self-contained HTML page: forecasts with their intervals, and the ranking."""
    check_output(out_path, ".html")
    check_baseline(baseline)
    forecaster, table = model_and_table(source, model, device)
    from lcode.decisions import rank as rank_forecast
    from lcode.report import Trust, headline, page_epochs, write_report

    baseline = baseline_for(source.logs, baseline, objective, table)
    forecast = forecaster.predict(table, page_epochs(table))
    ranking = rank_forecast(forecast, objective, table=table, baseline=baseline, constraints=constraint or ())
    show_notes(ranking.notes)
    learned = 0 if forecaster.fitted is None or not forecaster.known_metrics else forecaster.fitted.runs
    title = f"Forecasts for {source.logs.resolve().name}"
    trust = Trust(*forecaster.trust(), learned_from=learned)
    write_report(out_path, title=title, table=table, forecast=forecast, ranking=ranking, trust=trust)
    told = headline(forecast, ranking, table)
    out.print(escape(f"{told.sentence} {told.caveat}".strip()), highlight=False)
    err.print(f"report written to {escape(str(out_path))}", highlight=False)


@app.command()
@reads_logs
def inspect(
    source: LogSource,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Write the choices to FILE.json, for --mapping.")
    ] = None,
) -> None:
    """Say in full what is understood of LOGS: runs, curves, signals, configuration, and what is odd about them."""
    from lcode.report.oddities import oddities
    from lcode.report.terminal import runs_table

    if save is not None:
        check_output(save, ".json", option="--save")
    table = source.table(brief=False)
    out.print(runs_table(table))
    for oddity in oddities(table):
        out.print(escape(f"odd: {oddity}"), highlight=False)
    if save is not None:
        source.choices().save(save)
        err.print(f"choices written to {escape(str(save))}; give them to any command with --mapping", highlight=False)


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
