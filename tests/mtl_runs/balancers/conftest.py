from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from mtl_runs.balancers import Balancer, Needs, TaskStatistics, make_balancer

Direction = Callable[[Balancer, Sequence[Sequence[float]]], tuple[list[float], list[float]]]
Combine = Callable[[Balancer, Tensor], Tensor]
OfficialDirection = Callable[[str, Mapping[str, Any], str, str], list[float]]


# Both last for the session, because hypothesis refuses fixtures that should be made anew for each example.
@pytest.fixture(scope="session")
def combine() -> Combine:
    """Combined gradient of a balancer's first step on a Jacobian, losses of 1."""

    def compute(balancer: Balancer, jacobian: Tensor) -> Tensor:
        statistics = TaskStatistics(torch.ones(len(jacobian), dtype=torch.float64), jacobian @ jacobian.T)
        state = balancer.init(len(jacobian))
        return balancer.update(state, statistics, torch.Generator().manual_seed(0))[0] @ jacobian

    return compute


@pytest.fixture(scope="session")
def direction() -> Direction:
    """Weights and combined gradient of a balancer's first step on a Jacobian."""

    def compute(balancer: Balancer, rows: Sequence[Sequence[float]]) -> tuple[list[float], list[float]]:
        jacobian: Tensor = torch.tensor(rows, dtype=torch.float64)
        losses = torch.ones(len(rows), dtype=torch.float64)
        statistics = TaskStatistics(losses, jacobian @ jacobian.T)
        weights, _ = balancer.update(balancer.init(len(rows)), statistics, torch.Generator().manual_seed(0))
        return weights.tolist(), (weights @ jacobian).tolist()

    return compute


class OfficialStep(NamedTuple):
    """One step of the inputs on which the authors' programs have run: K losses before and after it, and gradients."""

    losses: Tensor
    after: Tensor
    jacobian: Tensor
    other_jacobians: tuple[Tensor, Tensor]
    """Those of two batches more, for methods that take three."""


OFFICIAL_SHAPES = {
    "two": (1, 2, 6),
    "three": (1, 3, 6),
    "louder": (1, 3, 6),
    "conflict": (1, 3, 6),
    "eleven": (1, 11, 24),
    "steps": (8, 3, 6),
}
"""Steps, tasks and parameters of each input."""


def official_steps(case: str) -> list[OfficialStep]:
    """One of six inputs, by formula; "louder" has one gradient a hundred times the others, "steps" eight steps."""
    axes = [torch.arange(n, dtype=torch.float64) for n in OFFICIAL_SHAPES[case]]
    t, k, p = torch.meshgrid(*axes, indexing="ij")
    jacobian = torch.sin(1.3 * (k + 1) * (p + 1) + k * k + 2 * t)
    if case == "louder":
        jacobian[:, 1] *= 100
    if case == "conflict":
        jacobian = torch.sin(1.3 * (p + 1)) * torch.where(k == 0, -1.0, 1.0) + 0.5 * jacobian
    others = [jacobian + 0.3 * torch.cos((k + b) * (p + 1) + t) for b in (1, 2)]
    t, k = t[..., 0], k[..., 0]
    losses = 1 + 0.8 * torch.sin(2 * k + 3 * t + 1)
    after = losses * (0.9 + 0.1 * torch.cos(k + t))
    return [OfficialStep(losses[i], after[i], jacobian[i], (others[0][i], others[1][i])) for i in range(len(jacobian))]


@pytest.fixture(scope="session")
def official_direction() -> OfficialDirection:
    """Combined gradient of a balancer's last step on one of the inputs, on a program's scale; epochs of two steps."""

    def compute(name: str, settings: Mapping[str, Any], case: str, scale: str) -> list[float]:
        balancer, generator = make_balancer(name, **settings), torch.Generator().manual_seed(0)
        steps = official_steps(case)
        n_tasks = len(steps[0].losses)
        state, direction = balancer.init(n_tasks), torch.zeros(0)
        for number, step in enumerate(steps, 1):
            rows, state = balancer.transform(state, step.losses, step.jacobian, generator)
            first, second = step.other_jacobians if Needs.SEVERAL_BATCHES in balancer.needs else (rows, rows)
            weights, state = balancer.update(state, TaskStatistics(step.losses, first @ second.T), generator)
            direction = weights @ rows
            state = balancer.after_step(state, step.losses, step.after)
            if number % 2 == 0:
                state = balancer.end_epoch(state)
        factor = {"sum": n_tasks, "same": 1, "share": 1 / n_tasks}[scale]
        return (factor * direction).tolist()

    return compute
