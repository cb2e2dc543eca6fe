"""Layers whose parameters are stacked over the members of an ensemble: one batched product trains them all.

Shapes: M members, N rows, whatever they stand for. Every member has its own parameters and its own initial values;
no operation mixes members, so one optimiser over the stacked tensors is M independent optimisers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn


class StackedLinear(nn.Module):
    """y = x W + b for each member: [M, …, in] -> [M, …, out]."""

    def __init__(self, members: int, n_in: int, n_out: int, generator: torch.Generator, *, gain: float = 1.0) -> None:
        super().__init__()
        bound = gain * math.sqrt(6 / (n_in + n_out)) if n_in + n_out else 0.0
        weight = (2 * torch.rand(members, n_in, n_out, generator=generator, dtype=torch.float32) - 1) * bound
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(members, 1, n_out, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Apply to rows of any number of axes after the member axis."""
        rows = x.reshape(x.shape[0], -1, x.shape[-1])
        return torch.baddbmm(self.bias, rows, self.weight).reshape(*x.shape[:-1], self.weight.shape[-1])

    def columns(self, x: Tensor) -> Tensor:
        """The same with the outputs before the rows, in contiguous memory: [M, …, in] -> [M, out, …]."""
        rows = x.reshape(x.shape[0], -1, x.shape[-1])
        return torch.baddbmm(self.bias.mT, self.weight.mT, rows.mT).unflatten(-1, x.shape[1:-1])


class StackedMLP(nn.Module):
    """Linear – activation – … – linear, per member."""

    def __init__(
        self,
        members: int,
        widths: tuple[int, ...],
        generator: torch.Generator,
        *,
        activation: Callable[[Tensor], Tensor] = nn.functional.silu,
        last_gain: float = 1.0,
    ) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.layers = nn.ModuleList(
            StackedLinear(members, a, b, generator, gain=last_gain if i == len(pairs) - 1 else 1.0)
            for i, (a, b) in enumerate(pairs)
        )
        self.activation = activation

    @property
    def linears(self) -> list[StackedLinear]:
        """The layers, for who goes through them by itself."""
        return [layer for layer in self.layers if isinstance(layer, StackedLinear)]

    def forward(self, x: Tensor) -> Tensor:
        """[M, …, widths[0]] -> [M, …, widths[-1]]."""
        for layer in list(self.layers)[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)
