"""Hard parameter sharing: one trunk for all tasks, one linear head per task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from mtl_runs.problems.base import Task


class HardSharing(nn.Module):
    """A trunk that every task shares, then a linear head per task (Caruana 1997).

    Args:
        trunk: maps inputs [B, *input_shape] to features [B, F]; its parameters are the shared ones.
        n_features: F.
        tasks: the K tasks, in the order of the outputs.
    """

    def __init__(self, trunk: nn.Sequential, n_features: int, tasks: Sequence[Task]) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleDict({task.name: nn.Linear(n_features, task.n_outputs) for task in tasks})

    def forward(self, inputs: Tensor) -> list[Tensor]:
        """Outputs of the K heads, in task order, each [B, n_outputs]."""
        features = self.trunk(inputs)
        return [head(features) for head in self.heads.values()]

    def groups(self) -> Iterator[nn.Module]:
        """The shared part, then the K heads: the blocks of the flat parameter vector."""
        yield self.trunk
        yield from self.heads.values()


def initialise(network: HardSharing, generator: torch.Generator) -> None:
    """Kaiming-uniform weights and zero biases, drawn from the generator in the order of the modules."""
    for group in network.groups():
        nonlinearity: Literal["relu", "linear"] = "relu" if group is network.trunk else "linear"
        for module in group.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, nonlinearity=nonlinearity, generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
