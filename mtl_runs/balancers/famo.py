"""Fast adaptive multi-task optimisation: all losses fall at the same rate, from losses alone."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers.adam import adam_init, adam_step
from mtl_runs.balancers.base import Balancer, Needs, State, keep_inactive, softmax_over
from mtl_runs.balancers.draws import Generators

EPSILON = 1e-8
"""Added to losses before their logarithm."""


class FAMO(Balancer):
    """FAMO (Liu et al., NeurIPS 2023, arXiv 2306.03792, Algorithm 2): `w_k = c z_k / L_k`, `z = softmax(ξ)`.

    c makes the weights sum to 1, that is they are `d/dL_k` of `c Σ z_k log L_k` with c held constant. After the step
    the losses of the same batch are taken again, `δ_k = log L_k(before) - log L_k(after)`, and Adam moves ξ along
    `-(∂z/∂ξ)ᵀ δ`, with an L2 penalty: a task that gains faster than the others loses weight. The lower bounds of the
    losses are 0; losses must be positive, those below 0 count as 0.

    Loss weighting: heads are scaled. Gradients are not read, so a zero gradient changes nothing; a task without a
    finite loss before or after the step gets weight 0 or keeps its ξ, and does not count. K = 1: plain training.
    State: ξ, Adam's moments and steps. The extra forward pass must not touch running statistics.

    Args:
        lr: learning rate of ξ.
        weight_decay: factor of the penalty's gradient; the paper's γ, 0.001 to 0.01.
    """

    needs = Needs.LOSSES | Needs.AFTER_STEP_LOSSES
    scales_heads = True
    positive_losses = True

    def __init__(self, lr: float = 0.025, weight_decay: float = 1e-3) -> None:
        self.lr, self.weight_decay = lr, weight_decay

    def init(self, n_tasks: int) -> State:
        """ξ = 0 and Adam's state."""
        return {"logit": torch.zeros(n_tasks, dtype=torch.float64), **adam_init(n_tasks)}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Weights that share out the decrease of the log-losses."""
        shares = softmax_over(state["logit"].expand(losses.shape), active) / (losses.clamp(min=0) + EPSILON)
        return shares / shares.sum(-1, keepdim=True), state

    def after_step(self, state: State, before: Tensor, after: Tensor) -> State:
        """One Adam step on ξ."""
        before, after = before.detach().to(torch.float64), after.detach().to(torch.float64)
        active = torch.isfinite(before) & torch.isfinite(after)
        logs = [(losses.clamp(min=0) + EPSILON).log() for losses in (before, after)]
        gain = torch.where(active, logs[0] - logs[1], 0.0)
        shares = softmax_over(state["logit"].expand(gain.shape), active)
        gradient = shares * (gain - (shares * gain).sum(-1, keepdim=True))
        step, moments = adam_step(state, gradient + self.weight_decay * state["logit"])
        return keep_inactive(active, {"logit": state["logit"] - self.lr * step, **moments}, state)
