"""What stacking is worth: runs trained together against the same runs one after another.

`python -m mtl_runs.training.throughput` prints, for a few mixes of balancers, the run-epochs per second of processor
time on one thread, of whole trainings: shuffling, steps, validation and logs. On a GPU (`--device cuda`) it is wall
time.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer

from mtl_runs.problems import Problem, make_problem
from mtl_runs.training.config import RunConfig, RunSpec
from mtl_runs.training.loop import train_population

MIXES: Mapping[str, Sequence[str]] = {
    "equal": ("equal",),
    "four of losses": ("equal", "uncertainty", "dwa", "uw_o"),
    "mgda": ("mgda",),
    "eight of gradients": (
        "mgda",
        "cagrad",
        "pcgrad",
        "fairgrad",
        "imtl_g",
        "aligned_mtl",
        "conicgrad_exact",
        "inverse_norm",
    ),
}
"""Balancers of a population, in equal parts."""


def members(
    problem: str, balancers: Sequence[str], n: int, *, arch: str, batch_size: int, epochs: int
) -> list[RunSpec]:
    """Runs that differ in balancer and seed; at a rate at which no loss leaves the numbers."""
    configs = [RunConfig(arch=arch, balancer=name, batch_size=batch_size, lr=1e-2) for name in balancers]
    return [RunSpec(f"r{i}", problem, configs[i * len(configs) // n], i, epochs) for i in range(n)]


def seconds(problem: Problem, specs: Sequence[RunSpec], device: str) -> float:
    """Time of training these runs together; of the processor, or on a GPU by the clock."""
    clock: Callable[[], float] = time.process_time if device == "cpu" else time.perf_counter
    with tempfile.TemporaryDirectory() as folder:
        started = clock()
        train_population(problem, specs, folder=Path(folder), device=device, checkpoint_every=1000)
        return clock() - started


def main(
    runs: Annotated[int, typer.Option(help="Members of the population.")] = 32,
    epochs: Annotated[int, typer.Option(help="Epochs of each run.")] = 5,
    arch: str = "mlp-64x2",
    batch_size: int = 128,
    problem: str = "digits",
    device: str = "cpu",
) -> None:
    """Print a line per mix."""
    torch.set_num_threads(1)
    made = make_problem(problem)
    typer.echo(f"{problem}, {arch}, batch {batch_size}, {runs} runs x {epochs} epochs on {device}")
    typer.echo(f"{'':20}{'together':>10}{'alone':>8}{'times':>7}   run-epochs per second")
    for name, balancers in MIXES.items():
        specs = members(problem, balancers, runs, arch=arch, batch_size=batch_size, epochs=epochs)
        seconds(made, specs[:2], device)  # the first calls allocate
        together = seconds(made, specs, device)
        alone = sum(seconds(made, [spec], device) for spec in specs)
        n = runs * epochs
        typer.echo(f"{name:20}{n / together:10.1f}{n / alone:8.1f}{alone / together:7.2f}")


if __name__ == "__main__":
    typer.run(main)
