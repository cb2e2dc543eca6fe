"""A plain network of the query's time in place of the differential equation, to measure what the equation is worth."""

from __future__ import annotations

import torch
from torch import Tensor

from lcode.network.dynamics import Course, Dynamics
from lcode.network.stacked import StackedLinear
from lcode.network.task_attention import TaskAttention


class MLPDynamics(Dynamics):
    """z(s) = z0 + MLP(z0, what the other tasks say, context, u(s), s), with as many parameters as the vector field.

    The tasks hear each other once, at the start, and not on the way.

    Args:
        members: ensemble members M.
        latent: size of a latent state D.
        hidden: width H.
        controls: number of time-dependent inputs u.
        coupled: whether tasks hear each other.
        generator: source of the initial values.
    """

    def __init__(
        self, members: int, latent: int, hidden: int, controls: int, coupled: bool, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.begin = StackedLinear(members, latent, hidden, generator)
        self.given = StackedLinear(members, hidden, hidden, generator)
        self.when = StackedLinear(members, controls + 1, hidden, generator)
        self.listen = TaskAttention(members, latent, hidden // 2, generator) if coupled else None
        self.heard = StackedLinear(members, hidden // 2, hidden, generator) if coupled else None
        self.change = StackedLinear(members, hidden, latent, generator, gain=0.5)

    def forward(self, z0: Tensor, context: Tensor, course: Course) -> Tensor:
        """See `Dynamics.forward`."""
        fixed = self.begin(z0) + self.given(context)
        if self.listen is not None and self.heard is not None:
            bias = self.listen.bias(course.cosines, torch.ones_like(course.cosines[..., 0], dtype=torch.bool))
            fixed = fixed + self.heard(self.listen(z0, bias))
        time = torch.cat([course.controls(course.at), course.at[..., None]], -1)
        time = self.when(time.expand(len(z0), *time.shape))
        return z0[..., None, :] + self.change(torch.tanh(fixed[..., None, :] + time[:, :, None]))
