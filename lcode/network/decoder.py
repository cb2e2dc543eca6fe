"""From latent states to quantiles of the scaled value: an anchored median and increments that cannot cross."""

from __future__ import annotations

from typing import Any

import torch
from scipy.stats import norm
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from lcode.forecast import LEVELS, Q50
from lcode.network.curve_encoder import EDGE
from lcode.network.stacked import StackedLinear, StackedMLP

_LOG_GAPS = (-9.0, 3.0)
"""Bounds of the log of a gap between neighbouring quantiles, in units of the normal distribution's."""


class QuantileDecoder(nn.Module):
    """z(t) and the lead time -> 21 ascending quantiles.

    median = a · last value + change, where the anchor's weight a in (0, 1) is learned from the context (at the first
    epochs of a multi-task run the last value is a poor anchor; what lies below `EDGE` counts in full) and the other
    quantiles lie at normal distances times learned positive factors.
    """

    spacing: Tensor

    def __init__(
        self, members: int, latent: int, leads: int, hidden: int, anchored: bool, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.net = StackedMLP(members, (latent + leads, hidden, 1 + len(LEVELS)), generator, last_gain=0.3)
        self.gate = StackedLinear(members, hidden, 1, generator, gain=0.1) if anchored else None
        self.register_buffer("spacing", torch.tensor(norm.ppf(LEVELS), dtype=torch.float32).diff())

    def forward(self, z: Tensor, lead: Tensor, context: Tensor, last: Tensor) -> Tensor:
        """Decode.

        Args:
            z: states at the queries, [M, B, K, Q, D].
            lead: what is known of the queries, [B, Q, leads].
            context: [M, B, K, H].
            last: last observed scaled value, [B, K].

        Returns:
            Quantiles in model space, ascending, [M, B, K, Q, 21].
        """
        when = lead[None, :, None].expand(*z.shape[:-1], lead.shape[-1])
        inner, outer = self.net.linears
        hidden = nn.functional.silu(inner(torch.cat([z, when], -1)))
        anchor = None
        if self.gate is not None:
            weight = torch.sigmoid(self.gate(context) + 2)  # starts near 0.9: trust the last value
            read = last.clamp(min=EDGE)
            anchor = weight * read[None, ..., None] + (last - read)[None, ..., None]
        quantiles: Tensor = _Quantiles.apply(hidden, outer.weight, outer.bias, self.spacing, anchor)
        return quantiles.movedim(1, -1)


class _Quantiles(torch.autograd.Function):
    """The last layer and what is made of it, levels first: sums along them then run over whole rows of memory.

    The hidden layer [M, B, K, Q, H], the last layer's weight [M, H, 22] and bias [M, 1, 22] (change, log scale, log
    factor of each of the 20 gaps), the gaps' spacing [20] and the anchor [M, B, K, 1] or None -> [M, 21, B, K, Q].
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor, spacing: Tensor, anchor: Tensor | None
    ) -> Tensor:
        rows = hidden.flatten(1, -2)
        raw = torch.baddbmm(bias.mT, weight.mT, rows.mT).unflatten(-1, hidden.shape[1:-1])
        logs = raw[:, 2:] + (raw[:, 1:2] - 1.5)
        gaps = logs.clamp(*_LOG_GAPS).exp_().mul_(spacing.view(-1, *[1] * (raw.ndim - 2)))
        ctx.save_for_backward(rows, weight, logs, gaps)
        result = torch.empty_like(raw[:, 1:])
        quantile, gap = result.unbind(1), gaps.unbind(1)
        quantile[Q50].zero_()
        for i in range(Q50):
            torch.add(quantile[Q50 + i], gap[Q50 + i], out=quantile[Q50 + i + 1])
            torch.sub(quantile[Q50 - i], gap[Q50 - i - 1], out=quantile[Q50 - i - 1])
        median = raw[:, :1] if anchor is None else raw[:, :1] + anchor[:, None]
        return result.add_(median)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight, logs, gaps = ctx.saved_tensors
        grad = grads[0].unbind(1)
        result = gaps.new_empty(gaps.shape[0], 2 + gaps.shape[1], *gaps.shape[2:])
        median, scale, *gap = result.unbind(1)
        # A gap moves all the quantiles beyond it.
        gap[-1].copy_(grad[-1])
        torch.neg(grad[0], out=gap[0])
        for i in range(Q50 - 1):
            torch.add(gap[-1 - i], grad[-2 - i], out=gap[-2 - i])
            torch.sub(gap[i], grad[i + 1], out=gap[i + 1])
        torch.add(gap[Q50], grad[Q50], out=median).sub_(gap[Q50 - 1])
        by_log = torch.ops.aten.hardtanh_backward(result[:, 2:].mul_(gaps), logs, *_LOG_GAPS)
        result[:, 2:] = by_log
        torch.sum(by_log, 1, out=scale)
        columns = result.flatten(2)
        by_hidden = torch.bmm(columns.mT, weight.mT).view(*gaps.shape[:1], *gaps.shape[2:], -1)
        by_weight, by_bias = torch.bmm(columns, rows).mT, columns.sum(-1)[:, None]
        return by_hidden, by_weight, by_bias, None, median.sum(-1, keepdim=True) if ctx.needs_input_grad[4] else None
