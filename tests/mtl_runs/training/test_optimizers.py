from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from mtl_runs.training import RunConfig
from mtl_runs.training.optimizers import OPTIMIZERS


def reference(config: RunConfig, parameter: torch.Tensor) -> torch.optim.Optimizer:
    if config.optimizer == "adam":
        return torch.optim.Adam([parameter], weight_decay=config.weight_decay)
    return torch.optim.SGD([parameter], lr=1.0, momentum=config.momentum, weight_decay=config.weight_decay)


@pytest.mark.parametrize(
    "configs",
    [
        [RunConfig(momentum=momentum, weight_decay=decay) for momentum in (0.0, 0.9) for decay in (0.0, 0.01)],
        [RunConfig(optimizer="adam", weight_decay=decay) for decay in (0.0, 0.01)],
    ],
    ids=["sgd", "adam"],
)
def test_every_row_agrees_with_torch(configs: Sequence[RunConfig]) -> None:
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(len(configs), 6, generator=generator)
    theirs = [row.clone().requires_grad_() for row in ours]
    references = [reference(config, row) for config, row in zip(configs, theirs, strict=True)]
    optimizer = OPTIMIZERS[configs[0].optimizer]
    state = optimizer.init(ours, configs)
    for step in range(30):
        gradient = torch.randn(len(configs), 6, generator=generator)
        lr = torch.tensor([[0.1 / (1 + step + row)] for row in range(len(configs))])
        for row, (parameter, stepper) in enumerate(zip(theirs, references, strict=True)):
            parameter.grad = gradient[row].clone()
            stepper.param_groups[0]["lr"] = float(lr[row])
            stepper.step()
        state = optimizer.step(ours, gradient, state, lr)
    torch.testing.assert_close(ours, torch.stack([row.detach() for row in theirs]))
