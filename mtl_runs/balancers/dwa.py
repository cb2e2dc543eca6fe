"""Dynamic weight average: tasks whose loss falls slowly get more weight."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, softmax_over
from mtl_runs.balancers.draws import Generators


class DWA(Balancer):
    """DWA (Liu, Johns & Davison, CVPR 2019, eq. 7): `w = softmax(r / T)`, `r_k = L̄_k(t-1) / L̄_k(t-2)`.

    `L̄_k(t)` is the mean of the task's loss over the steps of epoch t, closed by `end_epoch`. r_k = 1 until a task has
    two epochs, so the first two epochs are equal weighting. The weights sum to 1 (to K in the paper, which is
    `reduction="sum"`). As in the authors' program; that of Nash-MTL has windows of 25 steps in the place of epochs.

    Loss weighting: heads are scaled. Gradients are not read, so a zero gradient changes nothing; a task without a
    finite loss gets weight 0 and does not count, that step does not enter its mean, and an epoch without any step
    leaves its history as it is. K = 1: plain training. State: the running sum and number of steps of this epoch, the
    means of the last two, and how many there have been.

    Args:
        temperature: T > 0; 2 in the paper.
    """

    needs = Needs.LOSSES
    scales_heads = True

    def __init__(self, temperature: float = 2.0) -> None:
        if not temperature > 0:
            raise UsageError(f"temperature must be above 0; found {temperature}")
        self.temperature = temperature

    def init(self, n_tasks: int) -> State:
        """Nothing seen."""
        names = ("sum", "steps", "newer", "older", "epochs")
        return {name: torch.zeros(n_tasks, dtype=torch.float64) for name in names}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Weights from the last two epochs; the losses of this step enter the running sum."""
        known = (state["epochs"] >= 2) & (state["older"] != 0)
        ratio = torch.where(known, state["newer"] / torch.where(known, state["older"], 1.0), 1.0)
        weights = softmax_over((ratio / self.temperature).expand(losses.shape), active)
        return weights, {**state, "sum": state["sum"] + losses, "steps": state["steps"] + 1}

    def end_epoch(self, state: State) -> State:
        """The epoch's mean becomes the newer one."""
        seen = state["steps"] > 0
        mean = state["sum"] / state["steps"].clamp(min=1)
        zero = torch.zeros_like(mean)
        return {
            "sum": zero,
            "steps": zero.clone(),
            "newer": torch.where(seen, mean, state["newer"]),
            "older": torch.where(seen, state["newer"], state["older"]),
            "epochs": state["epochs"] + seen,
        }
