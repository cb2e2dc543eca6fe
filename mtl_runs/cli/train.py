"""`mtl-runs train`: one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from mtl_runs.cli.ends import resumable
from mtl_runs.cli.options import (
    Device,
    Epochs,
    Features,
    Out,
    ProblemName,
    Seed,
    Verbose,
    device_of,
    loss_weights_of,
    setting_of,
)

if TYPE_CHECKING:
    from mtl_runs.training.config import OptimizerName, Reduction


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
    features: Features = False,
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
    from mtl_runs.sweeps.space import archs_for
    from mtl_runs.training import RunConfig, RunSpec
    from mtl_runs.training import train as train_run

    torch.set_num_threads(1)
    made = make_problem(problem)
    tasks = tuple(task) if task else None
    names = [t.name for t in (made.restrict(tasks) if tasks else made).tasks]
    arch = arch or archs_for(made, (RunConfig.arch,))[0]
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

    with resumable():
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
            features=features,
        )
    typer.echo(f"{result.status} at epoch {result.epoch}: {out / f'{name}.jsonl'}")
    if test and result.status == "finished":
        from mtl_runs.training.held_out import held_out_metrics

        spec = RunSpec(name, problem, config, seed, epochs)
        (values,) = held_out_metrics(made, [spec], out, device=device_of(device)).values()
        typer.echo("on test data: " + "  ".join(f"{key} {value:.4g}" for key, value in values.items()))
