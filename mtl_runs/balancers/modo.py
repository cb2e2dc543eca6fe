"""Multi-objective descent with double sampling: an unbiased step on the weights."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, shares_among
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.solvers import project_to_simplex


class MoDo(Balancer):
    """MoDo (Chen, Fernando, Ying & Chen, NeurIPS 2023, arXiv 2305.20057): `λ ← Π_Δ(λ - γ (A λ + ρ λ))`, `d = G(ζ)ᵀλ`.

    One step per iteration on the weights of MGDA. With `A = G(ξ) G(ξ')ᵀ` from two independent batches its expectation
    is that of the full data, which no Gramian of one batch has; d is that of a third batch, as in LibMTL. The size of
    the gradients sets the speed of λ: small gradients leave it near where it starts, at equal weights.

    Gradient method: heads are not scaled. A task whose diagonal entry of A is zero, NaN or infinite gets weight 0, does
    not count, and its λ stays. Opposed equal gradients (g, -g) cancel while λ is equal. K = 1: plain training. State:
    λ.

    Args:
        gamma: step size γ > 0; 0.1 in TorchJD, 0.001 in LibMTL.
        rho: regularisation ρ ≥ 0 of the weights towards equality.
    """

    needs = Needs.GRAMIAN | Needs.SEVERAL_BATCHES
    scales_heads = False

    def __init__(self, gamma: float = 0.1, rho: float = 0.1) -> None:
        if not (gamma > 0 and rho >= 0):
            raise UsageError(f"gamma must be above 0 and rho not negative; found gamma={gamma}, rho={rho}")
        self.gamma, self.rho = gamma, rho

    def init(self, n_tasks: int) -> State:
        """Equal λ."""
        return {"share": torch.full((n_tasks,), 1 / n_tasks, dtype=torch.float64)}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """λ after its step, by which the parameters then move."""
        share = shares_among(state["share"], active)
        slope = (gramian @ share.unsqueeze(-1)).squeeze(-1) + self.rho * share
        share = project_to_simplex(share - self.gamma * slope, active)
        # Scaled to the share that these tasks had, so that they do not gain on those that are out.
        total = torch.where(active, state["share"], 0.0).sum(-1, keepdim=True)
        return share, {"share": torch.where(active, share * total, state["share"])}
