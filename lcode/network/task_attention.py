"""How the tasks of a run hear each other."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lcode.network.stacked import StackedLinear


class TaskAttention(nn.Module):
    """What each task hears from the others: attention over the other tasks' states, biased by the gradient cosine.

    A task does not attend to itself, so that with K = 1 the message is zero and the field is that of the
    single-task model of Ding et al. (2025).
    """

    def __init__(self, members: int, width: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.project = StackedLinear(members, width, 3 * hidden, generator)
        self.cosine = nn.Parameter(torch.zeros(members, 1, 1, 1, dtype=torch.float32))
        self.root = math.sqrt(hidden)

    def bias(self, cosines: Tensor, known: Tensor) -> Tensor:
        """Attention bias from cosines [B, K, K] and which metrics take part [B, K]: [M, B, K, K]; self is excluded."""
        eye = torch.eye(cosines.shape[-1], dtype=torch.bool, device=cosines.device)
        return (self.cosine * cosines).masked_fill(eye | ~known[:, None, :], -1e4)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """States [M, B, K, width] -> messages [M, B, K, hidden]; zero where a task has nobody to listen to."""
        # K is small: sums over broadcast products are several times faster than many tiny matrix products, and faster
        # again with the runs as the last axis. Listeners are on the last but two, speakers on the last but one.
        queries, keys, values = self.project.columns(states.transpose(1, 2)).chunk(3, 1)
        bias = bias.permute(0, 2, 3, 1)
        scores = (queries.unsqueeze(3) * keys.unsqueeze(2)).sum(1) / self.root + bias
        weights = scores.softmax(2) * (bias > -1e3)
        return (weights.unsqueeze(1) * values.unsqueeze(2)).sum(3).permute(0, 3, 2, 1)
