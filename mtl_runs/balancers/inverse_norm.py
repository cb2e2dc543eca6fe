"""Loss weights inversely proportional to the norm of each task's gradient."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.draws import Generators

Target = Literal["norm_of_sum", "mean_of_norms", "sum_to_k"]


class InverseNorm(Balancer):
    """Inverse gradient norm: `w_k = S / ‖g_k‖`, so that every task pulls equally hard, `‖w_k g_k‖ = S`.

    With `norm_of_sum` this is AvgNorm (arXiv 2509.23915: `S = ‖Σ_j g_j‖`), with `sum_to_k` it is SLW (Crawshaw &
    Košecká 2021, arXiv 2109.08218: `Σ_k w_k = K`). Both papers sum the weighted losses; here, as everywhere, the
    result is divided by K. Both take the norm at the last shared layer; here it is over all shared parameters, which
    is defined for every network and comes for free with the Gramian.

    Loss weighting: heads are scaled. A task with a zero, NaN or infinite gradient gets weight 0 and does not count.
    K = 1: plain training (weight 1). Opposed equal gradients under `norm_of_sum`: S = 0, all weights 0. No state.

    Args:
        target: the common scale S: the norm of the summed gradient, the mean of the norms, or what makes the weights
            sum to the number of active tasks (before the division by K).
        floor: smallest norm that counts, relative to the largest: a nearly solved task does not explode.
    """

    needs = Needs.GRAMIAN
    scales_heads = True

    def __init__(self, target: Target = "norm_of_sum", floor: float = 1e-5) -> None:
        if target not in get_args(Target):
            raise UsageError(f"target must be one of {', '.join(get_args(Target))}; found '{target}'")
        self.target, self.floor = target, floor

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """`S / ‖g_k‖`, divided by the number of active tasks."""
        norms = gramian.diagonal(dim1=-2, dim2=-1).sqrt()
        norms = torch.maximum(norms, self.floor * norms.amax(-1, keepdim=True))
        inverse = torch.where(active, 1 / norms, 0.0)
        n_active = active.sum(-1, keepdim=True).clamp(min=1)
        if self.target == "norm_of_sum":
            scale = gramian.sum((-2, -1)).clamp(min=0).sqrt().unsqueeze(-1)
        elif self.target == "mean_of_norms":
            scale = norms.where(active, 0.0).sum(-1, keepdim=True) / n_active
        else:
            scale = n_active / inverse.sum(-1, keepdim=True)
        return scale * inverse / n_active, state
