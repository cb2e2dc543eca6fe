"""The contract of a balancer: statistics of one step in, task weights out; state, randomness and networks stay outside.

Notation: K tasks, losses `L_k`, shared parameters θ, `g_k = ∇_θ L_k`, `G` the K×P Jacobian with rows `g_k`,
`A = G Gᵀ` the Gramian. A balancer returns weights `α`, and the update direction of θ is `d = Gᵀα`.

Conventions that hold for every balancer here:

- **Mean convention.** Weights are on the scale of the mean loss: equal weighting is 1/K each. A method whose paper
  sums over tasks is divided by K; the trainer's `reduction="sum"` multiplies by K again.
- **Inactive tasks.** A task is inactive in a step when its loss is NaN or infinite or, for a method that reads
  gradients, when its gradient is zero, NaN or infinite. It gets weight 0, its state stays as it was, and the others
  are balanced as if it were not there: one zero row would make the min-norm point zero and stop all training.
- **Precision.** Everything between the statistics and the weights is float64, on K numbers or K×K.
- **Batches.** All tensors may have any leading dimensions: one run, or a population of them in one call.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

State = Mapping[str, Tensor]
"""What a balancer remembers between steps: named tensors, [..., K] or broadcastable to it; plain data to checkpoint."""


class Needs(enum.Flag):
    """What a balancer reads. The trainer computes no more than the union of what is asked for and what it logs."""

    LOSSES = enum.auto()
    GRAMIAN = enum.auto()
    JACOBIAN = enum.auto()


@dataclass(frozen=True)
class TaskStatistics:
    """What is known of the K tasks at one step, detached from any graph.

    Attributes:
        losses: task losses, [..., K].
        gramian: inner products of the tasks' gradients of the shared parameters, [..., K, K].
        jacobian: those gradients themselves, [..., K, P]; only for a balancer that needs `Needs.JACOBIAN`.
    """

    losses: Tensor
    gramian: Tensor
    jacobian: Tensor | None = None


class Balancer(ABC):
    """Turns the statistics of a step into one weight per task.

    A subclass states `needs` and `scales_heads` and writes `weigh`; with state, also `init`. It is a pure function:
    `update` changes neither the balancer nor the state it was given.

    Attributes:
        needs: what `weigh` reads.
        scales_heads: whether the weights are loss weights, so that the gradient of each task's own head is multiplied
            as well; a gradient method leaves the heads alone.
    """

    needs: ClassVar[Needs]
    scales_heads: ClassVar[bool]

    def init(self, n_tasks: int) -> State:
        """The state before the first step, for one run; stack along new leading dimensions for a population."""
        return {}

    def update(
        self, state: State, statistics: TaskStatistics, generator: torch.Generator | None = None
    ) -> tuple[Tensor, State]:
        """Weights for this step and the state for the next.

        Args:
            state: what `init` or the previous call returned.
            statistics: losses and gradients of the K tasks at this step.
            generator: source of randomness; a method that draws has to be given one to be reproducible.

        Returns:
            Weights, float64, [..., K], 0 for inactive tasks; and the new state.
        """
        losses = statistics.losses.detach().to(torch.float64)
        gramian = statistics.gramian.detach().to(torch.float64)
        active = torch.isfinite(losses)
        if Needs.GRAMIAN in self.needs:
            squared_norms = gramian.diagonal(dim1=-2, dim2=-1)
            active = active & torch.isfinite(squared_norms) & (squared_norms > 0)
        losses = torch.where(active, losses, 1.0)
        gramian = torch.where(active.unsqueeze(-1) & active.unsqueeze(-2), gramian, 0.0)
        weights, new_state = self.weigh(state, losses, gramian, active, generator)
        kept = {name: torch.where(active, value, state[name]) for name, value in new_state.items()}
        return torch.where(active, weights, 0.0), kept

    @abstractmethod
    def weigh(
        self, state: State, losses: Tensor, gramian: Tensor, active: Tensor, generator: torch.Generator | None
    ) -> tuple[Tensor, State]:
        """The method itself, on clean numbers.

        Args:
            state: as in `update`; every tensor is per task, [..., K].
            losses: float64, [..., K]; 1 where inactive.
            gramian: float64, [..., K, K]; rows and columns of inactive tasks are zero.
            active: bool, [..., K]; for a method that reads gradients, active diagonals are positive.
            generator: as in `update`.

        Returns:
            Weights in the mean convention, [..., K] (whatever is returned for an inactive task is ignored), and the
            new state with the same names.
        """


def uniform_over(active: Tensor) -> Tensor:
    """1/(number of active tasks) for active tasks, 0 for others: [..., K], float64."""
    return active / active.sum(-1, keepdim=True).clamp(min=1).to(torch.float64)
