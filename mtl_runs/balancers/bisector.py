"""The direction that makes equal angles with all gradients, from the Gramian."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_runs.balancers.solvers import ROUNDING


def bisector(gramian: Tensor, active: Tensor) -> tuple[Tensor, Tensor]:
    """Coefficients v of the unit gradients U with `U Uᵀ v = 1`: `Uᵀv` has the same inner product with each of them.

    Where the gradients are dependent, the least-squares solution of least norm, `v = (U Uᵀ)⁺ 1`; so `Uᵀv = U⁺1`.
    Working with cosines makes it blind to the gradients' norms, however different.

    Args:
        gramian: positive semi-definite, rows and columns of inactive tasks zero, [..., K, K].
        active: bool, [..., K].

    Returns:
        v, [..., K], 0 for inactive tasks, and all 0 where the unit gradients cancel; and the norms of the gradients,
        [..., K], 1 for inactive tasks.
    """
    norms = gramian.diagonal(dim1=-2, dim2=-1).sqrt().where(active, 1.0)
    cosines = gramian / (norms.unsqueeze(-1) * norms.unsqueeze(-2))
    inverse = torch.linalg.pinv(cosines, rtol=ROUNDING, hermitian=True)
    coefficients = (inverse * active.unsqueeze(-2)).sum(-1)
    # 1ᵀ(UUᵀ)⁺1 = ‖Uᵀv‖² vanishes where the unit gradients cancel; what is left then is rounding error.
    cancels = coefficients.sum(-1, keepdim=True) <= ROUNDING
    return coefficients.where(~cancels, 0.0), norms
