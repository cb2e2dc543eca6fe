"""Gradient surgery: each task's gradient is projected off those it conflicts with."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers.base import CLIP, Balancer, Needs, State
from mtl_runs.balancers.draws import Generators, uniform


class PCGrad(Balancer):
    """PCGrad (Yu et al., NeurIPS 2020, Algorithm 1), carried out on the Gramian.

    Start from each `g_i`; in random order over the other tasks j, where the current vector has a negative inner product
    with the original `g_j`, subtract its projection on `g_j`. The results are averaged (the paper sums them;
    `reduction="sum"` gives that). For K ≥ 3 the result depends on the order and may still conflict. The programs in use
    let `g_i` meet itself, too, against the paper; that shows only where projections have turned it against itself, as
    dependent gradients may (1 % of d for four gradients of rank three).

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0 and takes part in
    nothing. Opposed equal gradients (g, -g): d = 0. K = 1: plain training (weight 1). No state but the generator;
    the order is drawn from it, one per task and run.
    """

    needs = Needs.GRAMIAN
    scales_heads = False
    clip = CLIP

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Mean of the projected gradients, as coefficients of the original ones."""
        n_tasks = gramian.shape[-1]
        squared_norms = torch.where(active, gramian.diagonal(dim1=-2, dim2=-1), 1.0)
        order = uniform(gramian.shape, generator, gramian.device).argsort(-1)
        own = torch.arange(n_tasks, device=gramian.device).unsqueeze(-1)
        # Row i of `parts` holds the coefficients of task i's projected gradient.
        parts = torch.eye(n_tasks, dtype=gramian.dtype, device=gramian.device).expand(gramian.shape)
        for position in range(n_tasks):
            other = order[..., position : position + 1]
            inner = (parts @ gramian).gather(-1, other)
            conflict = (inner < 0) & (other != own)
            norms = squared_norms.unsqueeze(-2).expand(gramian.shape).gather(-1, other)
            parts = parts.scatter_add(-1, other, torch.where(conflict, -inner / norms, 0.0))
        parts = torch.where(active.unsqueeze(-1), parts, 0.0)
        return parts.sum(-2) / active.sum(-1, keepdim=True).clamp(min=1), state
