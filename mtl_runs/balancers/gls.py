"""Geometric mean of the losses."""

from __future__ import annotations

from torch import Tensor

from mtl_runs.balancers.base import SMALLEST_LOSS, Balancer, Needs, State
from mtl_runs.balancers.draws import Generators


class GLS(Balancer):
    """Geometric loss strategy (GLS; Chennupati et al., CVPR workshops 2019): `L = (Π_k L_k)^{1/K}`.

    Its weights are `L / (K L_k)`: the direction of `Σ log L_k`, at the length of the geometric mean. Losses must be
    positive; below 1e-8 they count as 1e-8.

    Loss weighting: heads are scaled. Gradients are not read, so a zero gradient changes nothing; a task without a
    finite loss gets weight 0 and does not count. K = 1: plain training. No state.
    """

    needs = Needs.LOSSES
    scales_heads = True
    positive_losses = True

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Derivatives of the geometric mean."""
        losses = losses.clamp(min=SMALLEST_LOSS)  # 1 where inactive, which adds nothing to the logarithms
        n_active = active.sum(-1, keepdim=True).clamp(min=1)
        mean = (losses.log().sum(-1, keepdim=True) / n_active).exp()
        return mean / (n_active * losses), state
