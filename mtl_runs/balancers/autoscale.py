"""Fixed loss weights, chosen by the lengths of the gradients in the first epochs."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, softmax_over
from mtl_runs.balancers.draws import Generators


class AutoScale(Balancer):
    """AutoScale (Yang et al. 2025, arXiv 2508.13979): `L = Σ_k w_k L_k`, w found in a first phase and then fixed.

    From the paper: well-performing fixed weights go with a high similarity of the weighted gradients' lengths, among
    other measures; so one training explores by such a measure, with the weights that it gives, and goes on with fixed
    weights, at the cost of plain scalarisation. No program is public, and we know the paper by its abstract and a
    summary only: by the latter it explores in windows of steps, each trained with the weights of the one before.

    Ours is the rest. The similarity of two tasks is that of PCGrad's paper, with `x_k = log(w_k ‖g_k‖)`
    `2 ‖w_i g_i‖ ‖w_j g_j‖ / (‖w_i g_i‖² + ‖w_j g_j‖²) = 1 / cosh(x_i - x_j)`. In one step it is highest, 1, for
    `w_k ∝ 1 / ‖g_k‖`. Over many steps it is, up to terms of fourth order, for the weights that make the means of the
    x_k equal, `w_k ∝ exp(-mean log ‖g_k‖)`, the inverse geometric mean: that of the best weights of all steps as well,
    and no single step with a tiny or a huge gradient decides, as for the means of norms or of weights. While it
    explores, each step is trained with the weights by all steps up to it. They sum to 1. Norms are over all shared
    parameters. Multiplying one loss by a factor divides its weight by it.

    Once no run explores, steps are made without the tasks' own gradients, in a single backward pass. Loss weighting:
    heads are scaled. While exploring, a task with a zero, NaN or infinite gradient gets weight 0, and such steps do not
    enter its mean; afterwards a task without a finite loss gets weight 0. The others keep theirs. A task that had no
    gradient in the first phase gets the geometric mean of the others' weights, before they are scaled to sum to 1.
    Opposed equal gradients (g, -g): d = 0. K = 1: plain training. State: the mean of each log-norm, over how many
    steps, and the number of epochs.

    Args:
        explore: number of epochs of the first phase, at least 1.
    """

    needs = Needs.GRAMIAN | Needs.LESS_LATER
    scales_heads = True

    def __init__(self, explore: int = 5) -> None:
        if not (explore >= 1 and explore % 1 == 0):
            raise UsageError(f"explore must be a whole number of at least 1; found {explore}")
        self.explore = int(explore)

    def init(self, n_tasks: int) -> State:
        """No gradient seen."""
        return {name: torch.zeros(n_tasks, dtype=torch.float64) for name in ("log_norm", "steps", "epochs")}

    def reads(self, state: State) -> Needs:
        """Gradients while any run explores, then losses, which say who is there."""
        return self.needs if bool((state["epochs"] < self.explore).any()) else Needs.LOSSES

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The weights by all steps of the first phase until now."""
        counts = active & (state["epochs"] < self.explore)
        steps = state["steps"] + counts
        log_norms = torch.where(counts, gramian.diagonal(dim1=-2, dim2=-1), 1.0).log() / 2
        mean = state["log_norm"] + torch.where(counts, (log_norms - state["log_norm"]) / steps.clamp(min=1), 0.0)
        seen = steps > 0
        usual = torch.where(seen, mean, 0.0).sum(-1, keepdim=True) / seen.sum(-1, keepdim=True).clamp(min=1)
        weights = softmax_over(-torch.where(seen, mean, usual), seen | active)
        return weights, {**state, "log_norm": mean, "steps": steps}

    def end_epoch(self, state: State) -> State:
        """One epoch more."""
        return {**state, "epochs": state["epochs"] + 1}
