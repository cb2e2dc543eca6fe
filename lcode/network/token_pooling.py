"""Attention pooling of a curve's points, with its backward pass by hand: the largest tensors of the model live here.

The points that are pooled are linear in their hidden layer, and so is the pooling: it is done on the hidden layer, so
that the outer layer sees two rows a curve instead of sixteen, and a score that is the same for all points of a curve
changes nothing. The tests compare with the layers one after the other.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

ABSENT = -1e4
"""Score of a point that is not there."""


def pool_tokens(tokens: Tensor, there: Tensor, weight: Tensor, bias: Tensor, scores: Tensor) -> Tensor:
    """Means of silu(tokens · weight + bias), weighted by softmax(silu(…) · scores) over the points that are there.

    Args:
        tokens: N curves of T points, [N, T, F]; no gradient flows to them.
        there: which of them exist, [N, T], bool.
        weight: of the hidden layer, [M, F, H].
        bias: of the hidden layer, [M, 1, H].
        scores: one column for each of the P ways to weigh, [M, H, P].

    Returns:
        [M, N, P, H]; zero for a curve without a point.
    """
    pooled: Tensor = _PoolTokens.apply(tokens, there, weight, bias, scores)
    return pooled


class _PoolTokens(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tokens: Tensor, there: Tensor, weight: Tensor, bias: Tensor, scores: Tensor) -> Tensor:
        members, curves, points = len(weight), *there.shape
        rows = tokens.flatten(0, 1).expand(members, -1, -1)
        before = torch.baddbmm(bias, rows, weight)
        hidden = torch.nn.functional.silu(before)
        logits = torch.bmm(scores.mT, hidden.mT).unflatten(-1, (curves, points))
        weights = logits.masked_fill_(~there, ABSENT).softmax(-1).mul_(there)
        # [M, P, N, T] -> [M, N, P, T], so that every curve is a product of its own.
        weights = weights.transpose(1, 2).flatten(0, 1)
        ctx.save_for_backward(rows, before, hidden, weights, scores)
        return torch.bmm(weights, hidden.view(members * curves, points, -1)).view(members, curves, scores.shape[-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        rows, before, hidden, weights, scores = ctx.saved_tensors
        members, (_, ways, points) = len(scores), weights.shape
        grad = grads[0].flatten(0, 1)
        by_weight = torch.bmm(grad, hidden.view(-1, points, hidden.shape[-1]).mT)
        by_logit = weights * (by_weight - (by_weight * weights).sum(-1, keepdim=True))
        by_logit = by_logit.view(members, -1, ways, points).transpose(1, 2).flatten(2)
        by_scores = torch.bmm(by_logit, hidden).mT
        by_hidden = torch.bmm(weights.mT, grad).view_as(hidden).baddbmm_(by_logit.mT, scores.mT)
        by_before = torch.ops.aten.silu_backward(by_hidden, before)
        return None, None, torch.bmm(rows.mT, by_before), by_before.sum(1, keepdim=True), by_scores
