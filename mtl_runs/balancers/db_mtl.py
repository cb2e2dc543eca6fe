"""Dual balancing: losses through their logarithm, gradients through a common norm."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import SMALLEST_LOSS, Balancer, Needs, State
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.powers import power


class DBMTL(Balancer):
    """DB-MTL (Lin et al. 2023, arXiv 2308.12029): running means of `∇ log L_k`, all scaled to the longest of them.

    `y_k ← β_t y_k + (1 - β_t) g_k / L_k` from 0, with `β_t = β / t^σ`, and `d = Σ_k y_k max_j ‖y_j‖ / ‖y_k‖`. The sum
    is divided by K, as everywhere here. As in LibMTL the start at 0 is not corrected for, so the first steps are short.
    Losses must be positive; below 1e-8 they count as 1e-8.

    Gradient method: heads are not scaled and train on their losses as they are, where the paper has the logarithm for
    them too. A task with a zero, NaN or infinite gradient gets weight 0, does not count, and its mean
    stays. Opposed equal gradients (g, -g) of equal losses: d = 0. K = 1: a running mean of the gradient of log L.
    State: the running means, [K, P], and the number of steps of each task.

    Args:
        beta: β in 0..1, excluding 1.
        sigma: how fast the memory fades, σ ≥ 0; 0 keeps β.
    """

    needs = Needs.LOSSES | Needs.JACOBIAN | Needs.GRAMIAN
    scales_heads = False
    positive_losses = True

    def __init__(self, beta: float = 0.9, sigma: float = 0.0) -> None:
        if not 0 <= beta < 1:
            raise UsageError(f"beta must be at least 0 and below 1; found {beta}")
        if not sigma >= 0:
            raise UsageError(f"sigma must not be negative; found {sigma}")
        self.beta, self.sigma = beta, sigma

    def init(self, n_tasks: int) -> State:
        """Running means of nothing."""
        return {
            "tracked": torch.zeros(n_tasks, 1, dtype=torch.float32),
            "steps": torch.zeros(n_tasks, dtype=torch.float64),
        }

    def rows(
        self, state: State, losses: Tensor, jacobian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The running means of the gradients of the log-losses."""
        steps = state["steps"] + 1
        memory = (self.beta / power(steps, self.sigma)).to(jacobian).unsqueeze(-1)
        current = jacobian / losses.clamp(min=SMALLEST_LOSS).unsqueeze(-1)
        tracked = memory * state["tracked"].to(jacobian) + (1 - memory) * current
        return tracked, {"tracked": tracked, "steps": steps}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """What makes all rows as long as the longest, divided by the number of active tasks."""
        norms = gramian.diagonal(dim1=-2, dim2=-1).sqrt()
        longest = norms.amax(-1, keepdim=True)
        return longest / (norms.where(active, 1.0) * active.sum(-1, keepdim=True).clamp(min=1)), state
