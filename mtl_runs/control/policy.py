"""The network that learns: one for all tasks, which is told by a one-hot vector which task it is in."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mtl_runs.networks import own_randomness

WIDTH = 64
"""Of both hidden layers, of the actor and of the critic."""

NARROWEST, WIDEST = -2.5, 0.0
"""Logarithm of the deviation of an action; it begins at `FIRST`."""

FIRST = -0.7


class Policy(nn.Module):
    """Actor and critic, two perceptrons side by side. All of their parameters are shared by all tasks.

    Args:
        n_tasks: K.
        n_observed: O.
        n_actions: A.
        seed: of the first weights.
    """

    def __init__(self, n_tasks: int, n_observed: int, n_actions: int, seed: int) -> None:
        super().__init__()
        self.register_buffer("which", torch.eye(n_tasks))
        with own_randomness(seed):
            self.trunk = nn.Sequential(_linear(n_observed + n_tasks), nn.Tanh(), _linear(WIDTH), nn.Tanh())
            self.last = nn.Linear(WIDTH, 2 * n_actions + 1)
            nn.init.orthogonal_(self.last.weight, 0.1)
            nn.init.zeros_(self.last.bias)

    def told(self, observations: Tensor) -> Tensor:
        """Observations [..., K, N, O] with the vector of their task behind them, [..., K, N, O + K]."""
        which = self.get_buffer("which").unsqueeze(1)
        return torch.cat([observations, which.expand(*observations.shape[:-1], -1)], -1)

    def forward(self, told: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Means and logarithms of the deviations of the actions, each [..., A], and what is expected to come, [...]."""
        outputs = self.last(self.trunk(told))
        means, logs = outputs[..., :-1].chunk(2, -1)
        return means, (logs + FIRST).clamp(NARROWEST, WIDEST), outputs[..., -1]


def log_density(actions: Tensor, means: Tensor, logs: Tensor) -> Tensor:
    """Of actions [..., A] under normal distributions, without what does not depend on them or on these: [...]."""
    return -(0.5 * ((actions - means) / logs.exp()).square() + logs).sum(-1)


def _linear(n_in: int) -> nn.Linear:
    """A hidden layer with orthogonal first weights."""
    linear = nn.Linear(n_in, WIDTH)
    nn.init.orthogonal_(linear.weight, 2**0.5)
    nn.init.zeros_(linear.bias)
    return linear
