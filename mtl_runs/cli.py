"""The command line `mtl-runs`. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from lcode.errors import LcodeError, UsageError, refusal
from mtl_runs.exchange import INTERVAL, PERTURBATION, QUANTILE, Exchange
from mtl_runs.options import balancers_of, default_archs, device_of, loss_weights_of, names_of, only_one, setting_of

if TYPE_CHECKING:
    from lcode.table.runlog import RunHeader
    from mtl_runs.problems import Problem
    from mtl_runs.sweeps import PopulationBasedTraining, RunMonitor, Sweep
    from mtl_runs.sweeps.engine import Engine
    from mtl_runs.sweeps.freeze_thaw import Suggest
    from mtl_runs.training import RunSpec
    from mtl_runs.training.config import OptimizerName, Reduction

app = typer.Typer(
    name="mtl-runs",
    help="Train multi-task networks, one or a sweep of them, and log every epoch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DELTA_M = "delta_m"
"""The objective by which runs are stopped, and members of a population compared."""

Out = Annotated[Path, typer.Option(help="Folder of the run logs.")]
ProblemName = Annotated[
    str, typer.Option(help="Multi-task problem; `mtl-runs problems` lists them; or one of your own: my.py:make.")
]
Epochs = Annotated[int, typer.Option(min=1, help="Epochs of every run.")]
Seed = Annotated[int, typer.Option(min=0, help="Decides everything random.")]
Device = Annotated[str, typer.Option(help="auto | cpu | cuda")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show the traceback of an error.")]


@app.command()
def train(
    problem: ProblemName = "digits",
    arch: Annotated[
        str | None,
        typer.Option(help="Architecture; `mtl-runs architectures` lists the forms; default: mlp-64x2, or `own`."),
    ] = None,
    balancer: Annotated[str, typer.Option(help="How tasks are balanced; `mtl-runs balancers` lists them.")] = "equal",
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="Setting of the balancer, such as c=0.4 or weights=1,1,0.1.")
    ] = None,
    loss_weights: Annotated[
        str | None, typer.Option(help="Factor on each task's loss before balancing, such as left=1,right=1,sum=0.1.")
    ] = None,
    optimizer: Annotated[str, typer.Option(help="sgd | adam")] = "sgd",
    lr: Annotated[float, typer.Option(help="Learning rate of the first epoch.")] = 0.05,
    momentum: Annotated[float, typer.Option(help="Momentum of SGD.")] = 0.9,
    weight_decay: Annotated[float, typer.Option(help="L2 penalty.")] = 0.0,
    schedule: Annotated[str, typer.Option(help="constant | cosine | step")] = "cosine",
    batch_size: Annotated[int, typer.Option(help="Samples per step.")] = 128,
    reduction: Annotated[str, typer.Option(help="mean | sum over tasks: sum is K times the mean.")] = "mean",
    clip: Annotated[
        float | None,
        typer.Option(help="Longest shared gradient after balancing; 0 = no clip; default: as in the method's trainer."),
    ] = None,
    flat_radius: Annotated[float, typer.Option(help="Radius of per-task flat-minima training; 0 = off.")] = 0.0,
    auto_lr: Annotated[int, typer.Option(help="Fit the learning rate anew every so many steps; 0 = never.")] = 0,
    teleport_from: Annotated[int, typer.Option(help="First epoch with COST's teleports; 0 = never.")] = 0,
    task: Annotated[list[str] | None, typer.Option(help="Train on this task only (repeat for more).")] = None,
    test: Annotated[bool, typer.Option("--test", help="At the end, measure on the test data too.")] = False,
    epochs: Epochs = 40,
    seed: Seed = 0,
    out: Out = Path("runs"),
    run: Annotated[str | None, typer.Option(help="Name of the run; default: from balancer, arch and seed.")] = None,
    device: Device = "auto",
    verbose: Verbose = False,
) -> None:
    """Train one run, or go on with one that was interrupted."""
    import torch

    from mtl_runs.problems import make_problem
    from mtl_runs.training import RunConfig, RunSpec
    from mtl_runs.training import train as train_run

    torch.set_num_threads(1)
    made = make_problem(problem)
    tasks = tuple(task) if task else None
    names = [t.name for t in (made.restrict(tasks) if tasks else made).tasks]
    arch = arch or default_archs(made, (RunConfig.arch,))[0]
    config = RunConfig(
        arch=arch,
        balancer=balancer,
        balancer_settings=dict(setting_of(text) for text in setting or []),
        loss_weights=loss_weights_of(loss_weights, names),
        optimizer=cast("OptimizerName", optimizer),  # RunConfig refuses other words
        lr=lr,
        momentum=momentum,
        weight_decay=weight_decay,
        schedule=schedule,
        batch_size=batch_size,
        reduction=cast("Reduction", reduction),
        clip=clip,
        tasks=tasks,
        flat_radius=flat_radius,
        auto_lr=auto_lr,
        teleport_from=teleport_from,
    )
    name = run or f"{balancer}-{arch}-s{seed}"

    def show(epoch: int, values: Any, signals: Any) -> None:
        typer.echo(f"epoch {epoch:>4}/{epochs}  " + "  ".join(f"{key} {value:.4g}" for key, value in values.items()))

    with _resumable():
        result = train_run(
            made,
            config,
            run=name,
            seed=seed,
            folder=out,
            horizon=epochs,
            on_epoch=show,
            device=device_of(device),
            continue_stopped=True,
        )
    typer.echo(f"{result.status} at epoch {result.epoch}: {out / f'{name}.jsonl'}")
    if test and result.status == "finished":
        from mtl_runs.training.held_out import held_out_metrics

        spec = RunSpec(name, problem, config, seed, epochs)
        (values,) = held_out_metrics(made, [spec], out, device=device_of(device)).values()
        typer.echo("on test data: " + "  ".join(f"{key} {value:.4g}" for key, value in values.items()))


@app.command()
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
            help="local | ray (needs the extra `ray`) | pbt: runs that exchange networks and loss weights | suggest: "
            "runs are paused and gone on with by what is worth training next."
        ),
    ] = "local",
    budget: Annotated[
        int | None,
        typer.Option(min=1, help="Of suggest: epochs, all runs together; default: a quarter of those of all runs."),
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
        typer.Option(help="What stopping may lose: 0.5 (points of Δm), '0.03 spread' (best − median) or '0.5 sd'."),
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="So many best runs are never stopped; default: 3, with --regret 2.")
    ] = None,
    min_epochs: Annotated[
        int | None, typer.Option(min=1, help="No run is stopped before this epoch; default: 3, with --regret 2.")
    ] = None,
    finish_stopped: Annotated[
        bool, typer.Option("--finish-stopped", help="Train runs that were stopped earlier to the end.")
    ] = False,
    device: Device = "auto",
    verbose: Verbose = False,
) -> None:
    """Train a sample of configurations; called again, go on where it was interrupted.

    With `--engine pbt` the sample is a population of one balancer, architecture and optimiser that searches for loss
    weights: the runs that do worst on validation data go on from the best, with weights that are a little changed.

    With `--engine suggest` no run is given up: each is trained for as many epochs as `lcode suggest` says, then the
    forecasts are made anew, until the budget is used up; with a larger one the same call goes on.
    """
    from mtl_runs.problems import make_problem
    from mtl_runs.sweeps import (
        FreezeThaw,
        ProgressBar,
        Sweep,
        sample_population,
        sample_runs,
        single_task_runs,
        write_baseline,
    )
    from mtl_runs.sweeps.engine import ENGINES
    from mtl_runs.sweeps.pbt import MEAN_RANK, population_of
    from mtl_runs.sweeps.space import ARCHITECTURES, BALANCERS, SENSIBLE

    made = make_problem(problem)
    tasks = [task.name for task in made.tasks]
    baseline_file = out / "baseline.csv"
    if engine not in (*ENGINES, "pbt", "suggest"):
        raise UsageError(f"engine must be one of {', '.join((*ENGINES, 'pbt', 'suggest'))}; found '{engine}'")
    if engine == "suggest" and stop_with != "none":
        raise UsageError("with --engine suggest runs are paused and none is stopped: leave out --stop-with")
    if budget is not None and engine != "suggest":
        raise UsageError("a --budget is for --engine suggest")
    if engine == "pbt":
        if first is not None or stop_with != "none":
            raise UsageError("the runs of a population depend on each other: leave out --first and --stop-with")
        objective = DELTA_M if single_task or baseline_file.exists() else MEAN_RANK.name
        specs = sample_population(
            problem,
            len(tasks),
            horizon=epochs,
            arch=only_one(names_of(archs) if archs else default_archs(made, (SENSIBLE.arch,)), "architecture"),
            balancer=only_one(balancers_of(balancers or SENSIBLE.balancer), "balancer"),
            exchange=Exchange(0, runs, objective, seed, exchange_every, exchange_share, perturb),
        )
        population_of(specs)
    else:
        specs = sample_runs(
            problem,
            len(tasks),
            runs,
            horizon=epochs,
            seed=seed,
            balancers=BALANCERS if balancers is None else balancers_of(balancers),
            archs=default_archs(made, ARCHITECTURES) if archs is None else names_of(archs),
        )[: first or runs]
    sweep_with = partial(
        Sweep,
        workers=workers or os.cpu_count() or 1,
        device=device_of(device),
        population=population,
        memory=memory,
        engine=cast("Engine", "local" if engine in ("pbt", "suggest") else engine),
    )
    if single_task:
        used = dict.fromkeys(spec.config.arch for spec in specs)
        singles = single_task_runs(problem, tasks, used, horizon=epochs, seed=seed)
        with _resumable(), ProgressBar("single-task baselines") as bar:
            sweep_with(out / "single-task", listener=bar).run(singles)
        write_baseline(baseline_file, out / "single-task", singles)
    monitor = _monitor(stop_with, made, out, baseline_file, regret=regret, keep=keep, min_epochs=min_epochs)
    with _resumable(), ProgressBar(f"{problem} sweep") as bar:
        trained = sweep_with(out, monitor=monitor, continue_stopped=finish_stopped, listener=bar)
        exchanging = _exchanging(trained, specs, baseline_file) if engine == "pbt" else None
        if engine == "suggest":
            suggested = _suggesting(trained, baseline_file, at_once=(workers or os.cpu_count() or 1) * population)
            statuses = FreezeThaw(trained, suggested, budget or len(specs) * epochs // 4 or 1).run(specs)
        else:
            statuses = (exchanging or trained).run(specs)
    counts = {status: list(statuses.values()).count(status) for status in dict.fromkeys(statuses.values())}
    typer.echo(f"{len(statuses)} runs in {out}: " + ", ".join(f"{n} {status}" for status, n in counts.items()))
    if exchanging is not None:
        typer.echo(exchanging.summary(specs))
    if test:
        from mtl_runs.training.held_out import held_out_metrics, write_held_out

        finished = [spec for spec in specs if statuses.get(spec.run) == "finished"]
        write_held_out(out / "test.csv", held_out_metrics(made, finished, out, device=device_of(device)))
        typer.echo(f"test metrics of the finished runs: {out / 'test.csv'}")
    if "running" in counts:
        lost = ", ".join(run for run, status in statuses.items() if status == "running")
        raise LcodeError(f"these runs killed their worker processes and were given up: {lost}; is there enough memory?")


@app.command()
def problems(verbose: Verbose = False) -> None:
    """List the multi-task problems."""
    from lcode.errors import DataNotFoundError
    from mtl_runs.problems import FOLDERS, FORM, PROBLEMS, make_problem

    for name in PROBLEMS:
        try:
            made = make_problem(name)
        except DataNotFoundError as error:
            typer.echo(f"{name}: {error}")
            continue
        metrics = ", ".join(f"{metric.key} ({metric.direction})" for metric in made.metrics)
        sizes = f"{len(made.train)} / {len(made.validation)} / {len(made.test)} samples"
        typer.echo(f"{name}: {metrics}; {sizes} to train / validate / test")
    for kind, maker in FOLDERS.items():
        typer.echo(f"{kind}:FOLDER: {(maker.__doc__ or '').splitlines()[0]}")
    typer.echo(f"{FORM}: a problem, and perhaps a network, of your own; FUNCTION returns a mtl_runs.problems.Problem")


@app.command()
def balancers(verbose: Verbose = False) -> None:
    """List the balancers with their settings."""
    from inspect import getdoc, signature

    from mtl_runs.balancers import BALANCERS

    for name, kind in BALANCERS.items():
        settings = [
            str(p).split(":")[0] + ("" if p.default is p.empty else f"={p.default}")
            for p in signature(kind).parameters.values()
        ]
        typer.echo(f"{name}({', '.join(settings)})\n    {(getdoc(kind) or '').splitlines()[0]}")
    typer.echo(
        "\nAround any of them (`mtl-runs train --help`): flat minima (--flat-radius), an automatic learning rate "
        "(--auto-lr), COST (--teleport-from)"
    )


@app.command()
def architectures(verbose: Verbose = False) -> None:
    """List the families of architectures with the form of their names."""
    from mtl_runs.networks import FAMILIES, OWN

    for family in FAMILIES.values():
        typer.echo(f"{family.form}\n    {family.description}")
    typer.echo(f"{OWN}\n    the network that a problem of your own brings (--problem my.py:make); trained one by one")


def _monitor(
    stop_with: str,
    problem: Problem,
    out: Path,
    baseline: Path,
    *,
    regret: str | None,
    keep: int | None,
    min_epochs: int | None,
) -> RunMonitor | None:
    """The monitor that stops runs by forecasts, or None."""
    if stop_with == "none":
        return None
    import lcode
    from lcode.table import RunTable
    from lcode.table.table import empty_points

    model = lcode.load(None if stop_with == "shipped" else stop_with)
    logs = any(out.glob("*.jsonl"))
    history = lcode.read_logs(out) if logs else RunTable.from_points(empty_points(), problem.metrics)
    return lcode.Monitor(
        model,
        history=history,
        objective=DELTA_M,
        baseline=baseline if baseline.exists() else None,
        regret=regret,
        min_epochs=min_epochs,
        keep=keep,
    )


def _exchanging(sweep: Sweep, specs: Sequence[RunSpec], baseline: Path) -> PopulationBasedTraining:
    """The training of a population, whose members are compared by Δm, or by mean ranks where there is no baseline."""
    from mtl_runs.sweeps.pbt import PopulationBasedTraining, Score, population_of

    if population_of(specs).objective != DELTA_M:
        return PopulationBasedTraining(sweep)
    from lcode.decisions import make_objective

    arch, metrics = specs[0].config.arch, sweep.header(specs[0]).metrics
    delta_m = make_objective(DELTA_M, metrics, baseline=baseline)
    score = Score(
        DELTA_M,
        lambda values, metrics: delta_m.score(values, metrics, [arch] * len(values)),
        lambda score: f"Δm {score:+.2f} % over the single-task baselines",
    )
    return PopulationBasedTraining(sweep, score)


def _suggesting(sweep: Sweep, baseline: Path, *, at_once: int) -> Suggest:
    """What `lcode.suggest` says of the logs so far, and of the runs that have none: the dearest, so many at once.

    Runs that are worth less than half as much as the dearest wait for what that shows.
    """
    import pandas as pd

    import lcode

    def suggest(headers: Mapping[str, RunHeader], left: int) -> dict[str, int]:
        begun = [run for run in headers if (sweep.folder / f"{run}.jsonl").exists()]
        if not begun:
            return dict.fromkeys([*headers][: min(at_once, left)], 1)
        table = lcode.read_logs(sweep.folder).select(begun)
        new = {run: header for run, header in headers.items() if run not in begun}
        if new:
            settings = pd.DataFrame([dict(header.config) for header in new.values()], index=list(new))
            graphs = [header.graph for header in new.values()]
            horizon = max(header.horizon for header in new.values())
            table = table.concat(lcode.candidates(settings, graphs, like=table, horizon=horizon))
        forecast = lcode.load().in_context(table).predict(table)
        references = baseline if baseline.exists() else None
        found = lcode.suggest(forecast, DELTA_M, table=table, baseline=references, budget=left).steps
        wanted = [step for step in found if step.price > 0 and 2 * step.price >= found[0].price]
        return {step.run: round(step.epochs) for step in wanted[:at_once]}

    return suggest


@contextmanager
def _resumable() -> Iterator[None]:
    """Say after Ctrl-C that nothing is lost; exit status 130, as shells have it."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("interrupted; call the same command again to go on", err=True)
        raise typer.Exit(130) from None


def main() -> None:
    """Entry point: an error that is the user's to mend is one message and exit status 2."""
    try:
        app()
    except Exception as error:
        refused = refusal(error)
        if refused is None:
            raise
        if "--verbose" in sys.argv:
            traceback.print_exc()
        typer.echo(f"mtl-runs: {refused}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
