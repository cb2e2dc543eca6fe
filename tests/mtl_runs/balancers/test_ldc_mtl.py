from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import LDCMTL, State, TaskStatistics
from mtl_runs.balancers.ldc_mtl import Scale


def penalised(losses: Tensor, logit: Tensor, first: Tensor, scale: Scale, penalty: float) -> Tensor:
    """The loss of the method, for autograd."""
    scaled = {
        "none": losses,
        "first": losses / (first / first.min()),
        "log": (losses / first).log(),
    }[scale]
    shares = logit.sigmoid()
    weighted = shares * scaled
    return weighted.sum() / shares.sum().detach() + penalty * (weighted[:-1] - weighted[1:]).abs().sum()


@pytest.mark.parametrize("scale", ["none", "first", "log"])
@pytest.mark.parametrize("penalty", [0.0, 0.05, 0.7])
def test_weights_and_steps_are_derivatives_of_the_penalised_loss(scale: Scale, penalty: float) -> None:
    balancer = LDCMTL(penalty=penalty, scale=scale, lr=0.05)
    state: State = balancer.init(4)
    logit = torch.ones(4, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([logit], lr=0.05)
    generator = torch.Generator().manual_seed(3)
    first = None
    for _ in range(12):
        losses = torch.rand(4, generator=generator, dtype=torch.float64) + 0.1
        first = losses if first is None else first
        variable = losses.clone().requires_grad_()
        adam.zero_grad()
        penalised(variable, logit, first, scale, penalty).backward()
        weights, state = balancer.update(state, TaskStatistics(losses, torch.eye(4)))
        assert variable.grad is not None
        torch.testing.assert_close(weights, variable.grad)
        adam.step()
        torch.testing.assert_close(state["logit"], logit.detach())


def test_the_neighbours_of_a_task_that_is_out_are_neighbours() -> None:
    balancer, pair = LDCMTL(penalty=0.3), LDCMTL(penalty=0.3)
    losses = torch.tensor([1.0, float("nan"), 2.0], dtype=torch.float64)
    weights, state = balancer.update(balancer.init(3), TaskStatistics(losses, torch.eye(3)))
    expected, _ = pair.update(pair.init(2), TaskStatistics(losses[[0, 2]], torch.eye(2)))
    torch.testing.assert_close(weights[[0, 2]], expected)
    assert (state["logit"][1], state["first_loss"][1]) == (1, 0)


def test_a_loss_of_zero_does_no_harm() -> None:
    for scale in ("none", "first", "log"):
        balancer = LDCMTL(scale=scale)
        losses = torch.tensor([0.0, 1.0], dtype=torch.float64)
        weights, state = balancer.update(balancer.init(2), TaskStatistics(losses, torch.eye(2)))
        assert torch.isfinite(weights).all()
        assert torch.isfinite(state["logit"]).all()


def test_impossible_settings() -> None:
    with pytest.raises(UsageError, match="penalty must not be negative; found -1"):
        LDCMTL(penalty=-1)
    with pytest.raises(UsageError, match="scale must be one of none, first, log; found 'max'"):
        LDCMTL(scale="max")  # type: ignore[arg-type]
