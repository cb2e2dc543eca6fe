"""Optimisers on one flat parameter vector, as pure functions of a state of tensors.

They compute what `torch.optim.SGD` and `torch.optim.Adam` compute. Those take two seconds to import in every worker
and longer per step than the arithmetic of a small network; and a state of plain tensors is a checkpoint as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

State = Mapping[str, Tensor]


class Optimizer(Protocol):
    """Moves parameters along a gradient."""

    def init(self, parameters: Tensor) -> State:
        """The state before the first step, for parameters [P]."""

    def step(self, parameters: Tensor, gradient: Tensor, state: State, lr: float) -> State:
        """Change the parameters in place; the state for the next step.

        Args:
            parameters: [P].
            gradient: [P]; left as it is.
            state: what `init` or the previous call returned; its tensors may be reused.
            lr: learning rate of this step.
        """


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with heavy-ball momentum and an L2 penalty.

    Attributes:
        momentum: 0..1.
        weight_decay: factor of the penalty's gradient.
    """

    momentum: float
    weight_decay: float

    def init(self, parameters: Tensor) -> State:
        """The velocity, at rest; none without momentum."""
        return {"velocity": torch.zeros_like(parameters)} if self.momentum else {}

    def step(self, parameters: Tensor, gradient: Tensor, state: State, lr: float) -> State:
        """Add `-lr · velocity`, where `velocity ← momentum · velocity + gradient`."""
        direction = gradient.add(parameters, alpha=self.weight_decay) if self.weight_decay else gradient
        if self.momentum:
            direction = state["velocity"].mul_(self.momentum).add_(direction)
        parameters.add_(direction, alpha=-lr)
        return state


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba, ICLR 2015) with an L2 penalty, not decoupled.

    Attributes:
        weight_decay: factor of the penalty's gradient.
        beta1: decay of the mean of the gradients.
        beta2: decay of the mean of their squares.
        epsilon: added to the root of the latter.
    """

    weight_decay: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def init(self, parameters: Tensor) -> State:
        """Both moments and the number of steps, zero."""
        return {
            "mean": torch.zeros_like(parameters),
            "square": torch.zeros_like(parameters),
            "steps": torch.zeros((), dtype=torch.float64),
        }

    def step(self, parameters: Tensor, gradient: Tensor, state: State, lr: float) -> State:
        """One step along the mean over the root of the mean square, both corrected for their zero start."""
        direction = gradient.add(parameters, alpha=self.weight_decay) if self.weight_decay else gradient
        steps = float(state["steps"]) + 1
        mean = state["mean"].lerp_(direction, 1 - self.beta1)
        square = state["square"].mul_(self.beta2).addcmul_(direction, direction, value=1 - self.beta2)
        root = (square / (1 - self.beta2**steps)).sqrt_().add_(self.epsilon)
        parameters.addcdiv_(mean, root, value=-lr / (1 - self.beta1**steps))
        return {"mean": mean, "square": square, "steps": state["steps"] + 1}
