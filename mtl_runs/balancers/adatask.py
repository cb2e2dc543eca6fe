"""Per-task adaptive learning rates: every task has its own Adam for the shared parameters."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers.adam import BETA1, BETA2, EPSILON
from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.powers import power


class AdaTask(Balancer):
    """AdaTask (Yang et al., AAAI 2023, arXiv 2211.15055), Adam form: `d = Σ_k m̂_k / (√v̂_k + ε)`.

    m̂_k and v̂_k are Adam's corrected moments of task k's gradient, per shared parameter. It aggregates steps, not
    gradients: the rows that take the place of the gradients are normalised steps, and plain gradient descent along d
    is the paper's method. So train with `optimizer=sgd`, `momentum=0` and `clip=0`; anything else is applied on top.
    The sum is divided by K, as everywhere here. The size of a loss has no influence, nor has a constant loss weight.

    Gradient method: heads are not scaled and follow the run's optimiser, where the paper has Adam for them too. A task
    with a zero, NaN or infinite gradient does not move the parameters and its moments and clock stay; K counts every
    task. Opposed equal gradients (g, -g): d = 0. K = 1: Adam. State: both moments, [K, P], and the steps of each task.
    """

    needs = Needs.JACOBIAN
    scales_heads = False

    def init(self, n_tasks: int) -> State:
        """Moments of nothing."""
        return {
            "mean": torch.zeros(n_tasks, 1, dtype=torch.float32),
            "square": torch.zeros(n_tasks, 1, dtype=torch.float32),
            "steps": torch.zeros(n_tasks, dtype=torch.float64),
        }

    def rows(
        self, state: State, losses: Tensor, jacobian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Each task's step at learning rate 1."""
        steps = state["steps"] + 1
        mean = state["mean"].to(jacobian).lerp(jacobian, 1 - BETA1)
        square = BETA2 * state["square"].to(jacobian) + (1 - BETA2) * jacobian.square()
        corrected = mean / (1 - power(BETA1, steps)).to(jacobian).unsqueeze(-1)
        root = (square / (1 - power(BETA2, steps)).to(jacobian).unsqueeze(-1)).sqrt()
        return corrected / (root + EPSILON), {"mean": mean, "square": square, "steps": steps}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """1/K for each task."""
        return torch.full_like(losses, 1 / losses.shape[-1]), state
