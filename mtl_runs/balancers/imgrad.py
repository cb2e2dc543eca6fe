"""Imbalance-sensitive gradient descent: CAGrad that heeds how far the mean is from the shortest gradient."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from mtl_runs.balancers.base import uniform_over
from mtl_runs.balancers.cagrad import CAGrad
from mtl_runs.balancers.solvers import min_norm_point, mixture_norm
from mtl_runs.balancers.worst_mixture import worst_mixture

MEETING = 1.5
"""Agreement and its complement add up to this in the objective (a constant of the published code)."""


class IMGrad(CAGrad):
    """IMGrad (Zhou et al., IJCAI 2025, arXiv 2503.08006): CAGrad with an objective that heeds imbalance.

    With `g_m` the min-norm point of the gradients and `κ = cos(g_0, g_m)`,
    `w = argmin_{w∈Δ} (1.5 - κ) wᵀAb + κ c ‖g_0‖ √(wᵀAw)`; then as in CAGrad `d = (g_0 + c ‖g_0‖ g_w / ‖g_w‖) / r`.
    κ = 0.75 is CAGrad; a small κ puts w on the task that the mean helps least. After the published general-K code; its
    separate two-task function weights only one of the terms of `wᵀAb` and is not followed. Solved exactly, as CAGrad.

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0 and does not
    count. κ is in 0..1, and 0 where `g_m = 0` (Pareto-stationary). Opposed equal gradients (g, -g): d = 0. K = 1:
    d = (1 + c) g / r. No state.

    Args:
        c: radius of the neighbourhood relative to `‖g_0‖`, not negative.
        rescale: what d is divided by: 0 nothing, 1 `1 + c²` (as published), 2 `1 + c`.
    """

    clip = 0.0

    def __init__(self, c: float = 0.8, rescale: Literal[0, 1, 2] = 1) -> None:
        super().__init__(c, rescale)

    def mixture(self, gramian: Tensor, dots: Tensor, radius: Tensor, active: Tensor) -> Tensor:
        """Minimiser of the imbalance-sensitive objective."""
        agreement = _agreement(gramian, dots, active)
        return worst_mixture(gramian, (MEETING - agreement) * dots, agreement * radius, active)


def _agreement(gramian: Tensor, dots: Tensor, active: Tensor) -> Tensor:
    """Cosine between the mean and the shortest gradient, [..., 1], in 0..1."""
    shortest = min_norm_point(gramian, active)
    product = mixture_norm(gramian, shortest) * mixture_norm(gramian, uniform_over(active))
    inner = (shortest * dots).sum(-1, keepdim=True)
    return torch.where(product > 0, inner / product.where(product > 0, 1.0), 0.0).clamp(0, 1)
