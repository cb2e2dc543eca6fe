"""GradNorm: gradient norms are steered to a common size, larger for tasks that learn slowly."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.adam import adam_init, adam_step
from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.powers import power

SMALLEST_WEIGHT = 1e-3
"""No weight is pushed below this, with a mean weight of 1; at zero the method would lose the task for good."""


class GradNorm(Balancer):
    """GradNorm (Chen et al., ICML 2018, arXiv 1711.02257): w minimises `Σ_k |w_k ‖g_k‖ - Ḡ r_k^α|`, one step at a time.

    Ḡ is the mean of `w_k ‖g_k‖` and `r_k` the relative inverse training rate: `L_k / L_k(0)` over its mean. The target
    is held constant and the derivative, `sign(w_k ‖g_k‖ - Ḡ r_k^α) ‖g_k‖`, goes to an Adam of its own, after which the
    weights are scaled back to their sum. `L_k(0)` is the loss of the task's first step, as in the paper. Weights are
    those before this step's update, and sum to 1 over the active tasks (to K in the paper, which is
    `reduction="sum"`). Norms are over all shared parameters, from the Gramian's diagonal; the paper takes
    the last shared layer. There is no program of the authors'; that of SLAW's authors agrees, but weighs a step by the
    weights after its update. LibMTL has `w = K softmax(s)` with s among the network's parameters, equal weights for an
    epoch, and its mean loss for `L_k(0)`.

    Loss weighting: heads are scaled. A task with a zero, NaN or infinite gradient gets weight 0, does not count, and
    its weight in the state, first loss and moments stay. Opposed equal gradients (g, -g) cancel while w is equal.
    K = 1: plain training. State: w, first losses, Adam's moments and steps.

    Args:
        alpha: asymmetry α ≥ 0: how much harder slow tasks pull; 1.5 in the paper's NYUv2 experiments.
        lr: learning rate of the weights.
    """

    needs = Needs.LOSSES | Needs.GRAMIAN
    scales_heads = True

    def __init__(self, alpha: float = 1.5, lr: float = 0.025) -> None:
        if not alpha >= 0:
            raise UsageError(f"alpha must not be negative; found {alpha}")
        self.alpha, self.lr = alpha, lr

    def init(self, n_tasks: int) -> State:
        """Weights of 1, no first losses, Adam's state."""
        ones = torch.ones(n_tasks, dtype=torch.float64)
        return {"weight": ones, "first_loss": torch.zeros_like(ones), **adam_init(n_tasks)}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Normalised weights, and one step on them."""
        n_active = active.sum(-1, keepdim=True).clamp(min=1)
        first = torch.where(state["steps"] == 0, losses, state["first_loss"])
        norms = gramian.diagonal(dim1=-2, dim2=-1).sqrt()
        pulls = state["weight"] * norms
        common = pulls.sum(-1, keepdim=True) / n_active  # inactive tasks have norm 0
        rate = torch.where(active & (first != 0), losses / torch.where(first != 0, first, 1.0), 0.0)
        relative = rate * n_active / rate.sum(-1, keepdim=True).clamp(min=torch.finfo(rate.dtype).tiny)
        gradient = (pulls - common * power(relative.clamp(min=0), self.alpha)).sign() * norms
        step, moments = adam_step(state, gradient)
        kept = torch.where(active, state["weight"], 0.0).sum(-1, keepdim=True)
        moved = torch.where(active, (state["weight"] - self.lr * step).clamp(min=SMALLEST_WEIGHT), 0.0)
        total = moved.sum(-1, keepdim=True)
        new_state = {"weight": moved * kept / total.where(total > 0, 1.0), "first_loss": first, **moments}
        return state["weight"] / kept.where(kept > 0, 1.0), new_state
