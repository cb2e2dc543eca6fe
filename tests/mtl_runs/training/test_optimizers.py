from __future__ import annotations

import pytest
import torch

from mtl_runs.training.optimizers import SGD, Adam, Optimizer


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
@pytest.mark.parametrize("momentum", [0.0, 0.9, None])
def test_agreement_with_torch(momentum: float | None, weight_decay: float) -> None:
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(6, generator=generator)
    theirs, ours = start.clone().requires_grad_(), start.clone()
    optimizer: Optimizer
    reference: torch.optim.Optimizer
    if momentum is None:
        optimizer, reference = Adam(weight_decay), torch.optim.Adam([theirs], weight_decay=weight_decay)
    else:
        optimizer = SGD(momentum, weight_decay)
        reference = torch.optim.SGD([theirs], momentum=momentum, weight_decay=weight_decay)
    state = optimizer.init(ours)
    for step in range(30):
        gradient = torch.randn(6, generator=generator)
        lr = 0.1 / (1 + step)
        theirs.grad = gradient.clone()
        reference.param_groups[0]["lr"] = lr
        reference.step()
        state = optimizer.step(ours, gradient, state, lr)
    torch.testing.assert_close(ours, theirs.detach())
