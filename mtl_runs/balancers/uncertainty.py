"""Homoscedastic uncertainty weighting: one learned log-variance per task."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers.adam import adam_init, adam_step
from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.draws import Generators


class Uncertainty(Balancer):
    """Uncertainty weighting (UW; Kendall, Gal & Cipolla, CVPR 2018): `L = Σ_k ½ e^{-s_k} L_k + ½ s_k`, s learned.

    `s_k = log σ_k²`; its optimum is `log L_k`, that is weight `1/(2 L_k)`. The factor ½ is used for every kind of loss,
    as in common code (the paper has 1 for classification); LibMTL starts at s = -0.5. The log-variances have their own
    Adam, without weight decay and outside of the clip of the shared gradient; they and its moments are the state. The
    paper sums; here the weights are divided by K, which does not touch the learning of s. Weights are those before
    this step's update of s.

    Loss weighting: heads are scaled. Gradients are not read, so a zero gradient changes nothing; without a finite
    loss a task gets weight 0 and its s and moments stay. K = 1: plain training at a learned step size.

    Args:
        lr: learning rate of the log-variances (0.025 in the code line of Nash-MTL).
        start: first value of every log-variance.
    """

    needs = Needs.LOSSES
    scales_heads = True

    def __init__(self, lr: float = 0.025, start: float = 0.0) -> None:
        self.lr, self.start = lr, start

    def init(self, n_tasks: int) -> State:
        """Log-variances, Adam's two moments and its step count, each [K]."""
        return {"log_variance": torch.full((n_tasks,), self.start, dtype=torch.float64), **adam_init(n_tasks)}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """`½ e^{-s_k} / K`, and one Adam step on s along `½ - ½ e^{-s_k} L_k`."""
        precision = 0.5 * torch.exp(-state["log_variance"])
        step, moments = adam_step(state, 0.5 - precision * losses)
        new_state = {"log_variance": state["log_variance"] - self.lr * step, **moments}
        return (precision / losses.shape[-1]).expand(losses.shape), new_state
