"""Conflict-free gradient of equal cosines."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers.base import Balancer, Needs, State
from mtl_runs.balancers.bisector import bisector
from mtl_runs.balancers.draws import Generators


class ConFIG(Balancer):
    """ConFIG (Liu, Chu & Thuerey 2024, arXiv 2408.11104, eq. 2): `d = (Σ_k g_kᵀu) u`, `u = U⁺1 / ‖U⁺1‖`.

    U has the unit gradients as rows; for independent gradients u has the same positive cosine with all of them.
    Computed from the Gramian: `U⁺1 = Uᵀ(UUᵀ)⁺1`. IMTL-G has the same direction, not the same length. The paper's length
    is that of a sum; here, as everywhere, the result is divided by K. The paper's momentum variant is `m_config`.

    Gradient method: heads are not scaled. A task with a zero, NaN or infinite gradient gets weight 0 and does not
    count. Opposed equal gradients (g, -g): d = 0. K = 1: plain training. No state.
    """

    needs = Needs.GRAMIAN
    scales_heads = False

    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: Generators
    ) -> tuple[Tensor, State]:
        """Coefficients of `(mean_k g_kᵀu) u`."""
        coefficients, norms = bisector(gramian, active)
        weights = coefficients / norms
        inner = (gramian @ weights.unsqueeze(-1)).squeeze(-1)  # g_kᵀ of U⁺1
        squared = (weights * inner).sum(-1, keepdim=True)
        length = inner.sum(-1, keepdim=True) / active.sum(-1, keepdim=True).clamp(min=1)
        return torch.where(squared > 0, length / squared.where(squared > 0, 1.0), 0.0) * weights, state
