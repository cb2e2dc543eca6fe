"""Smooth Tchebycheff scalarisation: a smooth maximum of the losses."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import SMALLEST_LOSS, Balancer, Needs, State, softmax_over, uniform_over
from mtl_runs.balancers.draws import Generators


class STCH(Balancer):
    """STCH (Lin et al., ICML 2024, arXiv 2402.19078): `L = μ log Σ_k exp(λ_k L_k / μ)`, λ = 1/K, ideal point 0.

    Its weights are `λ_k softmax_k(λ L / μ)`; here they are multiplied by K, so that they sum to 1 and a large μ is
    equal weighting. A small μ trains the largest loss only. The units of the losses matter.

    With a warm-up, as in the published multi-task experiments, they do not: for that many epochs `(1/K) Σ_k log L_k`
    is trained, and then `μ log Σ_k exp(log(L_k / n_k) / μ)`, where n_k is the mean loss in the last epoch of the
    warm-up. Those weights are `softmax_k(log(L / n) / μ) / L_k`. Losses must then be positive; below 1e-8 they count
    as 1e-8.

    Loss weighting: heads are scaled. Gradients are not read, so a zero gradient changes nothing; a task without a
    finite loss gets weight 0 and does not count, in K neither, and its means stay. K = 1: plain training, with a
    warm-up of log L. State: none, or with a warm-up the number of epochs, the running sum and number of steps of this
    epoch, and the mean of the last that counts.

    Args:
        mu: smoothing μ > 0, in units of the losses, or of their logarithms with a warm-up; the paper tries 0.01 to 1.
        warmup: number of epochs; 5 in LibMTL (whose setting of 4 does not count the one that is averaged).
    """

    needs = Needs.LOSSES
    scales_heads = True
    positive_losses = True

    def __init__(self, mu: float = 0.1, warmup: int = 0) -> None:
        if not mu > 0:
            raise UsageError(f"mu must be above 0; found {mu}")
        if warmup < 0:
            raise UsageError(f"warmup must not be negative; found {warmup}")
        self.mu, self.warmup = mu, warmup

    def init(self, n_tasks: int) -> State:
        """Nothing seen, where that is remembered."""
        names = ("epochs", "sum", "steps", "mean") if self.warmup else ()
        return {name: torch.zeros(n_tasks, dtype=torch.float64) for name in names}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The softmax of the losses, or derivatives of their logarithms."""
        if not self.warmup:
            n_active = active.sum(-1, keepdim=True).clamp(min=1)
            return softmax_over(losses / (n_active * self.mu), active), state
        losses = losses.clamp(min=SMALLEST_LOSS)
        relative = (losses / state["mean"].where(state["mean"] > 0, 1.0)).log()
        # A task that was out for the whole warm-up has no mean yet, and is warmed up first.
        warm = (state["epochs"] >= self.warmup) & (state["mean"] > 0)
        shares = torch.where(warm, softmax_over(relative / self.mu, active & warm), uniform_over(active))
        return shares / losses, {**state, "sum": state["sum"] + losses, "steps": state["steps"] + 1}

    def end_epoch(self, state: State) -> State:
        """An epoch with a loss of the task counts; the last of the warm-up leaves its mean."""
        if not self.warmup:
            return state
        seen = state["steps"] > 0
        epochs = state["epochs"] + seen
        last = seen & (epochs == self.warmup)
        zero = torch.zeros_like(epochs)
        return {
            "epochs": epochs,
            "sum": zero,
            "steps": zero.clone(),
            "mean": torch.where(last, state["sum"] / state["steps"].clamp(min=1), state["mean"]),
        }
