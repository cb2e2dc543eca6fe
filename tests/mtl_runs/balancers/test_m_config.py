from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import ConFIG, MConFIG, State, TaskStatistics

BETA1, BETA2 = 0.9, 0.999


def sampled(seed: int, n_tasks: int = 3) -> Tensor:
    return torch.randn(n_tasks, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def direction(jacobian: Tensor) -> Tensor:
    """ConFIG's own, as a sum."""
    weights, _ = ConFIG().update({}, TaskStatistics(torch.ones(len(jacobian)), jacobian @ jacobian.T))
    return len(jacobian) * weights @ jacobian


def step(balancer: MConFIG, state: State, jacobian: Tensor, losses: Tensor | None = None) -> tuple[Tensor, State]:
    losses = torch.ones(len(jacobian), dtype=torch.float64) if losses is None else losses
    rows, state = balancer.transform(state, losses, jacobian)
    weights, state = balancer.update(state, TaskStatistics(losses, rows @ rows.T))
    return weights @ rows, state


def test_by_hand() -> None:
    balancer = MConFIG()
    state = balancer.init(3)
    mean, joint, square = torch.zeros(3, 7).double(), torch.zeros(7).double(), torch.zeros(7).double()
    for t in range(1, 40):
        found, state = step(balancer, state, sampled(t))
        mean = BETA1 * mean + (1 - BETA1) * sampled(t)
        combined = direction(mean / (1 - BETA1**t))
        new_joint = (1 - BETA1**t) * combined
        pushed = (new_joint - BETA1 * joint) / (1 - BETA1)
        joint, square = new_joint, BETA2 * square + (1 - BETA2) * pushed**2
        expected = combined / ((square / (1 - BETA2**t)).sqrt() + 1e-8)
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


def test_one_task_is_adam() -> None:
    parameter = torch.zeros(7, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([parameter], lr=1.0)
    balancer = MConFIG()
    state, place = balancer.init(1), torch.zeros(7, dtype=torch.float64)
    for t in range(20):
        parameter.grad = sampled(t, 1)[0]
        adam.step()
        found, state = step(balancer, state, sampled(t, 1))
        place = place - found
        torch.testing.assert_close(place, parameter.detach(), rtol=1e-6, atol=1e-6)


def test_what_all_tasks_share_is_taken_from_who_was_there_last() -> None:
    """While a task is out, the two others go on as a pair; when it is back, it finds their second moment."""
    balancer, pair = MConFIG(), MConFIG()
    state, own = balancer.init(3), pair.init(2)
    for t in range(4):
        jacobian = sampled(t)
        jacobian[0] = 0
        found, state = step(balancer, state, jacobian)
        expected, own = step(pair, own, jacobian[1:])
        torch.testing.assert_close(found, expected)
    assert state["power"].tolist() == pytest.approx([1, BETA1**4, BETA1**4])
    _, state = step(balancer, state, sampled(9))
    assert state["steps"].tolist() == [5, 5, 5]
    assert state["square_power"].tolist() == pytest.approx([BETA2**5] * 3)
    torch.testing.assert_close(state["square"][0], state["square"][1])


def test_impossible_settings() -> None:
    with pytest.raises(UsageError, match="beta1 and beta2 must be at least 0 and below 1; found beta1=1"):
        MConFIG(beta1=1)
