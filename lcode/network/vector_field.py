"""dz/ds of the latent states: each task moved by itself, by the other tasks, and by the planned learning rate."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lcode.errors import UsageError
from lcode.network.dynamics import Course, Dynamics
from lcode.network.fused_rk4 import Listening, fused_rk4
from lcode.network.integrators import SOLVERS, hermite
from lcode.network.stacked import StackedLinear
from lcode.network.task_attention import TaskAttention


class VectorField(Dynamics):
    """f(z_k, Σ_j a_kj m(z_j), context_k, u(s)), solved from the start to the horizon.

    Bounded, so that no solve can run away.

    Args:
        members: ensemble members M.
        latent: size of a latent state D.
        hidden: width H.
        controls: number of time-dependent inputs u.
        coupled: whether tasks hear each other; off = independent single-task models.
        generator: source of the initial values.
        solver: one of `SOLVERS`; `rk4` is solved by `fused_rk4`.
    """

    def __init__(
        self,
        members: int,
        latent: int,
        hidden: int,
        controls: int,
        coupled: bool,
        generator: torch.Generator,
        solver: str = "rk4",
    ) -> None:
        super().__init__()
        self.state = StackedLinear(members, latent, hidden, generator)
        self.context = StackedLinear(members, hidden, hidden, generator)
        self.control = StackedLinear(members, controls, hidden, generator)
        self.attention = TaskAttention(members, latent, hidden // 2, generator) if coupled else None
        self.message = StackedLinear(members, hidden // 2, hidden, generator) if coupled else None
        self.out = StackedLinear(members, hidden, latent, generator, gain=0.5)
        self.speed = nn.Parameter(torch.zeros(members, 1, 1, latent, dtype=torch.float32))
        if solver not in SOLVERS:
            raise UsageError(f"unknown solver {solver!r}; there are {', '.join(SOLVERS)} and mlp")
        self.solver = solver

    def forward(self, z0: Tensor, context: Tensor, course: Course) -> Tensor:
        """See `Dynamics.forward`."""
        solve = self.solve_fused if self.solver == "rk4" else self.solve_plain
        states, slopes = (nodes.flatten(-2) for nodes in solve(z0, context, course))
        return hermite(states, slopes, course.at).unflatten(-1, z0.shape[2:]).transpose(2, 3)

    def slope(self, z: Tensor, context: Tensor, drive: Tensor, bias: Tensor | None) -> Tensor:
        """dz/ds at states z [M, B, K, D].

        Args:
            z: the states.
            context: contribution of the context to the hidden layer, [M, B, K, H].
            drive: contribution of the controls, [M, B, 1, H].
            bias: of the attention over tasks, see `TaskAttention.bias`.
        """
        hidden = self.state(z) + context + drive
        if self.attention is not None and self.message is not None and bias is not None:
            hidden = hidden + self.message(self.attention(z, bias))
        return torch.tanh(self.out(torch.tanh(hidden))) * (3 * torch.sigmoid(self.speed))

    def solve_plain(self, z0: Tensor, context: Tensor, course: Course) -> tuple[Tensor, Tensor]:
        """By the solver as it stands in `SOLVERS`: states and slopes at the nodes, [N + 1, M, B, K, D] each."""
        drive = self._drive(course).unsqueeze(3)
        fixed = self.context(context)
        bias = None if self.attention is None else self._bias(course, self.attention)
        return SOLVERS[self.solver](lambda z, i: self.slope(z, fixed, drive[i], bias), z0, course.steps)

    def solve_fused(self, z0: Tensor, context: Tensor, course: Course) -> tuple[Tensor, Tensor]:
        """The same by `fused_rk4`, up to rounding."""
        inputs: list[Tensor] = [self.state.weight]
        constant = self.context.bias + self.state.bias
        listening = None
        if self.attention is not None and self.message is not None:
            constant = constant + self.message.bias
            if z0.shape[2] > 1:
                # A message is linear in the speaker's state and the weights sum to one: it is that of the mean state.
                ask, answer, said = self.attention.project.weight.chunk(3, -1)
                offset, _, constantly = self.attention.project.bias.chunk(3, -1)
                answer = answer / self.attention.root
                inputs.append(said @ self.message.weight)
                constant = constant + constantly @ self.message.weight
                # What depends on the listener alone makes no difference to its softmax.
                bias = self._bias(course, self.attention).permute(0, 2, 3, 1)
                listening = Listening(answer @ ask.mT, answer @ offset.mT, bias)
        rows = context.transpose(1, 2).flatten(1, 2)
        base = torch.baddbmm(2 * constant.mT, 2 * self.context.weight.mT, rows.mT)
        nodes = fused_rk4(
            z0.permute(0, 3, 2, 1),
            base.unflatten(-1, (z0.shape[2], z0.shape[1])),
            2 * self._drive(course).mT,
            2 * torch.cat(inputs, 1).mT,
            4 * self.out.weight.mT,
            2 * (self.out.bias - self.out.weight.sum(1, keepdim=True)).mT,
            3 * torch.sigmoid(self.speed[:, 0]).mT,
            listening,
        )
        states, slopes = nodes.permute(0, 1, 4, 3, 2).chunk(2)
        return states, slopes

    def _drive(self, course: Course) -> Tensor:
        """Contribution of the controls to the hidden layer at the half nodes, [2 N + 1, M, B, H]."""
        half_nodes = torch.linspace(0, 1, 2 * course.steps + 1, dtype=course.at.dtype, device=course.at.device)
        controls = course.controls(half_nodes[None])
        rows = controls.transpose(0, 1)
        return self.control(rows.expand(len(self.speed), *rows.shape)).transpose(0, 1)

    def _bias(self, course: Course, attention: TaskAttention) -> Tensor:
        """Of the attention, in which all tasks take part, [M, B, K, K]."""
        return attention.bias(course.cosines, torch.ones_like(course.cosines[..., 0], dtype=torch.bool))
