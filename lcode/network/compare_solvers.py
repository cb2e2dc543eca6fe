"""`python -m lcode.network.compare_solvers`: the default solve beside the obvious ones, in one process.

A solve of the vector field, forward and backward, of 64 runs × 3 tasks × 5 members, read off at every epoch of the
horizon. Rounds alternate, medians of the processor's time are compared: the ratios hold on a busy machine too.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lcode.network.dynamics import Course
from lcode.network.integrators import hermite
from lcode.network.vector_field import VectorField
from lcode.threads import limited_threads

MEMBERS, RUNS, TASKS, LATENT, HIDDEN, CONTROLS = 5, 64, 3, 16, 48, 5
NODES, FINE = 10, 80
DEFAULT = "default"

Solve = Callable[[int], Tensor]
"""From the number of steps to states at the queries, [M, B, K, Q, D]."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table: seconds, ratio to the default, largest error against 80 steps."""
    parser = argparse.ArgumentParser(prog="python -m lcode.network.compare_solvers", description=__doc__)
    parser.add_argument("--epochs", type=int, default=200, help="epochs to forecast")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts")
    given = parser.parse_args(arguments)
    solvers = _solvers(given.epochs)
    with limited_threads(1):
        with torch.no_grad():
            exact = solvers[DEFAULT][0](FINE)
            errors = {name: float((solve(n) - exact).abs().max()) for name, (solve, n) in solvers.items()}
        seconds: dict[str, list[float]] = {name: [] for name in solvers}
        for _ in range(given.rounds):
            for name, (solve, steps) in solvers.items():
                began = time.process_time()
                solve(steps).square().mean().backward()
                seconds[name].append(time.process_time() - began)
    unit = statistics.median(seconds[DEFAULT])
    for name, taken in seconds.items():
        middle = statistics.median(taken)
        print(f"{name:32s} {middle:8.4f} s {middle / unit:7.1f} ×   error {errors[name]:.0e}")  # noqa: T201
    return 0


def _solvers(epochs: int) -> dict[str, tuple[Solve, int]]:
    """What is compared, with the steps that each takes."""
    generator = torch.Generator().manual_seed(0)
    z0 = torch.randn(MEMBERS, RUNS, TASKS, LATENT, generator=generator, dtype=torch.float32)
    context = torch.randn(MEMBERS, RUNS, TASKS, HIDDEN, generator=generator, dtype=torch.float32)
    at = torch.linspace(0, 1, epochs + 1, dtype=torch.float32)[1:].expand(RUNS, -1)

    def field(solver: str) -> VectorField:
        same = torch.Generator().manual_seed(1)
        return VectorField(MEMBERS, LATENT, HIDDEN, CONTROLS, True, same, solver)

    def course(steps: int) -> Course:
        return Course(at, _controls, torch.zeros(RUNS, TASKS, TASKS, dtype=torch.float32), steps)

    default, adaptive = field("rk4"), field("dopri5")

    def by_autograd(steps: int) -> Tensor:
        states, slopes = default.solve_plain(z0, context, course(steps))
        return hermite(states.flatten(-2), slopes.flatten(-2), at).unflatten(-1, (TASKS, LATENT)).transpose(2, 3)

    def every_epoch(steps: int) -> Tensor:
        states, _ = default.solve_plain(z0, context, course(steps))
        return states[1:].movedim(0, 3)

    return {
        DEFAULT: (lambda steps: default(z0, context, course(steps)), NODES),
        "the same by autograd": (by_autograd, NODES),
        "RK4, a step per epoch": (every_epoch, epochs),
        "dopri5, asked for the same nodes": (lambda steps: adaptive(z0, context, course(steps)), NODES),
    }


def _controls(clock: Tensor) -> Tensor:
    """Smooth ones, [64, T, 5]."""
    return torch.stack([torch.cos(i * clock) for i in range(CONTROLS)], -1).expand(RUNS, -1, -1)


if __name__ == "__main__":
    sys.exit(main())
