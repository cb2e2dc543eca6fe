"""The command line `mtl-runs`. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from lcode.errors import LcodeError, UsageError, refusal

if TYPE_CHECKING:
    from mtl_runs.problems import Problem
    from mtl_runs.sweeps import RunMonitor
    from mtl_runs.training.config import OptimizerName, Reduction

app = typer.Typer(
    name="mtl-runs",
    help="Train multi-task networks, one or a sweep of them, and log every epoch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Out = Annotated[Path, typer.Option(help="Folder of the run logs.")]
ProblemName = Annotated[str, typer.Option(help="Multi-task problem; `mtl-runs problems` lists them.")]
Epochs = Annotated[int, typer.Option(min=1, help="Epochs of every run.")]
Seed = Annotated[int, typer.Option(min=0, help="Decides everything random.")]
Device = Annotated[str, typer.Option(help="auto | cpu | cuda")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show the traceback of an error.")]


@app.command()
def train(
    problem: ProblemName = "digits",
    arch: Annotated[str, typer.Option(help="Architecture; `mtl-runs architectures` lists the forms.")] = "mlp-64x2",
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
    config = RunConfig(
        arch=arch,
        balancer=balancer,
        balancer_settings=dict(_setting(text) for text in setting or []),
        loss_weights=_loss_weights(loss_weights, names),
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
            device=_device(device),
            continue_stopped=True,
        )
    typer.echo(f"{result.status} at epoch {result.epoch}: {out / f'{name}.jsonl'}")
    if test and result.status == "finished":
        from mtl_runs.training.held_out import held_out_metrics

        spec = RunSpec(name, problem, config, seed, epochs)
        (values,) = held_out_metrics(made, [spec], out, device=_device(device)).values()
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
    archs: Annotated[str | None, typer.Option(help="Architectures to draw from, such as mlp-64x2,cnn-8x2.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: one per core.")] = None,
    population: Annotated[int, typer.Option(min=1, help="Runs of equal shapes trained together, per process.")] = 16,
    memory: Annotated[
        float, typer.Option(min=0.01, max=1, help="Share of the memory that all populations together may take.")
    ] = 0.5,
    engine: Annotated[str, typer.Option(help="local | ray (needs the extra `ray`)")] = "local",
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
    keep: Annotated[int, typer.Option(min=1, help="So many best runs are never stopped.")] = 3,
    min_epochs: Annotated[int, typer.Option(min=1, help="No run is stopped before this epoch.")] = 3,
    finish_stopped: Annotated[
        bool, typer.Option("--finish-stopped", help="Train runs that were stopped earlier to the end.")
    ] = False,
    device: Device = "auto",
    verbose: Verbose = False,
) -> None:
    """Train a sample of configurations; called again, go on where it was interrupted."""
    from mtl_runs.problems import make_problem
    from mtl_runs.sweeps import ProgressBar, Sweep, sample_runs, single_task_runs, write_baseline
    from mtl_runs.sweeps.engine import ENGINES
    from mtl_runs.sweeps.space import ARCHITECTURES, BALANCERS

    made = make_problem(problem)
    tasks = [task.name for task in made.tasks]
    specs = sample_runs(
        problem,
        len(tasks),
        runs,
        horizon=epochs,
        seed=seed,
        balancers=BALANCERS if balancers is None else _balancers(balancers),
        archs=ARCHITECTURES if archs is None else _names(archs),
    )[: first or runs]
    if engine not in ENGINES:
        raise UsageError(f"engine must be one of {', '.join(ENGINES)}; found '{engine}'")
    sweep_with = partial(
        Sweep,
        workers=workers or os.cpu_count() or 1,
        device=_device(device),
        population=population,
        memory=memory,
        engine=engine,
    )
    baseline_file = out / "baseline.csv"
    if single_task:
        used = dict.fromkeys(spec.config.arch for spec in specs)
        singles = single_task_runs(problem, tasks, used, horizon=epochs, seed=seed)
        with _resumable(), ProgressBar("single-task baselines") as bar:
            sweep_with(out / "single-task", listener=bar).run(singles)
        write_baseline(baseline_file, out / "single-task", singles)
    monitor = _monitor(stop_with, made, out, baseline_file, keep=keep, min_epochs=min_epochs)
    with _resumable(), ProgressBar(f"{problem} sweep") as bar:
        statuses = sweep_with(out, monitor=monitor, continue_stopped=finish_stopped, listener=bar).run(specs)
    counts = {status: list(statuses.values()).count(status) for status in dict.fromkeys(statuses.values())}
    typer.echo(f"{len(statuses)} runs in {out}: " + ", ".join(f"{n} {status}" for status, n in counts.items()))
    if test:
        from mtl_runs.training.held_out import held_out_metrics, write_held_out

        finished = [spec for spec in specs if statuses[spec.run] == "finished"]
        write_held_out(out / "test.csv", held_out_metrics(made, finished, out, device=_device(device)))
        typer.echo(f"test metrics of the finished runs: {out / 'test.csv'}")
    if "running" in counts:
        lost = ", ".join(run for run, status in statuses.items() if status == "running")
        raise LcodeError(f"these runs killed their worker processes and were given up: {lost}; is there enough memory?")


@app.command()
def problems(verbose: Verbose = False) -> None:
    """List the multi-task problems."""
    from lcode.errors import DataNotFoundError
    from mtl_runs.problems import FOLDERS, PROBLEMS, make_problem

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
    from mtl_runs.networks import FAMILIES

    for family in FAMILIES.values():
        typer.echo(f"{family.form}\n    {family.description}")


def _monitor(
    stop_with: str, problem: Problem, out: Path, baseline: Path, *, keep: int, min_epochs: int
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
        objective="delta_m",
        baseline=baseline if baseline.exists() else None,
        min_epochs=min_epochs,
        keep=keep,
    )


def _device(name: str) -> str:
    """The device to train on; `auto` is a GPU where there is one."""
    if name == "cpu":
        return "cpu"
    import torch

    if name != "auto" and name.split(":")[0] != "cuda":
        raise UsageError(f"device must be auto, cpu or cuda; found '{name}'")
    if torch.cuda.is_available():
        return "cuda" if name == "auto" else name
    if name == "auto":
        return "cpu"
    raise UsageError("no CUDA device is available here; use --device cpu")


@contextmanager
def _resumable() -> Iterator[None]:
    """Say after Ctrl-C that nothing is lost; exit status 130, as shells have it."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("interrupted; call the same command again to go on", err=True)
        raise typer.Exit(130) from None


