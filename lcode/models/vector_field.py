"""dz/ds of the latent states: each task moved by itself, by the other tasks, and by the planned learning rate."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lcode.models.stacked import StackedLinear


class TaskAttention(nn.Module):
    """What each task hears from the others: attention over the other tasks' states, biased by the gradient cosine.

    A task does not attend to itself, so that with K = 1 the message is zero and the field is that of the
    single-task model of Ding et al. (2025).
    """

    def __init__(self, members: int, width: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.project = StackedLinear(members, width, 3 * hidden, generator)
        self.cosine = nn.Parameter(torch.zeros(members, 1, 1, 1))
        self.root = math.sqrt(hidden)

    def bias(self, cosines: Tensor, known: Tensor) -> Tensor:
        """Attention bias from cosines [B, K, K] and which metrics take part [B, K]: [M, B, K, K]; self is excluded."""
        eye = torch.eye(cosines.shape[-1], dtype=torch.bool, device=cosines.device)
        return (self.cosine * cosines).masked_fill(eye | ~known[:, None, :], -1e4)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """States [M, B, K, width] -> messages [M, B, K, hidden]; zero where a task has nobody to listen to."""
        queries, keys, values = self.project(states).chunk(3, -1)
        # K is small: sums over broadcast products are several times faster than many tiny matrix products.
        scores = (queries.unsqueeze(-2) * keys.unsqueeze(-3)).sum(-1) / self.root + bias
        weights = scores.softmax(-1) * (bias > -1e3)
        return (weights.unsqueeze(-1) * values.unsqueeze(-3)).sum(-2)


class VectorField(nn.Module):
    """f(z_k, Σ_j a_kj m(z_j), context_k, u(s)): bounded, so that no solve can run away.

    Args:
        members: ensemble members M.
        latent: size of a latent state D.
        hidden: width H.
        controls: number of time-dependent inputs u.
        coupled: whether tasks hear each other; off = independent single-task models.
        generator: source of the initial values.
    """

    def __init__(
        self, members: int, latent: int, hidden: int, controls: int, coupled: bool, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.state = StackedLinear(members, latent, hidden, generator)
        self.context = StackedLinear(members, hidden, hidden, generator)
        self.control = StackedLinear(members, controls, hidden, generator)
        self.attention = TaskAttention(members, latent, hidden // 2, generator) if coupled else None
        self.message = StackedLinear(members, hidden // 2, hidden, generator) if coupled else None
        self.out = StackedLinear(members, hidden, latent, generator, gain=0.5)
        self.speed = nn.Parameter(torch.zeros(members, 1, 1, latent))

    def prepare(self, context: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        """What does not depend on the state, once per solve.

        Args:
            context: [M, B, K, H].
            controls: u at the half nodes, [B, 2 N + 1, controls].

        Returns:
            Their contributions to the hidden layer, [M, B, K, H] and [2 N + 1, M, B, 1, H].
        """
        members = context.shape[0]
        drive = self.control(controls.expand(members, *controls.shape))
        return self.context(context), drive.permute(2, 0, 1, 3).unsqueeze(3)

    def forward(self, z: Tensor, context: Tensor, drive: Tensor, bias: Tensor | None) -> Tensor:
        """dz/ds at states z [M, B, K, D], with the prepared context and the drive of this half node [M, B, 1, H]."""
        hidden = self.state(z) + context + drive
        if self.attention is not None and self.message is not None and bias is not None:
            hidden = hidden + self.message(self.attention(z, bias))
        return torch.tanh(self.out(torch.tanh(hidden))) * (3 * torch.sigmoid(self.speed))
