"""Weights that grow with the excess risk of a task."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State, softmax_over
from mtl_runs.balancers.draws import Generators

DAMPING = 1e-7
"""Added to the sums of squares below the root."""


class ExcessMTL(Balancer):
    """ExcessMTL (He et al., ICML 2024, arXiv 2402.02009, eq. 6, 7 and 9): `w_k ∝ w_k exp(η e_k / e_k(1))`.

    `e_k = Σ_p g_kp² / √(Σ_t g_kp² + 1e-7)` estimates how far the task is from its optimum, with the root as in AdaGrad
    in the place of the Hessian; it is relative to its value in the task's first step, whose weights are equal, as in
    the authors' code and in LibMTL (TorchJD moves them by that first value). With a warm-up the weights are equal for
    so many steps, and the excess is relative to its mean over them, as in the paper's appendix C.1. A task whose
    gradients stay large gets more weight, which may conflict with the others. Weights sum to 1.

    Loss weighting by gradients, as published: heads are scaled. A task with a zero, NaN or infinite gradient gets
    weight 0, does not count, and its state stays. Opposed equal gradients (g, -g) cancel while the weights are
    equal. K = 1: plain training. State: the sums of squares, [K, P]; log-weights, first (or mean) and last excess and
    the number of steps.

    Args:
        step_size: η > 0; 1 in TorchJD, 0.01 in LibMTL.
        warmup: number of steps with equal weights; three epochs of them in the paper.
    """

    needs = Needs.JACOBIAN | Needs.GRAMIAN
    scales_heads = True

    def __init__(self, step_size: float = 0.01, warmup: int = 0) -> None:
        if not step_size > 0:
            raise UsageError(f"step_size must be above 0; found {step_size}")
        if warmup < 0:
            raise UsageError(f"warmup must not be negative; found {warmup}")
        self.step_size, self.warmup = step_size, warmup

    def init(self, n_tasks: int) -> State:
        """Equal weights, nothing seen."""
        names = ("log_weight", "excess", "first_excess", "steps")
        state = {name: torch.zeros(n_tasks, dtype=torch.float64) for name in names}
        return {**state, "squares": torch.zeros(n_tasks, 1, dtype=torch.float32)}

    def rows(
        self, state: State, losses: Tensor, jacobian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The gradients as they are; their squares are what counts."""
        squared = jacobian.square()
        squares = state["squares"].to(jacobian) + squared
        excess = (squared / (squares + DAMPING).sqrt()).sum(-1).to(state["excess"])
        return jacobian, {**state, "squares": squares, "excess": excess}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """One exponentiated-gradient step, and its weights."""
        steps, first = state["steps"], state["first_excess"]
        first = torch.where(steps < max(self.warmup, 1), first + (state["excess"] - first) / (steps + 1), first)
        relative = state["excess"] / first.where(first > 0, 1.0)
        gain = torch.where(active & (steps >= self.warmup), self.step_size * relative, 0.0)
        # Centred, so that inactive tasks, whose state stays, do not fall behind the others.
        gain = gain - gain.sum(-1, keepdim=True) / active.sum(-1, keepdim=True).clamp(min=1)
        logits = state["log_weight"] + gain
        new_state = {**state, "log_weight": logits, "first_excess": first, "steps": steps + 1}
        return softmax_over(logits, active), new_state
