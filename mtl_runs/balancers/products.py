"""Inner products of the rows of a Jacobian: for decisions, and for balancers that need them before they give rows."""

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


BLOCK = 2**16
"""Columns whose products are summed in float32; over a million of them rounding would reach 2e-5 of the norms."""


def inner_products(rows: Tensor, others: Tensor) -> Tensor:
    """`rows @ othersᵀ`, float64 on the CPU, [R, K, K].

    Args:
        rows: [R, K, P].
        others: [R, K, P].
    """
    blocks = zip(rows.split(BLOCK, dim=2), others.split(BLOCK, dim=2), strict=True)
    # K numbers and K×K are cheapest on the CPU, whatever the device of the network.
    return torch.stack([torch.bmm(one, other.mT).double() for one, other in blocks]).sum(0).cpu()
