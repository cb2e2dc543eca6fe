"""Stochastic MGDA with tracked gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, shares_among
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.powers import power
from mtl_runs.balancers.solvers import project_to_simplex


class MoCo(Balancer):
    """MoCo (Fernando et al., ICLR 2023): running means of the gradients, and one step of MGDA's weights on them.

    `y_k ← y_k - β_t (y_k - g̃_k)` from 0, `λ ← Π_Δ(λ - γ_t (Y Yᵀ + ρ I) λ)`, `d = Yᵀλ`, with `β_t = β / t^σ` and
    `γ_t = γ / t^σ`. As in LibMTL, `g̃_k = L_k g_k / ‖g_k‖`, so that the step on λ does not depend on the size of the
    gradients. Unlike LibMTL, whose softmax keeps λ near equality, λ is projected on the simplex, as in the paper;
    otherwise they agree.

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0, does not count,
    and its state stays. Opposed gradients of equal losses: d = 0. K = 1: a running mean of normalised gradients.
    State: the running means, [K, P]; λ and the number of steps of each task.

    Args:
        beta: step size β of the tracking, in 0..1, excluding 0.
        gamma: step size γ > 0 of the weights.
        sigma: how fast both fall, σ ≥ 0.
        rho: regularisation ρ ≥ 0 of the weights towards equality.
    """

    needs = Needs.LOSSES | Needs.JACOBIAN | Needs.GRAMIAN
    scales_heads = False

    def __init__(self, beta: float = 0.5, gamma: float = 0.1, sigma: float = 0.5, rho: float = 0.0) -> None:
        if not 0 < beta <= 1:
            raise UsageError(f"beta must be above 0 and at most 1; found {beta}")
        if not (gamma > 0 and sigma >= 0 and rho >= 0):
            raise UsageError(
                f"gamma must be above 0, sigma and rho not negative; found gamma={gamma}, sigma={sigma}, rho={rho}"
            )
        self.beta, self.gamma, self.sigma, self.rho = beta, gamma, sigma, rho

    def init(self, n_tasks: int) -> State:
        """Running means of nothing, equal λ."""
        return {
            "tracked": torch.zeros(n_tasks, 1, dtype=torch.float32),
            "share": torch.full((n_tasks,), 1 / n_tasks, dtype=torch.float64),
            "steps": torch.zeros(n_tasks, dtype=torch.float64),
        }

    def rows(
        self, state: State, losses: Tensor, jacobian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The tracked gradients."""
        steps = state["steps"] + 1
        rate = (self.beta / power(steps, self.sigma)).to(jacobian).unsqueeze(-1)
        norms = jacobian.norm(dim=-1).where(active, 1.0)
        current = jacobian * (losses / norms).unsqueeze(-1)
        old = state["tracked"].to(jacobian)
        tracked = old + rate * (current - old)
        return tracked, {**state, "tracked": tracked, "steps": steps}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """One projected-gradient step on λ."""
        share = shares_among(state["share"], active)
        slope = (gramian @ share.unsqueeze(-1)).squeeze(-1) + self.rho * share
        rate = self.gamma / power(state["steps"].clamp(min=1), self.sigma)
        share = project_to_simplex(share - rate * slope, active)
        return share, {**state, "share": share}
