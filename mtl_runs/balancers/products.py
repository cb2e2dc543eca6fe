"""Inner products of the rows of a Jacobian, for balancers that need them before they give rows back."""

from __future__ import annotations

import torch
from torch import Tensor

COLUMNS = 2**16
"""So many at once are turned to float64."""


def gramian_of(rows: Tensor) -> Tensor:
    """`rows @ rowsᵀ`, float64 on the rows' device, [..., K, K].

    Args:
        rows: [..., K, P].
    """
    blocks = [block.double() for block in rows.split(COLUMNS, dim=-1)]
    return torch.stack([block @ block.mT for block in blocks]).sum(0)
