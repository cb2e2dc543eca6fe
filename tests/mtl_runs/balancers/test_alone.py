"""A run alone gives the very numbers that it gives in a population, bit for bit, on the CPU."""

from __future__ import annotations

import pytest
import torch

from mtl_runs.balancers import State, TaskStatistics, make_balancer
from mtl_runs.balancers.powers import power
from mtl_runs.training import RunConfig
from mtl_runs.training.optimizers import OPTIMIZERS

SIZES = (1, 2, 3, 5, 8, 17)
"""Of populations; the vectorised routines begin at 16 numbers."""

LONG = {
    "autoscale": {"explore": 99.0},
    "famo": {},
    "imtl_l": {},
    "gradnorm": {"alpha": 1.3},
    "uncertainty": {},
    "adatask": {},
    "db_mtl": {"sigma": 0.3},
    "moco": {"sigma": 0.3},
}
"""Methods with powers of the number of steps, or of losses."""

SHORT = {
    "fairgrad": {"alpha": 3.0},
    "nash_mtl": {},
    "mgda": {},
    "cagrad": {},
    "imgrad": {},
    "conicgrad_exact": {},
    "sdmgrad": {},
    "upgrad": {},
    "dualproj": {},
    "imtl_g": {},
    "config": {},
    "aligned_mtl": {},
}
"""Methods that solve something in every step."""


def run(name: str, settings: dict[str, float], losses: torch.Tensor, jacobians: torch.Tensor) -> torch.Tensor:
    """Weights of all steps, [T, R, K], for losses [T, R, K] and Jacobians [T, R, K, P]."""
    balancer = make_balancer(name, **settings)
    n_runs, n_tasks = losses.shape[1:]
    state: State = {key: value.expand(n_runs, *value.shape) for key, value in balancer.init(n_tasks).items()}
    found = []
    for t in range(len(losses)):
        rows, state = balancer.transform(state, losses[t], jacobians[t])
        # As a trainer has it: each run's products by themselves.
        gramian = torch.stack([own @ own.T for own in rows.double()])
        weights, state = balancer.update(state, TaskStatistics(losses[t], gramian))
        state = balancer.after_step(state, losses[t], 0.9 * losses[t])
        found.append(weights)
    return torch.stack(found)


def check(name: str, settings: dict[str, float], n_steps: int, n_tasks: int) -> None:
    generator = torch.Generator().manual_seed(n_tasks)
    losses = torch.rand(n_steps, max(SIZES), n_tasks, generator=generator) + 0.1
    jacobians = torch.randn(n_steps, max(SIZES), n_tasks, 5, generator=generator)
    alone = torch.cat([run(name, settings, losses[:, r : r + 1], jacobians[:, r : r + 1]) for r in range(3)], 1)
    for size in SIZES:
        together = run(name, settings, losses[:, :size], jacobians[:, :size])
        assert torch.equal(together[:, :3], alone[:, :size]), size


@pytest.mark.parametrize("n_tasks", [2, 3])
@pytest.mark.parametrize("name", LONG)
def test_a_hundred_steps_alone_are_those_in_a_population(name: str, n_tasks: int) -> None:
    check(name, LONG[name], 100, n_tasks)


@pytest.mark.parametrize("n_tasks", [3, 9])
@pytest.mark.parametrize("name", SHORT)
def test_solutions_alone_are_those_in_a_population(name: str, n_tasks: int) -> None:
    check(name, SHORT[name], 2, n_tasks)


def test_powers_do_not_depend_on_how_many_there_are() -> None:
    steps = torch.arange(101, dtype=torch.float64)
    for base in (0.9, 0.999):
        one_by_one = torch.cat([power(base, step) for step in steps.split(1)])
        torch.testing.assert_close(one_by_one, base**steps, rtol=1e-13, atol=0)
        for size in SIZES:
            together = power(base, steps.unsqueeze(-1).expand(101, size) + 0.0)
            assert torch.equal(together, one_by_one.unsqueeze(-1).expand(101, size))
    assert power(torch.tensor([0.0, 0.0, 4.0]), torch.tensor([2.0, 0.0, 0.5])).tolist() == pytest.approx([0, 1, 2])


def test_a_hundred_steps_of_adam_alone_are_those_in_a_population() -> None:
    adam = OPTIMIZERS["adam"]
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(100, max(SIZES), 7, generator=generator)

    def parameters_after(rows: slice) -> torch.Tensor:
        n_runs = gradients[:, rows].shape[1]
        parameters = torch.zeros(n_runs, 7)
        state = adam.init(parameters, [RunConfig(optimizer="adam")] * n_runs)
        for gradient in gradients[:, rows]:
            state = adam.step(parameters, gradient, state, torch.full((n_runs, 1), 0.01))
        return parameters

    alone = torch.cat([parameters_after(slice(r, r + 1)) for r in range(3)])
    for size in SIZES:
        assert torch.equal(parameters_after(slice(size))[:3], alone[:size]), size
