"""The terms of the loss, each a named function of tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lcode.forecast import LEVELS, Q05, Q50, Q95


def pinball(quantiles: Tensor, target: Tensor) -> Tensor:
    """Mean pinball loss over the 21 levels: half the continuous ranked probability score, up to the outer tails.

    Args:
        quantiles: [M, …, 21].
        target: [...], without the member and the level axis.

    Returns:
        Loss of shape [M, …], in the units of the target.
    """
    loss: Tensor = _Pinball.apply(quantiles, target)
    return loss


class _Pinball(torch.autograd.Function):
    """The loss is error · slope, and the slope is all that the backward pass needs: few passes over a large tensor."""

    @staticmethod
    def forward(ctx: Any, quantiles: Tensor, target: Tensor) -> Tensor:
        centred = torch.as_tensor(LEVELS - 0.5, dtype=quantiles.dtype, device=quantiles.device)
        error = target[None, ..., None] - quantiles
        slope = error.sign().mul_(0.5).add_(centred).div_(len(LEVELS))
        ctx.save_for_backward(slope)
        return error.mul_(slope).sum(-1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (slope,) = ctx.saved_tensors
        return grads[0].neg()[..., None] * slope, None


def gaussian_nll(quantiles: Tensor, target: Tensor) -> Tensor:
    """Negative log likelihood of a normal with this median and the spread between the 5 % and 95 % quantiles.

    The reconstruction term of the published recipe; shapes as in `pinball`.
    """
    deviation = ((quantiles[..., Q95] - quantiles[..., Q05]) / 3.2897).clamp(min=1e-4)
    return 0.5 * ((target[None] - quantiles[..., Q50]) / deviation) ** 2 + deviation.log()


def masked_mean(loss: Tensor, mask: Tensor) -> Tensor:
    """Mean of [M, …] over everything but the member axis where the mask (same shape) is set: [M]."""
    rest = tuple(range(1, loss.ndim))
    return (loss * mask).sum(rest) / mask.sum(rest).clamp(min=1)
