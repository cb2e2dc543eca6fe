from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from mtl_runs.balancers import Balancer, TaskStatistics

Direction = Callable[..., tuple[list[float], list[float]]]
Combine = Callable[[Balancer, Tensor], Tensor]


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
    """Weights and combined gradient of a balancer's first step on a Jacobian; losses of 1 unless they are given."""

    def compute(
        balancer: Balancer, rows: Sequence[Sequence[float]], losses: Sequence[float] | None = None
    ) -> tuple[list[float], list[float]]:
        jacobian, generator = torch.tensor(rows, dtype=torch.float64), torch.Generator().manual_seed(0)
        values = torch.tensor([1.0] * len(rows) if losses is None else losses, dtype=torch.float64)
        jacobian, state = balancer.transform(balancer.init(len(rows)), values, jacobian, generator)
        weights, _ = balancer.update(state, TaskStatistics(values, jacobian @ jacobian.T), generator)
        return weights.tolist(), (weights @ jacobian).tolist()

    return compute
