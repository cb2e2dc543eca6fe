"""Performance-informed fairness: tasks that are furthest behind their own single-task training come first."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import CLIP, Balancer, Needs, State, softmax_over
from mtl_runs.balancers.draws import Generators
from mtl_runs.balancers.fairgrad import fair_weights


class PIVRG(Balancer):
    """PIVRG (Qin, Wang & Yan, CVPR 2025): FairGrad at α = 2 with a factor π_k on each task's utility.

    `A w = (π / w)^{1/2}` element by element, `π = K softmax(s / T)`, `T = max((max s - min s) / log bound, floor)`:
    the higher the score s_k, the worse is the task, and no factor is more than `bound` times another. By
    `w = u / π` this is FairGrad's system for the gradients `g_k / π_k`.

    A score is how much worse than its single-task training a task is, in percent, after the last epoch. The published
    programs measure that by the tasks' own metrics on held-out data (test data for NYUv2). A balancer sees losses
    only: here `s_k = 100 (L̄_k - ref_k) / ref_k` with the mean loss over the steps of the last epoch, and the same loss
    of single-task training as reference. In the first epoch all scores are 0, and it is FairGrad.

    d is on FairGrad's scale, which depends on the size of the gradients. Gradient method: heads are not scaled. A task
    with a zero, NaN or infinite gradient gets weight 0, does not count, and its score stays. Opposed equal gradients
    (g, -g): d = 0 where their factors are equal. K = 1: as FairGrad. State: this epoch's sum of losses and number of
    steps, and the scores.

    Args:
        reference: the loss of each task in a training of its own, above 0; length K.
        bound: largest ratio of two factors, above 1.
        floor: smallest temperature, above 0: so many percent between two tasks make a ratio of e at most.
    """

    needs = Needs.LOSSES | Needs.GRAMIAN
    scales_heads = False
    clip = CLIP

    def __init__(self, reference: Sequence[float], bound: float = 2.0, floor: float = 10.0) -> None:
        try:
            self.reference = torch.tensor(reference, dtype=torch.float64)
        except (TypeError, ValueError) as error:
            raise UsageError(f"reference must be numbers, one per task; found {reference!r}") from error
        if self.reference.ndim != 1 or not (self.reference.isfinite() & (self.reference > 0)).all():
            raise UsageError(f"reference must have a loss above 0 for each task; found {reference}")
        if not (bound > 1 and floor > 0):
            raise UsageError(f"bound must be above 1 and floor above 0; found bound={bound}, floor={floor}")
        self.bound, self.floor = bound, floor

    def init(self, n_tasks: int) -> State:
        """Equal scores, nothing seen; checks the number of references."""
        if n_tasks != len(self.reference):
            raise UsageError(
                f"{len(self.reference)} reference losses were given for {n_tasks} tasks; give one per task"
            )
        return {name: torch.zeros(n_tasks, dtype=torch.float64) for name in ("score", "sum", "steps")}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The solution of `A w = (π / w)^{1/2}` among the active tasks; the losses enter the running sum."""
        score = state["score"].expand(losses.shape)
        highest = score.where(active, -torch.inf).amax(-1, keepdim=True)
        lowest = score.where(active, torch.inf).amin(-1, keepdim=True)
        temperature = ((highest - lowest) / log(self.bound)).clamp(min=self.floor)
        # Where no task is active the temperature is that of nothing, and what is returned is ignored.
        factor = active.sum(-1, keepdim=True) * softmax_over(score / temperature, active)
        factor = torch.where(active, factor, 1.0)
        weights = fair_weights(gramian / (factor.unsqueeze(-1) * factor.unsqueeze(-2)), active, alpha=2.0) / factor
        return weights, {**state, "sum": state["sum"] + losses, "steps": state["steps"] + 1}

    def end_epoch(self, state: State) -> State:
        """The scores by this epoch's mean losses; a task without a step keeps its own."""
        mean = state["sum"] / state["steps"].clamp(min=1)
        reference = self.reference.to(mean.device)
        behind = 100 * (mean - reference) / reference
        zero = torch.zeros_like(state["sum"])
        return {
            "score": torch.where(state["steps"] > 0, behind, state["score"]),
            "sum": zero,
            "steps": zero.clone(),
        }
