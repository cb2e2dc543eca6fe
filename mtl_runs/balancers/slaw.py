"""Scaled loss approximate weighting: the spread of a loss stands in for the norm of its gradient."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, uniform_over
from mtl_runs.balancers.draws import Generators


class SLAW(Balancer):
    """SLAW (Crawshaw & Košecká 2021, arXiv 2109.08218): `w_k ∝ 1 / s_k`, s_k the running standard deviation of `L_k`.

    The weights sum to 1 (to K in the paper, which is `reduction="sum"`). Mean and variance are plain averages over the
    first `1/(1-β)` steps and exponential ones afterwards, as in the published code; they are updated before the
    weights of the same step. Here the variance is moved by squared differences, which cannot become negative, where
    the code takes `E[L²] - E[L]²`. Equal weights until every active task has been seen twice. Multiplying one loss by
    a factor divides its weight by it, but for the floor.

    Loss weighting: heads are scaled. Gradients are not read, so a zero gradient changes nothing; a task without a
    finite loss gets weight 0, does not count, and its statistics stay. K = 1: plain training. State: mean, variance and
    number of steps of each task.

    Args:
        beta: decay β of the statistics, 0..1.
        floor: smallest standard deviation that counts.
    """

    needs = Needs.LOSSES
    scales_heads = True

    def __init__(self, beta: float = 0.99, floor: float = 1e-5) -> None:
        if not 0 <= beta < 1:
            raise UsageError(f"beta must be at least 0 and below 1; found {beta}")
        if not floor > 0:
            raise UsageError(f"floor must be above 0; found {floor}")
        self.beta, self.floor = beta, floor

    def init(self, n_tasks: int) -> State:
        """Statistics of no step."""
        return {name: torch.zeros(n_tasks, dtype=torch.float64) for name in ("mean", "variance", "steps")}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Normalised inverse deviations."""
        steps = state["steps"] + 1
        rate = torch.where(steps <= round(1 / (1 - self.beta)), 1 / steps, 1 - self.beta)
        difference = losses - state["mean"]
        mean = state["mean"] + rate * difference
        variance = (1 - rate) * (state["variance"] + rate * difference**2)
        inverse = torch.where(active, 1 / variance.sqrt().clamp(min=self.floor), 0.0)
        weights = inverse / inverse.sum(-1, keepdim=True)
        known = ((steps >= 2) | ~active).all(-1, keepdim=True)
        weights = torch.where(known, weights, uniform_over(active))
        return weights, {"mean": mean, "variance": variance, "steps": steps}
