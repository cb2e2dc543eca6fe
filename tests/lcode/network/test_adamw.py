from __future__ import annotations

import torch
from torch import nn

from lcode.network.adamw import AdamW


def parameters() -> list[nn.Parameter]:
    return [nn.Parameter(torch.linspace(-1, 1, size, dtype=torch.float32)) for size in (3, 4)]


def test_its_numbers_are_those_of_pytorchs_class() -> None:
    ours, theirs = parameters(), parameters()
    optimiser = AdamW(ours, weight_decay=0.1)
    expected = torch.optim.AdamW(theirs, weight_decay=0.1, fused=True)
    for step, rate in enumerate((0.1, 0.03, 0.2)):
        for first, second in (ours, theirs):
            # The second begins to learn in the second step.
            ((first - 2) ** 4).sum().backward()
            if step:
                second.square().sum().backward()
        expected.param_groups[0]["lr"] = rate
        expected.step()
        expected.zero_grad()
        optimiser.step(rate)
        for one, other in zip(ours, theirs, strict=True):
            assert torch.equal(one, other)
            assert one.grad is None


def test_without_a_gradient_nothing_moves() -> None:
    weights = parameters()
    AdamW(weights, weight_decay=0.1).step(0.5)
    assert all(torch.equal(one, other) for one, other in zip(weights, parameters(), strict=True))
