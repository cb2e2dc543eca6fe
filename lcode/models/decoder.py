"""From latent states to quantiles of the scaled value: an anchored median and increments that cannot cross."""

from __future__ import annotations

import torch
from scipy.stats import norm
from torch import Tensor, nn

from lcode.forecast import LEVELS
from lcode.models.stacked import StackedLinear, StackedMLP

_MIDDLE = len(LEVELS) // 2

TIME_FEATURES = 3


class QuantileDecoder(nn.Module):
    """z(t) and the lead time -> 21 ascending quantiles.

    median = a · last value + change, where the anchor's weight a in (0, 1) is learned from the context (at the first
    epochs of a multi-task run the last value is a poor anchor) and the other quantiles lie at normal distances times
    learned positive factors.
    """

    spacing: Tensor

    def __init__(self, members: int, latent: int, hidden: int, anchored: bool, generator: torch.Generator) -> None:
        super().__init__()
        self.net = StackedMLP(members, (latent + TIME_FEATURES, hidden, 1 + len(LEVELS)), generator, last_gain=0.3)
        self.gate = StackedLinear(members, hidden, 1, generator, gain=0.1) if anchored else None
        self.register_buffer("spacing", torch.tensor(norm.ppf(LEVELS), dtype=torch.float32).diff())

    def forward(self, z: Tensor, lead: Tensor, context: Tensor, last: Tensor) -> Tensor:
        """Decode.

        Args:
            z: states at the queries, [M, B, K, Q, D].
            lead: time features of the queries, [B, Q, 3].
            context: [M, B, K, H].
            last: last observed scaled value, [B, K].

        Returns:
            Quantiles in model space, ascending, [M, B, K, Q, 21].
        """
        when = lead[None, :, None].expand(*z.shape[:-1], lead.shape[-1])
        raw = self.net(torch.cat([z, when], -1))
        change, scale, shape = raw[..., 0], raw[..., 1], raw[..., 2:]
        median = change
        if self.gate is not None:
            weight = torch.sigmoid(self.gate(context) + 2)  # starts near 0.9: trust the last value
            median = median + weight * last[None, ..., None]
        steps = self.spacing * torch.exp((scale[..., None] - 1.5 + shape).clamp(-9, 3))
        up = steps[..., _MIDDLE:].cumsum(-1)
        down = steps[..., :_MIDDLE].flip(-1).cumsum(-1).flip(-1)
        middle = median[..., None]
        return torch.cat([middle - down, middle, middle + up], -1)
