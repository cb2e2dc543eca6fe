"""Group optimisation for task alignment: tasks of like weight share one."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import SMALLEST_LOSS, Balancer, Needs, State, softmax_over
from mtl_runs.balancers.draws import Generators


class GO4Align(Balancer):
    """GO4Align (Shen et al., NeurIPS 2024, arXiv 2404.06486): `v_k = p_k Σ_j L_j / L_k`, averaged within groups.

    `p_k ∝ p_k exp(-η L_k)` step by step: a task whose losses have been large for long loses weight. The v are then put
    into groups by k-means, and every task gets the mean of its group. On a line that has an exact solution, which is
    taken; the authors' program starts k-means at random, and theirs may end elsewhere. The paper's sum is divided by K,
    as everywhere here. Losses must be positive; below 1e-8 they count as 1e-8.

    Loss weighting: heads are scaled. Gradients are not read, so a zero gradient changes nothing; a task without a
    finite loss gets weight 0, does not count, and its p stays. K = 1: plain training. State: log p, up to a constant.

    Args:
        groups: number of groups, at least 1; with 1 all weights are equal, with K or more each task has its own.
        step_size: η ≥ 0.
    """

    needs = Needs.LOSSES
    scales_heads = True
    positive_losses = True

    def __init__(self, groups: int = 2, step_size: float = 1e-4) -> None:
        if not (groups >= 1 and groups % 1 == 0):
            raise UsageError(f"groups must be a whole number of at least 1; found {groups}")
        if not step_size >= 0:
            raise UsageError(f"step_size must not be negative; found {step_size}")
        self.groups, self.step_size = int(groups), step_size

    def init(self, n_tasks: int) -> State:
        """Equal p."""
        return {"log_share": torch.zeros(n_tasks, dtype=torch.float64)}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The mean weight of each task's group, divided by the number of active tasks."""
        losses = losses.clamp(min=SMALLEST_LOSS)
        n_active = active.sum(-1, keepdim=True).clamp(min=1)
        fall = torch.where(active, -self.step_size * losses, 0.0)
        # Centred, so that inactive tasks, whose p stays, do not gain on the others.
        logits = state["log_share"] + fall - fall.sum(-1, keepdim=True) / n_active
        total = torch.where(active, losses, 0.0).sum(-1, keepdim=True)
        weights = softmax_over(logits, active) * total / losses
        return group_means(weights, active, self.groups) / n_active, {"log_share": logits}


def group_means(values: Tensor, active: Tensor, groups: int) -> Tensor:
    """The numbers of a line in groups of least sum of squares about their means, each replaced by its group's mean.

    Exact: in order of size a group is a stretch, and the best last stretch for every number of groups and of values
    follows from the best ones before it (dynamic programming; Fisher 1958).

    Args:
        values: [..., K].
        active: bool, [..., K]; others belong to no group.
        groups: how many groups there may be.

    Returns:
        [..., K]; meaningless for others.
    """
    n = values.shape[-1]
    if groups >= n:
        return values
    shift = torch.where(active, values, 0.0).sum(-1, keepdim=True) / active.sum(-1, keepdim=True).clamp(min=1)
    order = torch.where(active, values, torch.inf).argsort(dim=-1, stable=True)
    counts = active.gather(-1, order).to(values.dtype)
    ordered = torch.where(counts > 0, (values - shift).gather(-1, order), 0.0)
    # Over each stretch from i (rows) to j (columns), both included; those from behind are no stretches.
    ends = torch.arange(n, device=values.device)
    begins = ends.unsqueeze(-1)
    within = (begins <= ends).to(values)

    def sums(of: Tensor) -> Tensor:
        return (of.unsqueeze(-2) * within).cumsum(-1)

    number = sums(counts).clamp(min=1)
    means = sums(ordered) / number
    costs = sums(ordered**2) - number * means**2
    costs = torch.where(within > 0, costs.clamp(min=0), torch.inf)
    best, starts = costs[..., 0, :], []  # of the values up to each, in one group
    for _ in range(groups - 1):
        # One more group, from i on; from 0 on it is the only one.
        before = torch.cat([torch.zeros_like(best[..., :1]), best[..., :-1]], -1)
        best, start = (before.unsqueeze(-1) + costs).min(-2)
        starts.append(start)
    chosen = torch.empty_like(ordered)
    last = torch.full_like(order[..., :1], n - 1)
    for start in (*reversed(starts), torch.zeros_like(order)):
        # Whoever lies behind the end of this stretch has his group already.
        begin = start.gather(-1, last.clamp(min=0))
        mean = means.gather(-1, last.clamp(min=0).unsqueeze(-2).expand(*means.shape[:-1], 1)).squeeze(-1)
        mean = mean.gather(-1, begin)
        chosen = torch.where(ends <= last, mean, chosen)
        last = begin - 1
    return torch.empty_like(values).scatter(-1, order, chosen) + shift
