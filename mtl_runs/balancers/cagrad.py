"""Conflict-averse gradient descent: help the worst-off task without leaving the mean gradient's neighbourhood."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, uniform_over
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.solvers import (
    MAX_FACES_K,
    best_feasible,
    face_inverses,
    faces,
    minimise_on_simplex,
    mixture_norm,
    normalised,
)

SMOOTHING = 1e-3
"""With many tasks, norms of `g_w` below this share of the typical gradient are treated as this long."""


class CAGrad(Balancer):
    """CAGrad (Liu et al., NeurIPS 2021, arXiv 2110.14048): `max_d min_k g_kᵀd  s.t. ‖d - g_0‖ ≤ c ‖g_0‖`.

    By its dual (eq. 4): `w = argmin_{w∈Δ} wᵀAb + c ‖g_0‖ √(wᵀAw)` with b = 1/K, `g_0 = Gᵀb`, and
    `d = (g_0 + c ‖g_0‖ g_w / ‖g_w‖) / r`. c = 0 is the mean gradient, large c tends to MGDA's direction. `dᵀg_k ≥ 0` is
    not guaranteed for c < 1. The dual is solved exactly, face by face of the simplex, on the normalised Gramian; the
    published code runs SLSQP with jitters of 1e-8 that are not free of scale.

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


def worst_mixture(gramian: Tensor, dots: Tensor, radius: Tensor, active: Tensor) -> Tensor:
    """Minimiser over the simplex of `wᵀp + κ √(wᵀAw)`: the mixture of tasks that gains least near a given direction.

    Args:
        gramian: A, normalised to mean diagonal about 1, positive semi-definite but for rounding errors, [..., K, K].
        dots: p, [..., K].
        radius: κ ≥ 0, [..., 1].
        active: bool, [..., K]; others get weight 0.

    Returns:
        [..., K] on the simplex.
    """
    if gramian.shape[-1] > MAX_FACES_K:

        def gradient(w: Tensor) -> Tensor:
            pushed = (gramian @ w.unsqueeze(-1)).squeeze(-1)
            norm = (w * pushed).sum(-1, keepdim=True).clamp(min=SMOOTHING**2).sqrt()
            return dots + radius * pushed / norm

        bound = gramian * (1 + radius / SMOOTHING).unsqueeze(-1)
        return minimise_on_simplex(gradient, bound, active, iterations=3000)
    # The minimiser is often where g_w = 0, and a face on which rounding made wᵀAw negative would have none.
    values, vectors = torch.linalg.eigh(gramian)
    gramian = vectors * values.clamp(min=0).unsqueeze(-2) @ vectors.mT
    # On a face with B = A restricted to it: stationarity reads A w = (‖g_w‖/κ)(μ1 - p), and with 1ᵀw = 1 and
    # wᵀAw = ‖g_w‖² the multiplier μ solves a quadratic: w = (μ B⁻¹1 - B⁻¹p) / √(b² - a(q - κ²)).
    inverse = face_inverses(gramian)
    ones, solved = inverse.sum(-1), (inverse @ dots[..., None, :, None]).squeeze(-1)
    a = ones.sum(-1, keepdim=True)
    b = solved.sum(-1, keepdim=True)
    q = (solved * dots.unsqueeze(-2)).sum(-1, keepdim=True)
    root = (b**2 - a * (q - radius.unsqueeze(-2) ** 2)).sqrt()  # NaN where the face has no stationary point
    points = ((b + root) / a * ones - solved) / root
    # A single task needs no solving; and where the face is singular the sum is not 1 to start with.
    mask = faces(gramian.shape[-1], gramian.device)
    points = torch.where(mask.sum(-1, keepdim=True) == 1, mask, points / points.sum(-1, keepdim=True))
    squared = torch.einsum("...fi,...ij,...fj->...f", points, gramian, points)
    values = (points * dots.unsqueeze(-2)).sum(-1) + radius * squared.clamp(min=0).sqrt()
    return best_feasible(points, values, active)
