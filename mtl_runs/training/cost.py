"""What a training step costs with each balancer, against equal weighting: `python -m mtl_runs.training.cost`.

The methods take turns of a few steps each, again and again, and equal weighting takes one before every other: ratios
are of neighbours in time, so that whatever slows the machine down hits both. Medians over the turns, of processor time
on one thread. Nothing is looked at that the balancer does not read: a training also computes the tasks' gradients in
every tenth step, for its log.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import Annotated

import torch
import typer
from torch import Tensor

from mtl_runs.balancers import BALANCERS
from mtl_runs.balancers.base import READS_GRADIENTS
from mtl_runs.problems import Problem, make_problem
from mtl_runs.training.config import SWITCHES, RunConfig, RunSpec
from mtl_runs.training.population import Population
from mtl_runs.training.step import Stepper

MEMBERS = (1, 16)
TURNS = 25
STEPS = 4
REFERENCE = "equal"
LOSSES_ONLY = 1.1
"""Times equal weighting that a method which reads losses only may take; one that reads K gradients may take K times."""


@dataclass(frozen=True)
class StepCost:
    """What a step of a population costs.

    Attributes:
        seconds: its time.
        ratio: that over the time of a step of equal weighting.
    """

    seconds: float
    ratio: float


def step_costs(
    problem: Problem, configs: Mapping[str, RunConfig], *, members: int, turns: int = TURNS, steps: int = STEPS
) -> dict[str, StepCost]:
    """Medians of the costs by the names of the configurations.

    Args:
        problem: what is trained; its first samples are the batches.
        configs: the methods, `REFERENCE` among them.
        members: R, all with the same configuration.
        turns: repetitions.
        steps: steps per turn; the time of a turn is divided by their number.
    """
    steppers = {}
    for name, config in configs.items():
        specs = [RunSpec(f"r{seed}", problem.name, config, seed, horizon=1) for seed in range(members)]
        steppers[name] = Stepper(Population(problem, specs, "cpu"))
        # The first step allocates.
        _seconds(steppers[name], 1)
    costs: dict[str, list[StepCost]] = {name: [] for name in configs}
    for _ in range(turns):
        for name, stepper in steppers.items():
            reference = _seconds(steppers[REFERENCE], steps)
            own = _seconds(stepper, steps)
            costs[name].append(StepCost(own, own / reference))
    return {
        name: StepCost(median(c.seconds for c in all_), median(c.ratio for c in all_)) for name, all_ in costs.items()
    }


def _seconds(stepper: Stepper, n: int) -> float:
    """Time of one of n steps."""
    population = stepper.population
    data, size = population.problem.train, population.members[0].spec.config.batch_size
    lr = population.per_member(lambda config: config.lr)

    def stacked(values: Tensor) -> Tensor:
        return values[:size].expand(len(population), size, *values.shape[1:]).contiguous()

    inputs = stacked(data.inputs)
    targets = [stacked(data.targets[task.name]) for task in population.problem.tasks]
    started = time.process_time()
    for _ in range(n):
        stepper.step(inputs, targets, lr, watch=False)
    return (time.process_time() - started) / n


def configurations(n_tasks: int) -> dict[str, RunConfig]:
    """Every balancer by itself, and equal weighting with what any of them may be combined with."""
    # A rate at which no loss leaves the numbers: steps with a NaN take longer.
    common = {"arch": "mlp-64x2", "batch_size": 128, "lr": 1e-3}
    ones, around = [1.0] * n_tasks, {"of": "mgda"}
    needed = {"fixed": {"weights": ones}, "pivrg": {"reference": ones}, "log": around, "cr_mogm": around}
    configs = {}
    for name in BALANCERS:
        # torchjd is another package, and not asked to be fast.
        if name != "torchjd":
            settings = needed.get(name, {})
            configs[name] = RunConfig(**common, balancer=name, balancer_settings=settings)  # type: ignore[arg-type]
    configs["mgda, flat minima"] = RunConfig(**common, balancer="mgda", flat_radius=0.01)  # type: ignore[arg-type]
    configs["equal, automatic rate"] = RunConfig(**common, auto_lr=10)  # type: ignore[arg-type]
    return configs


def table(problem: Problem, members: Sequence[int] = MEMBERS) -> list[str]:
    """The lines that are printed."""
    n_tasks = len(problem.tasks)
    configs = configurations(n_tasks)
    costs = [step_costs(problem, configs, members=r) for r in members]
    lines = [f"{'':24}" + "".join(f"{f'R={r}, ms':>12}{'x equal':>9}" for r in members) + f"{'allowed':>9}"]
    for name, config in configs.items():
        reads = config.make_balancer().needs & READS_GRADIENTS
        # What a balancer is combined with has no limit of its own.
        switched = any(getattr(config, switch) for switch in SWITCHES)
        allowed = inf if switched else float(n_tasks) if reads else LOSSES_ONLY
        own = [cost[name] for cost in costs]
        cells = "".join(f"{1e3 * cost.seconds:12.2f}{cost.ratio:9.2f}" for cost in own)
        note = "  more" if max(cost.ratio for cost in own) > allowed else ""
        lines.append(f"{name:24}{cells}{allowed:9.3g}{note}")
    return lines


def main(problem: Annotated[str, typer.Option(help="What is trained.")] = "digits") -> None:
    """Print what a step costs with each balancer, beside equal weighting and what is allowed: a few minutes."""
    torch.set_num_threads(1)
    for line in table(make_problem(problem)):
        typer.echo(line)


if __name__ == "__main__":
    typer.run(main)