def _names(text: str) -> tuple[str, ...]:
    """Names from `a,b`."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _balancers(text: str) -> tuple[str, ...]:
    """Balancers from `a,b`, or all whose settings can be drawn."""
    from mtl_runs.balancers import BALANCERS
    from mtl_runs.sweeps.space import NOT_DRAWN

    if text == "all":
        return tuple(name for name in BALANCERS if name not in NOT_DRAWN)
    names = _names(text)
    unknown = [name for name in names if name not in BALANCERS]
    if unknown or not names:
        raise UsageError(f"no balancer '{', '.join(unknown)}'; there are: {', '.join(BALANCERS)}")
    return names


def _setting(text: str) -> tuple[str, Any]:
    """A balancer's setting from `name=value`; numbers become numbers, `a,b` a list of them."""
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"a setting is written name=value, such as c=0.4; found '{text}'")
    parts = [_number(part) for part in value.split(",")]
    return name, parts if len(parts) > 1 else parts[0]


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _loss_weights(text: str | None, tasks: list[str]) -> list[float] | None:
    """One factor per task from `left=1,sum=0.1`; tasks that are not named have 1."""
    if text is None:
        return None
    given = dict(_setting(part) for part in text.split(","))
    unknown = [name for name in given if name not in tasks]
    if unknown:
        raise UsageError(f"no task '{unknown[0]}'; there are: {', '.join(tasks)}")
    wrong = [name for name, weight in given.items() if not isinstance(weight, int | float) or not 0 <= weight < 1e9]
    if wrong:
        raise UsageError(f"the loss weight of '{wrong[0]}' must be a number of at least 0; found '{given[wrong[0]]}'")
    return [float(given.get(task, 1)) for task in tasks]


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
