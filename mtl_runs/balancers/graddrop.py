"""Gradient sign dropout: each coordinate follows the tasks that agree on one sign."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers.base import CLIP, Balancer, Needs, State
from mtl_runs.balancers.draws import Generators, uniform


class GradDrop(Balancer):
    """GradDrop (Chen et al., NeurIPS 2020, arXiv 2010.06808): at random one sign per coordinate is let through.

    The sign purity `P = ½ (1 + Σ_k g_k / Σ_k |g_k|)` is the probability that the positive values of the coordinate are
    kept and the negative ones dropped; otherwise it is the other way round. The draw is shared by all tasks. Without
    leak, and on the gradients of the shared parameters (the paper: of a shared activation, per sample). The
    results are averaged (the paper sums them; `reduction="sum"` gives that).

    Gradient method: heads are not scaled. A zero, NaN or infinite gradient takes part in nothing; K counts every task.
    Opposed equal gradients (g, -g) do not cancel: each coordinate has one sign or the other. K = 1: plain
    training. No state but the generator, from which one number per shared parameter is drawn.
    """

    needs = Needs.JACOBIAN
    scales_heads = False
    clip = CLIP

    def rows(
        self, state: State, losses: Tensor, jacobian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """The gradients with the other sign's values set to zero."""
        total = jacobian.abs().sum(-2)
        purity = 0.5 * (1 + jacobian.sum(-2) / total.where(total > 0, 1.0))
        draws = uniform(purity.shape, generator, jacobian.device, jacobian.dtype)
        positive = (draws < purity).unsqueeze(-2)
        return torch.where(positive, jacobian.clamp(min=0), jacobian.clamp(max=0)), state

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """1/K for each task."""
        return torch.full_like(losses, 1 / losses.shape[-1]), state
