"""Impartial multi-task learning: by gradients (IMTL-G) or by losses (IMTL-L)."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers.adam import adam_init, adam_step
from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.bisector import bisector
from mtl_runs.balancers.draws import Generators

DEGENERATE = 1e-9
"""Below this sum, relative to the sum of their sizes, coefficients cannot be scaled to sum to one."""


class IMTLG(Balancer):
    """IMTL-G (Liu et al., ICLR 2021): `Σ_k α_k = 1` and d has the same projection on every gradient, `dᵀg_k/‖g_k‖`.

    α may be negative. Independent gradients have one solution. For dependent ones the direction is `U⁺1` of the unit
    gradients U, the least-squares solution over the cosines; TorchJD takes `α ∝ A⁺‖g‖`, which lets the larger
    gradients decide, and the programs in use invert a singular matrix, whose numbers mean nothing. Direction
    independent of the size of each loss; length not.

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0 and does not
    count. Where the coefficients cancel (opposed gradients): d = 0. K = 1: plain training. No state.
    """

    needs = Needs.GRAMIAN
    scales_heads = False

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The bisector's coefficients, scaled to sum to 1."""
        coefficients, norms = bisector(gramian, active)
        weights = coefficients / norms
        total = weights.sum(-1, keepdim=True)
        usable = total.abs() > DEGENERATE * weights.abs().sum(-1, keepdim=True)
        return torch.where(usable, weights / total.where(usable, 1.0), 0.0), state


class IMTLL(Balancer):
    """IMTL-L (Liu et al., ICLR 2021): `L = Σ_k e^{s_k} L_k - s_k`, s learned.

    The optimum is `s_k = -log L_k`: all weighted losses equal 1. It is uncertainty weighting at twice the weight and
    with the opposite sign of s. The scales have their own Adam, which with its moments is the state. The paper sums;
    here the weights are divided by K, which does not touch the learning of s. Weights are those before this step's
    update of s.

    Loss weighting: heads are scaled. Losses should be positive. Gradients are not read, so a zero gradient changes
    nothing; without a finite loss a task gets weight 0 and its state stays. K = 1: plain training at a learned step
    size.

    Args:
        lr: learning rate of the scales (0.025, as for uncertainty weighting).
    """

    needs = Needs.LOSSES
    scales_heads = True

    def __init__(self, lr: float = 0.025) -> None:
        self.lr = lr

    def init(self, n_tasks: int) -> State:
        """Log-scales and Adam's state, zero."""
        return {"log_scale": torch.zeros(n_tasks, dtype=torch.float64), **adam_init(n_tasks)}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """`e^{s_k} / K`, and one Adam step on s along `e^{s_k} L_k - 1`."""
        scales = state["log_scale"].exp()
        step, moments = adam_step(state, scales * losses - 1)
        weights = (scales / losses.shape[-1]).expand(losses.shape)
        return weights, {"log_scale": state["log_scale"] - self.lr * step, **moments}
