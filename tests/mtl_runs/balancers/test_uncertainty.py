from __future__ import annotations

import pytest
import torch

from mtl_runs.balancers import State, TaskStatistics, Uncertainty


def statistics(*losses: float) -> TaskStatistics:
    return TaskStatistics(torch.tensor(losses, dtype=torch.float64), torch.eye(len(losses)))


def test_gradient_at_zero() -> None:
    # ds = ½ - ½ L = (0, -1.5), seen in Adam's first moment, which holds a tenth of it.
    balancer = Uncertainty()
    _, state = balancer.update(balancer.init(2), statistics(1, 4))
    assert (state["mean"] / 0.1).tolist() == pytest.approx([0, -1.5])
    assert state["log_variance"].tolist() == pytest.approx([0, 0.025])


def test_the_optimum_is_the_log_of_the_loss() -> None:
    balancer = Uncertainty()
    at_optimum: State = {**balancer.init(2), "log_variance": torch.tensor([1.0, 4.0], dtype=torch.float64).log()}
    weights, state = balancer.update(at_optimum, statistics(1, 4))
    assert state["mean"].tolist() == pytest.approx([0, 0])
    assert (2 * weights).tolist() == pytest.approx([1 / 2, 1 / 8])
    state = balancer.init(2)
    for _ in range(1500):
        weights, state = balancer.update(state, statistics(1, 4))
    assert state["log_variance"].exp().tolist() == pytest.approx([1, 4], rel=1e-2)


def test_agrees_with_torchs_adam() -> None:
    balancer = Uncertainty(lr=0.1)
    state = balancer.init(2)
    log_variance = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([log_variance], lr=0.1)
    for step in range(20):
        losses = torch.tensor([1.0 + step, 3.0], dtype=torch.float64)
        optimizer.zero_grad()
        (0.5 * (-log_variance).exp() * losses + 0.5 * log_variance).sum().backward()
        optimizer.step()
        _, state = balancer.update(state, TaskStatistics(losses, torch.eye(2)))
    torch.testing.assert_close(state["log_variance"], log_variance.detach())
