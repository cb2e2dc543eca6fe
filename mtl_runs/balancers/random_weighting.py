"""Random weights: the litmus test for every other balancer."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers.base import Balancer, Needs, State, softmax_over
from mtl_runs.balancers.draws import Generators, uniform


class RLW(Balancer):
    """Random loss weighting (RLW; Lin et al., TMLR 2022, arXiv 2111.10603): `w = softmax(z)`, z standard normal.

    New weights in every step; they sum to 1 over the tasks with a finite loss. They come from uniform numbers, so that
    a population can draw together, and are not the numbers that TorchJD draws. Loss weighting: heads are scaled. A zero
    gradient changes nothing; a task without a finite loss gets weight 0. K = 1: plain training. No state but the
    generator, from which one number per task and run is drawn.
    """

    needs = Needs.LOSSES
    scales_heads = True

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """A draw on the simplex."""
        # Normal by the inverse distribution function; the bounds keep it finite.
        normal = torch.special.ndtri(
            uniform(losses.shape, generator, losses.device, losses.dtype).clamp(1e-12, 1 - 1e-12)
        )
        return softmax_over(normal, active), state


class RGW(RLW):
    """Random gradient weighting (RGW; same paper): the random weights combine the shared gradients only.

    As RLW (not the numbers that TorchJD draws either), but heads are not scaled, and a task with a zero, NaN or
    infinite gradient gets weight 0 and does not count. Opposed equal gradients (g, -g) need not cancel: their weights
    differ.
    """

    needs = Needs.GRAMIAN
    scales_heads = False
