"""`mtl-runs sweep`: a sample of configurations, and how they are trained."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lcode.errors import LcodeError, UsageError
from mtl_runs.cli.deciding import DELTA_M, exchanging, freeze_thaw, monitor_of
from mtl_runs.cli.ends import resumable
from mtl_runs.cli.options import (
    Device,
    Epochs,
    Features,
    Out,
    ProblemName,
    Seed,
    Verbose,
    archs_of,
    balancers_of,
    device_of,
    only_one,
)
from mtl_runs.exchange import INTERVAL, PERTURBATION, QUANTILE, Exchange, out_of_range

if TYPE_CHECKING:
    from lcode.table import RunStatus
    from mtl_runs.problems import Problem
    from mtl_runs.sweeps.engine import Engine
    from mtl_runs.training import RunSpec


NAMED = 5
"""Failed runs that are named."""


def sweep(
    problem: ProblemName = "digits",
    runs: Annotated[int, typer.Option(min=1, help="How many configurations to sample.")] = 64,
    epochs: Epochs = 40,
    seed: Seed = 0,
    out: Out = Path("runs"),
    balancers: Annotated[
        str | None, typer.Option(help="Balancers to draw from, such as equal,cagrad, or `all`; default: eight of them.")
    ] = None,
    archs: Annotated[
        str | None,
        typer.Option(help="Architectures to draw from, such as mlp-64x2,cnn-8x2; `own`: the network of your problem."),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: one per core.")] = None,
    population: Annotated[int, typer.Option(min=1, help="Runs of equal shapes trained together, per process.")] = 16,
    memory: Annotated[
        float, typer.Option(min=0.01, max=1, help="Share of the memory that all populations together may take.")
    ] = 0.5,
    engine: Annotated[
        str,
        typer.Option(
            help="local | ray: the same, --on ray | pbt: runs that exchange networks and loss weights | suggest: "
            "runs are paused and gone on with by what is worth training next."
        ),
    ] = "local",
    on: Annotated[
        str | None,
        typer.Option(
            help="Whose processes train, whichever engine says what: local, those of this machine | ray, those of a "
            "Ray cluster (needs the extra `ray`); default: local, with --engine ray ray.",
            show_default=False,
        ),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Of suggest: epochs, all runs together; default: a quarter of those of all runs, or with --regret as "
            "many as it takes.",
        ),
    ] = None,
    exchange_every: Annotated[int, typer.Option(min=1, help="Of pbt: epochs between two exchanges.")] = INTERVAL,
    exchange_share: Annotated[
        float, typer.Option(help="Of pbt: share of the runs that is replaced, by copies of as many of the best.")
    ] = QUANTILE,
    perturb: Annotated[
        float, typer.Option(help="Of pbt: a copy's loss weights grow or shrink by this share.")
    ] = PERTURBATION,
    test: Annotated[
        bool, typer.Option("--test", help="At the end, measure the finished runs on the test data: OUT/test.csv.")
    ] = False,
    first: Annotated[int | None, typer.Option(min=1, help="Train only the first so many configurations.")] = None,
    single_task: Annotated[
        bool, typer.Option("--single-task", help="Also train each task alone, and write OUT/baseline.csv.")
    ] = False,
    stop_with: Annotated[
        str, typer.Option(help="Stop hopeless runs by forecasts: none, shipped, or a folder written by `lcode fit`.")
    ] = "none",
    regret: Annotated[
        str | None,
        typer.Option(
            help="What stopping, or with --engine suggest pausing, may lose: 0.5 (points of Δm), '0.03 spread' (best − "
            "median) or '0.5 sd'."
        ),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(help="Chance with which more than --regret may be lost; default: 0.1.", show_default=False),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="So many best runs are never stopped; default: 3, with --regret 2, of suggest with --regret 3.",
        ),
    ] = None,
    min_epochs: Annotated[
        int | None, typer.Option(min=1, help="No run is stopped before this epoch; default: 3, with --regret 2.")
    ] = None,
    finish_stopped: Annotated[
        bool, typer.Option("--finish-stopped", help="Train runs that were stopped earlier to the end.")
    ] = False,
    features: Features = False,
    device: Device = "auto",
    verbose: Verbose = False,
) -> None:
    """Train a sample of configurations; called again, go on where it was interrupted.

    With `--engine pbt` the sample is a population of one balancer, architecture and optimiser that searches for loss
    weights: the runs that do worst on validation data go on from the best, with weights that are a little changed.

    With `--engine suggest` no run is given up: each is trained for as many epochs as `lcode suggest` says, then the
    forecasts are made anew, until the budget is used up; with a larger one the same call goes on. With `--regret` it
    ends when no paused run is likely to be better than the best one by more than that.
    """
    from lcode.decisions import thaw_rule
    from mtl_runs.problems import make_problem
    from mtl_runs.sweeps import ProgressBar, Sweep, single_task_runs, write_baseline
    from mtl_runs.sweeps.logs import check_problem
    from mtl_runs.sweeps.pbt import MEAN_RANK
    from mtl_runs.training.config import check_features

    made, baseline_file = make_problem(problem), out / "baseline.csv"
    stopping = {"--regret": regret, "--alpha": alpha, "--keep": keep, "--min-epochs": min_epochs}
    place = _place(engine, on)
    _check_engine(engine, stop_with=stop_with, stopping=stopping, budget=budget, first=first)
    check_problem(out, made.name)
    if engine == "pbt":
        objective = DELTA_M if single_task or baseline_file.exists() else MEAN_RANK.name
        _check_exchange(exchange_every, exchange_share, perturb)
        rules = Exchange(0, runs, objective, seed, exchange_every, exchange_share, perturb)
        specs = _population(problem, made, rules, epochs=epochs, balancers=balancers, archs=archs)
    else:
        sample = _sample(problem, made, runs, epochs=epochs, seed=seed, balancers=balancers, archs=archs)
        specs = sample[: first or runs]
    if features:
        for spec in specs:  # before baselines are trained
            check_features(spec.config, made)
    processes = workers or os.cpu_count() or 1
    sweep_with = partial(
        Sweep,
        workers=processes,
        device=device_of(device),
        population=population,
        memory=memory,
        engine=place,
    )
    if single_task:
        used = dict.fromkeys(spec.config.arch for spec in specs)
        singles = single_task_runs(problem, [task.name for task in made.tasks], used, horizon=epochs, seed=seed)
        with resumable(), ProgressBar("single-task baselines") as bar:
            sweep_with(out / "single-task", listener=bar).run(singles)
        write_baseline(baseline_file, out / "single-task", singles)
    rule = thaw_rule(regret, alpha=alpha, keep=keep, min_epochs=min_epochs) if engine == "suggest" and regret else None
    monitor = monitor_of(
        stop_with, made, out, baseline_file, regret=regret, alpha=alpha, keep=keep, min_epochs=min_epochs
    )
    with resumable(), ProgressBar(f"{problem} sweep") as bar:
        trained = sweep_with(
            out,
            monitor=monitor,
            continue_stopped=finish_stopped or engine == "suggest",
            listener=bar,
            features=features,
        )
        population_of_runs = exchanging(trained, specs, baseline_file) if engine == "pbt" else None
        if engine == "suggest":
            thawing = freeze_thaw(
                trained,
                baseline_file,
                rule,
                budget=budget,
                whole=len(specs) * epochs,
                at_once=processes * population,
                tell=bar.note,
            )
            statuses = thawing.run(specs)
        else:
            statuses = (population_of_runs or trained).run(specs)
    _tell(statuses, out)
    if population_of_runs is not None:
        typer.echo(population_of_runs.summary(specs))
    if test:
        from mtl_runs.training.held_out import held_out_metrics, write_held_out

        finished = [spec for spec in specs if statuses.get(spec.run) == "finished"]
        write_held_out(out / "test.csv", held_out_metrics(made, finished, out, device=device_of(device)))
        typer.echo(f"test metrics of the finished runs: {out / 'test.csv'}")
    lost = [run for run, status in statuses.items() if status == "running"]
    if lost:
        raise LcodeError(
            f"these runs killed their worker processes and were given up: {', '.join(lost)}; is there enough memory?"
        )


def _place(engine: str, on: str | None) -> Engine:
    """Whose processes train.

    Raises:
        UsageError: the text says what there is, or which of two options to leave out.
    """
    from mtl_runs.sweeps.engine import ENGINES

    place = on or ("ray" if engine == "ray" else "local")
    if place not in ENGINES:
        raise UsageError(f"--on must be one of {', '.join(ENGINES)}; found '{place}'")
    if engine == "ray" and place != "ray":
        raise UsageError(f"--engine ray trains on Ray: leave out --on {place}, or --engine ray")
    return place


def _check_engine(
    engine: str, *, stop_with: str, stopping: Mapping[str, object], budget: int | None, first: int | None
) -> None:
    """Refuse an engine that there is not, and options that it cannot have.

    Raises:
        UsageError: the text says what to leave out.
    """
    from mtl_runs.sweeps.engine import ENGINES

    if engine not in (*ENGINES, "pbt", "suggest"):
        raise UsageError(f"engine must be one of {', '.join((*ENGINES, 'pbt', 'suggest'))}; found '{engine}'")
    if engine == "suggest" and stop_with != "none":
        raise UsageError("with --engine suggest runs are paused and none is stopped: leave out --stop-with")
    idle = [option for option, value in stopping.items() if value is not None]
    if idle and engine == "suggest" and "--regret" not in idle:
        raise UsageError(f"{idle[0]} belongs to a budget of regret: add --regret '0.03 spread', or leave it out")
    if idle and engine != "suggest" and stop_with == "none":
        raise UsageError(f"{idle[0]} says how runs are stopped, and none is: add --stop-with shipped, or leave it out")
    if budget is not None and engine != "suggest":
        raise UsageError("a --budget is for --engine suggest")
    if engine == "pbt" and (first is not None or stop_with != "none"):
        raise UsageError("the runs of a population depend on each other: leave out --first and --stop-with")


def _check_exchange(every: int, share: float, perturb: float) -> None:
    """Refuse rules of an exchange that it cannot have, by the names of their options.

    Raises:
        UsageError: the text gives the range.
    """
    for option, rule, value in (
        ("--exchange-every", "interval", every),
        ("--exchange-share", "quantile", share),
        ("--perturb", "perturbation", perturb),
    ):
        if text := out_of_range(rule, value):
            raise UsageError(f"{option} must be {text}; found {value}")


def _sample(
    name: str, problem: Problem, runs: int, *, epochs: int, seed: int, balancers: str | None, archs: str | None
) -> list[RunSpec]:
    """Configurations that are drawn from what was named, or else from what suits the problem."""
    from mtl_runs.sweeps import sample_runs
    from mtl_runs.sweeps.space import ARCHITECTURES, BALANCERS, archs_for

    return sample_runs(
        name,
        len(problem.tasks),
        runs,
        horizon=epochs,
        seed=seed,
        balancers=BALANCERS if balancers is None else balancers_of(balancers),
        archs=archs_for(problem, ARCHITECTURES) if archs is None else archs_of(archs, problem),
    )


def _population(
    name: str, problem: Problem, rules: Exchange, *, epochs: int, balancers: str | None, archs: str | None
) -> list[RunSpec]:
    """The members of a population, which have one balancer and one architecture."""
    from mtl_runs.sweeps import sample_population
    from mtl_runs.sweeps.pbt import population_of
    from mtl_runs.sweeps.space import SENSIBLE, archs_for

    specs = sample_population(
        name,
        len(problem.tasks),
        horizon=epochs,
        arch=only_one(
            archs_for(problem, (SENSIBLE.arch,))[:1] if archs is None else archs_of(archs, problem), "architecture"
        ),
        balancer=only_one(
            (SENSIBLE.balancer,) if balancers is None else balancers_of(balancers, drawn=False), "balancer"
        ),
        exchange=rules,
    )
    population_of(specs)  # refuses rules that cannot be kept
    return specs


def _tell(statuses: dict[str, RunStatus], out: Path) -> None:
    """How the runs ended, in a line, and those that failed."""
    from mtl_runs.sweeps.logs import failure

    counts = {status: list(statuses.values()).count(status) for status in dict.fromkeys(statuses.values())}
    typer.echo(f"{len(statuses)} runs in {out}: " + ", ".join(f"{n} {status}" for status, n in counts.items()))
    failed = [run for run, status in statuses.items() if status == "failed"]
    for run in failed[:NAMED]:
        typer.echo(f"  failed: {run}" + (f" ({why})" if (why := failure(out, run)) else ""))
    if len(failed) > NAMED:
        typer.echo(f"  … and {len(failed) - NAMED} more; the last line of each log says why")
