"""Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347), a loss for each task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mtl_runs.control.policy import Policy, log_density
from mtl_runs.control.world import Episode

DISCOUNT, TRACE = 0.97, 0.95
"""γ, and λ of generalised advantages (Schulman et al. 2016, arXiv 1506.02438)."""

NEAR = 0.2
"""How far the probability of an action may move, as a share, before it counts no more."""

PASSES, BATCHES = 4, 2
"""Over an episode, and steps in each."""

OF_VALUES = 0.5
"""Weight of the critic's error."""


@dataclass(frozen=True)
class Batch:
    """Steps of an episode that are learned from, S of each of K tasks.

    Attributes:
        told: observations with the task, [K, S, O + K].
        actions: [K, S, A].
        densities: logarithms, under the policy that acted, [K, S].
        advantages: in deviations over all tasks, [K, S].
        targets: of the critic, [K, S].
    """

    told: Tensor
    actions: Tensor
    densities: Tensor
    advantages: Tensor
    targets: Tensor

    def parts(self, generator: torch.Generator) -> Iterator[Batch]:
        """`BATCHES` parts in a random order, of every task the same steps."""
        order = torch.randperm(self.told.shape[1], generator=generator)
        for rows in order.chunk(BATCHES):
            yield Batch(*(value[:, rows] for value in vars(self).values()))


@torch.no_grad()
def batch_of(episode: Episode, policy: Policy, scales: Tensor, n_learning: int) -> Batch:
    """What is to be learned from an episode: its end is one of time only, so the critic says what would follow.

    Rewards are multiplied by `1 - γ`, so that values are of the size of rewards. Advantages are divided by their
    deviation over all tasks together: a task with large rewards has large ones.

    Args:
        episode: in which this policy acted.
        policy: with the weights that acted.
        scales: factors of the rewards, [K].
        n_learning: environments of each task that count, the first ones.
    """
    told = policy.told(episode.observations[:, :, :n_learning])
    actions = episode.actions[:, :, :n_learning]
    means, logs, values = policy(told)
    rewards = (1 - DISCOUNT) * scales.unsqueeze(-1) * episode.rewards[:, :, :n_learning]
    surprise = rewards + DISCOUNT * values[1:] - values[:-1]
    advantages = torch.empty_like(surprise)
    following = torch.zeros_like(surprise[0])
    for step in reversed(range(len(surprise))):
        following = advantages[step] = surprise[step] + DISCOUNT * TRACE * following
    targets = advantages + values[:-1]
    advantages = advantages - advantages.mean((0, 2), keepdim=True)
    advantages = advantages / advantages.std().clamp(min=1e-8)
    densities = log_density(actions, means[:-1], logs[:-1])
    return Batch(*(_by_task(value) for value in (told[:-1], actions, densities, advantages, targets)))


def losses(policy: Policy, batch: Batch) -> list[Tensor]:
    """The K tasks' losses, each with a graph of its own."""
    return [
        _loss(policy, *of_task)
        for of_task in zip(batch.told, batch.actions, batch.densities, batch.advantages, batch.targets, strict=True)
    ]


def _loss(
    policy: Policy, told: Tensor, actions: Tensor, densities: Tensor, advantages: Tensor, targets: Tensor
) -> Tensor:
    means, logs, values = policy(told)
    ratio = (log_density(actions, means, logs) - densities).exp()
    gain = torch.minimum(ratio * advantages, ratio.clamp(1 - NEAR, 1 + NEAR) * advantages).mean()
    return OF_VALUES * (values - targets).square().mean() - gain


def _by_task(values: Tensor) -> Tensor:
    """[T, K, N, ...] to [K, T * N, ...]."""
    return values.transpose(0, 1).flatten(1, 2)
