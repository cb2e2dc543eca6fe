"""What every multi-task network consists of: a shared part, and one part per task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from mtl_runs.networks.layers import Layer


class MultiTaskNetwork(nn.Module):
    """R members of one architecture, whose parameters all have the members as their first dimension.

    Args:
        shared: maps inputs [R, B, *input_shape] to features, in any form; what more than one task uses.
        heads: by task, in the order of the outputs: maps the features to the task's outputs; what one task uses.
    """

    def __init__(self, shared: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.shared = shared
        self.heads = nn.ModuleList(heads.values())
        self.tasks = tuple(heads)

    def forward(self, inputs: Tensor) -> list[Tensor]:
        """Outputs of the K tasks for the inputs [R, B, *input_shape].

        Returns:
            Per task [R, B, n_outputs], or [R, B, n_outputs, H, W] if it asks for a value at every pixel.
        """
        features = self.shared(inputs)
        return [cast(Tensor, head(features)) for head in self.heads]

    def groups(self) -> Iterator[nn.Module]:
        """The shared part, then the K tasks' parts: the blocks of a member's flat parameter vector."""
        yield self.shared
        yield from self.heads


def initialise(network: MultiTaskNetwork, generators: Sequence[torch.Generator]) -> None:
    """Draw the first weights, in the order of the groups and their layers; biases are zero.

    Args:
        network: of R members.
        generators: R; member r is drawn from generators[r] as if it were alone.
    """
    for group in network.groups():
        for layer in group.modules():
            if isinstance(layer, Layer):
                layer.initialise(generators)
