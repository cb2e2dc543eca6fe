"""Conflict-averse gradient descent: help the worst-off task without leaving the mean gradient's neighbourhood."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import CLIP, Balancer, Needs, State, uniform_over
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.solvers import mixture_norm, normalised
from mtl_runs.balancers.worst_mixture import worst_mixture


class CAGrad(Balancer):
    """CAGrad (Liu et al., NeurIPS 2021, arXiv 2110.14048): `max_d min_k g_kᵀd  s.t. ‖d - g_0‖ ≤ c ‖g_0‖`.

    By its dual (eq. 4): `w = argmin_{w∈Δ} wᵀAb + c ‖g_0‖ √(wᵀAw)` with b = 1/K, `g_0 = Gᵀb`, and
    `d = (g_0 + c ‖g_0‖ g_w / ‖g_w‖) / r`. c = 0 is the mean gradient, large c tends to MGDA's direction. `dᵀg_k ≥ 0` is
    not guaranteed for c < 1. The dual is solved to 1e-8 or better for any number of tasks and norms of any sizes
    (`worst_mixture`). The published code runs SLSQP, which stops some 2e-4 away from d, and with its jitters of 1e-8 is
    not free of scale: up to 45 % away for gradients of 1e-3 or 1e3, where the worst task gains less than here.

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0, and b is uniform
    over the others. Where `g_w = 0` but for rounding errors (Pareto-stationary) the second term is left out:
    d = g_0 / r, where TorchJD returns d = 0. Opposed equal gradients (g, -g): g_0 = 0, so d = 0. K = 1:
    d = (1 + c) g / r. No state.

    Args:
        c: radius of the neighbourhood relative to `‖g_0‖`, not negative.
        rescale: what d is divided by: 0 nothing, 1 `1 + c²` (the published trainers' default), 2 `1 + c`.
    """

    needs = Needs.GRAMIAN
    scales_heads = False
    clip = CLIP

    def __init__(self, c: float = 0.4, rescale: Literal[0, 1, 2] = 1) -> None:
        if not c >= 0:
            raise UsageError(f"c must not be negative; found {c}")
        if rescale not in (0, 1, 2):
            raise UsageError(f"rescale must be 0, 1 (divide by 1 + c²) or 2 (divide by 1 + c); found {rescale}")
        self.c = c
        self.divisor = (1.0, 1 + c**2, 1 + c)[rescale]

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """`(b + λ w) / r`, `λ = c ‖g_0‖ / ‖g_w‖`."""
        mean = uniform_over(active)
        gramian, _ = normalised(gramian, active)
        dots = (gramian @ mean.unsqueeze(-1)).squeeze(-1)  # g_kᵀg_0
        radius = self.c * mixture_norm(gramian, mean)
        worst = self.mixture(gramian, dots, radius, active)
        norm = mixture_norm(gramian, worst)
        pull = torch.where(norm > 0, radius / norm.where(norm > 0, 1.0), 0.0)
        return (mean + pull * worst) / self.divisor, state

    def mixture(self, gramian: Tensor, dots: Tensor, radius: Tensor, active: Tensor) -> Tensor:
        """The w of the dual; arguments as of `worst_mixture`."""
        return worst_mixture(gramian, dots, radius, active)
