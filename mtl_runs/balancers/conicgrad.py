"""Max–min descent within a cone around the mean gradient, solved exactly."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, uniform_over
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.solvers import ROUNDING, min_norm_point, mixture_norm, normalised
from mtl_runs.balancers.worst_mixture import worst_mixture


class ConicGradExact(Balancer):
    """ConicGrad's problem (Hassanpour et al. 2025, arXiv 2502.00217), solved exactly.

    From the paper: `max_d min_k g_kᵀd` subject to `cos(d, g_0) ≥ c`, the length of d decoupled, here `‖d‖ = ‖g_0‖`.
    Ours is the solution. For a mixture `g_w` with `u = g_0/‖g_0‖`, `a = g_wᵀu` and `p = g_w - a u`, the best d is
    `‖g_0‖ g_w/‖g_w‖` if that lies in the cone, else `‖g_0‖ (c u + √(1-c²) p/‖p‖)` on its rim; w minimises the value,
    which is convex. Its minimiser is MGDA's if that lies in the cone, and otherwise that of the rim's value,
    a problem of CAGrad's form. The paper instead moves w by one gradient step per iteration and inverts a matrix that
    is indefinite for c < 1; its numbers are not to be expected from this class.

    Not conflicting is not guaranteed for c near 1; c = 1 is the mean gradient. Gradient method: heads are not scaled.
    A task with a zero, NaN or infinite gradient gets weight 0 and does not count. `g_0 = 0` (opposed equal gradients):
    d = 0. Pareto-stationary otherwise: d = g_0, unless every direction in the cone hurts some task; then the one that
    hurts least. K = 1: plain training. No state.

    Args:
        c: least cosine between d and the mean gradient, above 0 and up to 1. No published value is known to us.
    """

    needs = Needs.GRAMIAN
    scales_heads = False

    def __init__(self, c: float = 0.5) -> None:
        if not 0 < c <= 1:
            raise UsageError(f"c must be above 0 and at most 1; found {c}")
        self.c, self.sine = c, (1 - c**2) ** 0.5

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Coefficients of the better of the two directions."""
        mean = uniform_over(active)
        gramian, _ = normalised(gramian, active)
        dots = (gramian @ mean.unsqueeze(-1)).squeeze(-1)
        length = mixture_norm(gramian, mean)
        vanished = length == 0
        along = dots / length.where(~vanished, 1.0)  # g_kᵀu
        across = gramian - along.unsqueeze(-1) * along.unsqueeze(-2)  # Gramian of the parts at right angles to u

        inside = min_norm_point(gramian, active)
        inside_norm = mixture_norm(gramian, inside)
        in_cone = (inside * along).sum(-1, keepdim=True) >= self.c * inside_norm
        stationary = inside_norm == 0
        inward = torch.where(stationary, mean, length * inside / inside_norm.where(~stationary, 1.0))

        norms = gramian.diagonal(dim1=-2, dim2=-1).sqrt()
        rim = worst_mixture(across, self.c * along, torch.full_like(length, self.sine), active, norms)
        squared = torch.einsum("...i,...ij,...j->...", rim, across, rim).unsqueeze(-1)
        # What is subtracted has the rounding error of g_0, relative to what was added up for it.
        doubt = ROUNDING * (1 + 2 * (mean * norms).sum(-1, keepdim=True) / length.where(~vanished, 1.0))
        aside = squared.where(squared > doubt * (rim * norms).sum(-1, keepdim=True) ** 2, 0.0).sqrt()
        parallel = aside == 0
        turned = self.sine / aside.where(~parallel, 1.0)
        drift = (rim * along).sum(-1, keepdim=True)
        outward = torch.where(parallel, mean, (self.c - turned * drift) * mean + length * turned * rim)

        # A mixture of zero has value 0 with every d; the rim's may be worse.
        hurts = self.c * drift + self.sine * aside < 0
        weights = torch.where(in_cone & ~(stationary & hurts), inward, outward)
        return torch.where(vanished, 0.0, weights), state
