"""Smooth Tchebycheff scalarisation: a smooth maximum of the losses."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, softmax_over


class STCH(Balancer):
    """STCH (Lin et al., ICML 2024, arXiv 2402.19078): `L = μ log Σ_k exp(λ_k L_k / μ)`, λ = 1/K, ideal point 0.

    Its weights are `λ_k softmax_k(λ L / μ)`; here they are multiplied by K, so that they sum to 1 and a large μ is
    equal weighting. A small μ trains the largest loss only. The units of the losses matter; the published multi-task
    experiments first train on log-losses for some epochs, which is left out here.

    Loss weighting: heads are scaled. Gradients are not read, so a zero gradient changes nothing; a task without a
    finite loss gets weight 0 and does not count, in K neither. K = 1: plain training. No state.

    Args:
        mu: smoothing μ > 0, in units of the losses; the paper tries 0.01 to 1.
    """

    needs = Needs.LOSSES
    scales_heads = True

    def __init__(self, mu: float = 0.1) -> None:
        if not mu > 0:
            raise UsageError(f"mu must be above 0; found {mu}")
        self.mu = mu

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: torch.Generator | None
    ) -> tuple[Tensor, State]:
        """The softmax of the losses."""
        n_active = active.sum(-1, keepdim=True).clamp(min=1)
        return softmax_over(losses / (n_active * self.mu), active), state
