"""Impartial multi-task learning as a whole: gradients balanced for the shared parameters, losses for the heads."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers.adam import adam_init, adam_step
from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.imtl import IMTLG
from mtl_runs.balancers.products import gramian_of


class IMTL(Balancer):
    """IMTL (Liu et al., ICLR 2021, Algorithm 1): IMTL-L's scales for the heads, IMTL-G on the scaled losses for θ.

    `e^{s_k} L_k - s_k` is each task's loss, s learned. Its gradient moves the task's own parameters as it is; those of
    θ, `e^{s_k} g_k`, are combined with IMTL-G's coefficients α, `Σ_k α_k = 1`, so that d has the same projection on
    each of them. As in LibMTL. The coefficients come with the rows that take the place of the gradients,
    `K α_k g_k`, and the weights are `e^{s_k} / K`, as in IMTL-L; so what is logged as weights is that of the heads.
    Weights are those before this step's update of s.

    Gradient method for θ and loss weighting for the rest: heads are scaled. Losses should be positive. A task with a
    zero, NaN or infinite gradient gets weight 0, does not count, and its s and moments stay. Where the coefficients
    cancel (opposed gradients): no weights, and d = 0. K = 1: plain training at a learned step size. State: s, Adam's
    moments and steps.

    Args:
        lr: learning rate of s (0.025, as for uncertainty weighting).
    """

    needs = Needs.LOSSES | Needs.JACOBIAN | Needs.GRAMIAN
    scales_heads = True

    def __init__(self, lr: float = 0.025) -> None:
        self.lr = lr

    def init(self, n_tasks: int) -> State:
        """Log-scales and Adam's state, zero."""
        return {"log_scale": torch.zeros(n_tasks, dtype=torch.float64), **adam_init(n_tasks)}

    def rows(
        self, state: State, losses: Tensor, jacobian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """`n α_k g_k`, n the number of active tasks."""
        scales = state["log_scale"].exp().to(jacobian.device)
        products = gramian_of(jacobian) * scales.unsqueeze(-1) * scales.unsqueeze(-2)
        shares, _ = IMTLG().weigh({}, losses, products, active, generator)
        n_active = active.sum(-1, keepdim=True)
        return (n_active * shares).to(jacobian).unsqueeze(-1) * jacobian, state

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """`e^{s_k}` over the number of active tasks, and one Adam step on s along `e^{s_k} L_k - 1`."""
        scales = state["log_scale"].exp()
        step, moments = adam_step(state, scales * losses - 1)
        weights = scales / active.sum(-1, keepdim=True).clamp(min=1)
        return weights, {"log_scale": state["log_scale"] - self.lr * step, **moments}
