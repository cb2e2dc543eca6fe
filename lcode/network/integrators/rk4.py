"""Classical Runge–Kutta on a fixed grid, with cubic Hermite interpolation between the nodes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Field = Callable[[Tensor, int], Tensor]
"""`field(z, i)` is dz/ds at the i-th half node: s = i / (2 N) for N steps on the unit interval."""


def solve_rk4(field: Field, start: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Integrate dz/ds = field(z, s) over s in [0, 1] by `steps` equal steps of the classical fourth-order rule.

    The field is asked at whole and half nodes only, so that everything in it that depends on time but not on the
    state can be computed once, before the solve. The cost is 4 · steps + 1 calls, whatever the number of outputs.

    Args:
        field: the vector field; sees the index of the half node instead of the time.
        start: state at s = 0, any shape.
        steps: number of steps N ≥ 1.

    Returns:
        States at the N + 1 nodes and their derivatives, each of shape [N + 1, *start.shape].
    """
    h = 1.0 / steps
    z, states, slopes = start, [start], []
    for node in range(steps):
        k1 = field(z, 2 * node)
        k2 = field(z + 0.5 * h * k1, 2 * node + 1)
        k3 = field(z + 0.5 * h * k2, 2 * node + 1)
        k4 = field(z + h * k3, 2 * node + 2)
        slopes.append(k1)
        z = z + (h / 6) * (k1 + 2 * (k2 + k3) + k4)
        states.append(z)
    slopes.append(field(z, 2 * steps))
    return torch.stack(states), torch.stack(slopes)


def hermite(states: Tensor, slopes: Tensor, at: Tensor) -> Tensor:
    """Cubic Hermite interpolation of a solution on equal nodes of [0, 1].

    Written as one product of a matrix [Q, 2 (N + 1)], four numbers a row, with what the nodes hold: on small states
    that is cheaper, forward and backward, than picking the neighbours of every query.

    Args:
        states: node states, shape [N + 1, *batch, D].
        slopes: node derivatives with respect to s, same shape.
        at: query times in [0, 1], shape [*batch, Q] or broadcastable to it.

    Returns:
        Interpolated states, shape [*batch, Q, D].
    """
    steps = states.shape[0] - 1
    position = at.clamp(0, 1) * steps
    left = position.floor().clamp(max=steps - 1)
    x = position - left
    x2, x3 = x * x, x * x * x
    values = torch.stack([2 * x3 - 3 * x2 + 1, 3 * x2 - 2 * x3, (x3 - 2 * x2 + x) / steps, (x3 - x2) / steps], -1)
    index = left.long().unsqueeze(-1) + torch.tensor([0, 1, steps + 1, steps + 2], device=at.device)
    matrix = values.new_zeros(*at.shape, 2 * (steps + 1)).scatter(-1, index, values)
    return matrix @ torch.cat([states, slopes]).movedim(0, -2)
