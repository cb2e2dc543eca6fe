"""Gradient vaccine: gradients are turned until their cosines reach what is usual for the pair."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.draws import Generators, uniform

LARGEST_TARGET = 1 - 1e-6
"""No multiple of another gradient makes the cosine with it 1."""


class GradVac(Balancer):
    """GradVac (Wang et al., ICLR 2021, arXiv 2010.05874, Algorithm 1), carried out on the Gramian.

    As PCGrad, start from each `g_i` and go over the other tasks j in random order; where the cosine φ of the current
    vector with the original `g_j` is below the target of that ordered pair, add the multiple of `g_j` that makes it the
    target. The target is the running mean of φ, `φ̂ ← (1 - β) φ̂ + β φ`, from 0 on, so the first step is PCGrad's.
    All shared parameters form one group. The results are averaged (the paper sums them; `reduction="sum"` gives that).

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0, takes part in
    nothing, and the targets of its pairs stay. Opposed equal gradients (g, -g): d = 0 in the first step. K = 1: plain
    training. State: the targets, [K, K]; and the generator, from which one order per task and run is drawn.

    Args:
        beta: weight β of the new cosine, 0..1.
    """

    needs = Needs.GRAMIAN
    scales_heads = False

    def __init__(self, beta: float = 0.5) -> None:
        if not 0 <= beta <= 1:
            raise UsageError(f"beta must be in 0..1; found {beta}")
        self.beta = beta

    def init(self, n_tasks: int) -> State:
        """Targets of all ordered pairs, zero."""
        return {"target": torch.zeros(n_tasks, n_tasks, dtype=torch.float64)}

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Mean of the turned gradients, as coefficients of the original ones; and the new targets."""
        n_tasks = gramian.shape[-1]
        norms = gramian.diagonal(dim1=-2, dim2=-1).sqrt().where(active, 1.0)
        norms = norms.unsqueeze(-2).expand(gramian.shape)
        order = uniform(gramian.shape, generator, gramian.device).argsort(-1)
        own = torch.arange(n_tasks, device=gramian.device).unsqueeze(-1)
        pairs = active.unsqueeze(-1) & active.unsqueeze(-2)
        targets = state["target"].expand(gramian.shape)
        # Row i of `parts` holds the coefficients of task i's turned gradient.
        parts = torch.eye(n_tasks, dtype=gramian.dtype, device=gramian.device).expand(gramian.shape)
        for position in range(n_tasks):
            other = order[..., position : position + 1]
            inner = parts @ gramian
            length = (inner * parts).sum(-1, keepdim=True).clamp(min=0).sqrt()
            norm = norms.gather(-1, other)
            product = length * norm
            cosine = (inner.gather(-1, other) / product.where(product > 0, 1.0)).clamp(-1, 1)
            target = targets.gather(-1, other)
            aim = target.clamp(max=LARGEST_TARGET)
            sine, aim_sine = (1 - cosine**2).sqrt(), (1 - aim**2).sqrt()
            multiple = length * (aim * sine - cosine * aim_sine) / (norm * aim_sine)
            meets = pairs.gather(-1, other) & (other != own)
            parts = parts.scatter_add(-1, other, torch.where(meets & (cosine < aim), multiple, 0.0))
            moved = torch.where(meets, target + self.beta * (cosine - target), target)
            targets = targets.scatter(-1, other, moved)
        parts = torch.where(active.unsqueeze(-1), parts, 0.0)
        return parts.sum(-2) / active.sum(-1, keepdim=True).clamp(min=1), {"target": targets}
