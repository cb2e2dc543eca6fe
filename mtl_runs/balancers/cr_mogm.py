"""Correlation-reduced gradient manipulation: weights that remember."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, State
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.wrapper import Wrapper


class CRMOGM(Wrapper):
    """CR-MOGM (Zhou et al., NeurIPS 2022): a running mean of another method's weights, `λ_t = α λ_{t-1} + (1 - α) λ̂_t`.

    The weights λ̂ that a method finds on a batch depend on the very gradients that they are then multiplied with, so
    that the direction is biased; weights that are mostly those of earlier batches depend on them less. As in TorchJD
    `λ_0 = λ̂_1`, so that the first step is the inner method's, and α is constant; the paper's theorem lets it tend to 1
    while the learning rate falls. Rows that the inner method puts in the place of the gradients are not averaged.

    Heads are scaled if the inner method scales them. A task with a NaN or infinite loss, and for a method that reads
    gradients with a zero, NaN or infinite gradient, gets weight 0, and its running mean stays; the others' are not
    scaled up. Opposed gradients and K = 1: as the inner method has it. State: the running means, the number of steps
    of each task, and the inner method's.

    Args:
        of: the method inside.
        smoothing: α in 0..1, excluding 1; 0 is the inner method.
    """

    def __init__(self, of: Balancer, smoothing: float = 0.9) -> None:
        super().__init__(of)
        if not 0 <= smoothing < 1:
            raise UsageError(f"smoothing must be at least 0 and below 1; found {smoothing}")
        self.smoothing = smoothing

    def init(self, n_tasks: int) -> State:
        """No weights yet, and the inner method's state."""
        own = {name: torch.zeros(n_tasks, dtype=torch.float64) for name in ("weight", "steps")}
        return {**own, **super().init(n_tasks)}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The running mean, this step's weights included."""
        found, new = super().weigh(state, losses, gramian, active, generator)
        mean = self.smoothing * state["weight"] + (1 - self.smoothing) * found
        weights = torch.where(state["steps"] > 0, mean, found)
        return weights, {**new, "weight": weights, "steps": state["steps"] + 1}
