"""Independent component alignment: all principal components of the gradients get the same length."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, uniform_over
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.solvers import ROUNDING

Scale = Literal["min", "rmse"]


class AlignedMTL(Balancer):
    """Aligned-MTL (Senushkin et al., CVPR 2023, Algorithm 1): with `A = V Λ Vᵀ`, `α = √σ V Λ^{-1/2} Vᵀ b`, b = 1/K.

    That is the mean of the nearest system of gradients whose condition number is 1. σ is the smallest eigenvalue, or
    with `rmse` the mean one (as in the published code). Eigenvalues below 1e-6 of the largest, which float32 does not
    tell from zero, are left out on both sides; with `min`, nearly dependent gradients make d short.

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0 and does not
    count. Opposed equal gradients (g, -g): d = 0. K = 1: plain training. No state.

    Args:
        scale: which eigenvalue all others are set to.
    """

    needs = Needs.GRAMIAN
    scales_heads = False

    def __init__(self, scale: Scale = "min") -> None:
        if scale not in get_args(Scale):
            raise UsageError(f"scale must be one of {', '.join(get_args(Scale))}; found '{scale}'")
        self.scale = scale

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The mean, pulled back through the aligned components."""
        values, vectors = torch.linalg.eigh(gramian)
        usable = values > ROUNDING * values[..., -1:].clamp(min=0)
        if self.scale == "min":
            common = values.where(usable, torch.inf).amin(-1, keepdim=True)
        else:
            common = values.where(usable, 0.0).sum(-1, keepdim=True) / usable.sum(-1, keepdim=True).clamp(min=1)
        stretch = torch.where(usable, common / values.where(usable, 1.0), 0.0).sqrt()
        components = (vectors.mT @ uniform_over(active).unsqueeze(-1)).squeeze(-1)
        return (vectors @ (stretch * components).unsqueeze(-1)).squeeze(-1), state
