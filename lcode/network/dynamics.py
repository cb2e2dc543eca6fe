"""What carries latent states from the cutoff to the queries: the interface of the ODE and of what is put beside it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Course:
    """What is known of the way ahead, on a clock that runs from 0 at the start of the forecast to 1 at the horizon.

    Attributes:
        at: clock times of the queries, 0 to 1, [B, Q].
        controls: from clock times, [1, T] or [B, T], to time features and planned learning rate, [B, T, C].
        cosines: gradient cosines between the tasks known at the cutoff, [B, K, K].
        steps: of the solve, for dynamics that solve.
    """

    at: Tensor
    controls: Callable[[Tensor], Tensor]
    cosines: Tensor
    steps: int


class Dynamics(nn.Module, ABC):
    """States at the start -> states at the queries."""

    @abstractmethod
    def forward(self, z0: Tensor, context: Tensor, course: Course) -> Tensor:
        """Carry states z0 [M, B, K, D], given a context [M, B, K, H], to the queries: [M, B, K, Q, D]."""
