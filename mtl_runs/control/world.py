"""What a policy learns in: several tasks side by side, with observations and actions of one size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from lcode.table import Metric

Act = Callable[[Tensor], Tensor]
"""Observations of all environments, [K, N, O], to their actions, [K, N, A]; what is outside of -1..1 is cut off."""


@dataclass(frozen=True)
class Episode:
    """An episode of T steps in N environments of each of K tasks.

    Attributes:
        observations: before every step and after the last, [T + 1, K, N, O].
        actions: as the policy gave them, [T, K, N, A].
        rewards: in natural units, [T, K, N].
        success: whether the task was done, bool [K, N].
    """

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    success: Tensor

    def measure(self, tasks: Sequence[str], first: int) -> dict[str, float]:
        """Metrics over the environments from this one on, by key: a task's `return` is its mean reward of a step."""
        returns = self.rewards[:, :, first:].mean((0, 2)).tolist()
        success = self.success[:, first:].double().mean(1).tolist()
        named: dict[str, float] = {}
        for task, value, share in zip(tasks, returns, success, strict=True):
            named |= {f"{task}/return": value, f"{task}/success": share}
        return named


class World(Protocol):
    """K tasks with so many environments each, which all begin and end together.

    Attributes:
        name: in the logs.
        tasks: names of the K tasks.
        scales: what a policy is to make of a reward: its factor in each task, [K].
        n_observed: numbers in an observation; shorter ones end in zeros.
        n_actions: numbers in an action; a body that takes fewer does not heed the last.
        n_learning: environments of a task that begin anew in every episode.
        n_held_out: those behind them, which begin in the same ways in every episode, whatever tasks stand beside it.
    """

    name: str
    tasks: tuple[str, ...]
    scales: Tensor
    n_observed: int
    n_actions: int
    n_learning: int
    n_held_out: int

    def episode(self, act: Act, generator: torch.Generator) -> Episode:
        """Begin anew and let a policy act to the end.

        Args:
            act: called once before each step.
            generator: of how the learning environments begin.
        """


def metrics_of(tasks: Sequence[str]) -> tuple[Metric, ...]:
    """What is measured of these tasks: `return` and the share with `success`, higher is better."""
    return tuple(metric for task in tasks for metric in _of(task))


def _of(task: str) -> Iterator[Metric]:
    yield from (Metric(task, name, "max") for name in ("return", "success"))
