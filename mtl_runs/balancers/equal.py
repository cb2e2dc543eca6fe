"""Equal weighting: the mean of the losses."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.draws import Generators


class Equal(Balancer):
    """Equal weighting (EW, also called linear scalarisation): `L = (1/K) Σ_k L_k`.

    The paper form of most works is the sum, which is `reduction="sum"` of the trainer; with SGD at learning rate η it
    equals the mean at Kη. Loss weighting: heads are scaled. K counts every task, so a zero gradient changes nothing;
    a task without a finite loss gets weight 0 and the others keep 1/K. K = 1: plain training. No state.
    """

    needs = Needs.LOSSES
    scales_heads = True

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """1/K for each task."""
        return torch.full_like(losses, 1 / losses.shape[-1]), state
