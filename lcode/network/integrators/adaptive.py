"""The same solve by torchdiffeq's adaptive Dormand–Prince pair: the reference for the fixed grid."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.network.integrators.rk4 import Field


def solve_dopri5(
    field: Field, start: Tensor, steps: int, *, rtol: float = 1e-6, atol: float = 1e-7
) -> tuple[Tensor, Tensor]:
    """Integrate with `torchdiffeq.odeint(method="dopri5")`, asked for the same nodes as `solve_rk4`.

    What the field knows of time lies on half nodes; between them it is interpolated by evaluating the field at the
    two neighbours, which makes the time dependence piecewise linear. The fixed grid sees the same values at the
    half nodes, so the two agree up to that interpolation.
    """
    from torchdiffeq import odeint  # takes scipy along; only this backend needs it

    def rhs(s: Tensor, z: Tensor) -> Tensor:
        position = float(s.detach().clamp(0, 1)) * 2 * steps  # the time of a step depends on the state
        left = min(int(position), 2 * steps - 1)
        share = position - left
        return (1 - share) * field(z, left) + share * field(z, left + 1) if share else field(z, left)

    nodes = torch.linspace(0, 1, steps + 1, dtype=start.dtype, device=start.device)
    states = odeint(rhs, start, nodes, rtol=rtol, atol=atol, method="dopri5")
    slopes = torch.stack([field(states[i], 2 * i) for i in range(steps + 1)])
    return states, slopes
