"""Optimisers on flat parameter vectors, one row per run, as pure functions of a state of tensors.

They compute what `torch.optim.SGD` and `torch.optim.Adam` compute, but every row has its own settings. A state of plain
tensors is a checkpoint as it is, and a row of it is the state of that run alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from mtl_runs.balancers.powers import power

State = Mapping[str, Tensor]


class OptimizerSettings(Protocol):
    """What an optimiser reads of a configuration."""

    @property
    def momentum(self) -> float:
        """Of SGD, 0..1."""

    @property
    def weight_decay(self) -> float:
        """Factor of the gradient of the L2 penalty."""


class Optimizer(Protocol):
    """Moves parameters along a gradient."""

    def init(self, parameters: Tensor, settings: Sequence[OptimizerSettings]) -> State:
        """The state before the first step.

        Args:
            parameters: [R, P].
            settings: one per row.
        """

    def step(self, parameters: Tensor, gradient: Tensor, state: State, lr: Tensor) -> State:
        """Change the parameters in place; the state for the next step.

        Args:
            parameters: [R, P].
            gradient: [R, P]; left as it is.
            state: what `init` or the previous call returned; its tensors may be reused.
            lr: learning rates of this step, [R, 1].
        """

    def forget(self, parameters: Tensor, gradient: Tensor, state: State, share: float) -> None:
        """Change the state in place so that in the step that follows the past counts only this share of what it would.

        Args:
            parameters: as in `step`.
            gradient: as in `step`; it takes the place of what is forgotten.
            state: as in `step`.
            share: 0..1.
        """


class SGD:
    """Stochastic gradient descent with heavy-ball momentum and an L2 penalty."""

    def init(self, parameters: Tensor, settings: Sequence[OptimizerSettings]) -> State:
        """The settings as columns, and the velocities, at rest."""
        return {
            "momentum": _column([one.momentum for one in settings], parameters),
            "weight_decay": _column([one.weight_decay for one in settings], parameters),
            "velocity": torch.zeros_like(parameters),
        }

    def step(self, parameters: Tensor, gradient: Tensor, state: State, lr: Tensor) -> State:
        """Add `-lr · velocity`, where `velocity ← momentum · velocity + gradient`."""
        velocity = state["velocity"].mul_(state["momentum"]).add_(gradient)
        velocity.addcmul_(parameters, state["weight_decay"])
        parameters.addcmul_(velocity, lr, value=-1)
        return state

    def forget(self, parameters: Tensor, gradient: Tensor, state: State, share: float) -> None:
        """Slow down: the same as the momentum times the share in that step."""
        state["velocity"].mul_(share)


class Adam:
    """Adam (Kingma & Ba, ICLR 2015) with an L2 penalty, not decoupled.

    The decays are the usual 0.9 of the mean and 0.999 of the mean square, and 1e-8 is added to the root of the latter.
    """

    BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

    def init(self, parameters: Tensor, settings: Sequence[OptimizerSettings]) -> State:
        """The penalties as a column, both moments and the number of steps, zero."""
        return {
            "weight_decay": _column([one.weight_decay for one in settings], parameters),
            "mean": torch.zeros_like(parameters),
            "square": torch.zeros_like(parameters),
            "steps": torch.zeros(len(parameters), 1, dtype=torch.float64, device=parameters.device),
        }

    def step(self, parameters: Tensor, gradient: Tensor, state: State, lr: Tensor) -> State:
        """One step along the mean over the root of the mean square, both corrected for their zero start."""
        steps = state["steps"] + 1
        direction = torch.addcmul(gradient, parameters, state["weight_decay"])
        mean = state["mean"].lerp_(direction, 1 - self.BETA1)
        square = state["square"].mul_(self.BETA2).addcmul_(direction, direction, value=1 - self.BETA2)
        root = (square / (1 - power(self.BETA2, steps)).to(square)).sqrt_().add_(self.EPSILON)
        # Reused: the direction is not needed any more.
        torch.div(mean, root, out=direction)
        parameters.addcmul_(direction, lr / (1 - power(self.BETA1, steps)).to(lr), value=-1)
        return {**state, "steps": steps}

    def forget(self, parameters: Tensor, gradient: Tensor, state: State, share: float) -> None:
        """Mix the moments with those of this gradient: the same as both decays times the share in that step.

        Their weights still add up to what the correction for the zero start takes them for, which they would not with
        other decays in a single early step.
        """
        direction = torch.addcmul(gradient, parameters, state["weight_decay"])
        for name, beta, new in (("mean", self.BETA1, direction), ("square", self.BETA2, direction.square())):
            total = (1 - power(beta, state["steps"])).to(new)
            state[name].mul_(share).add_(new * ((1 - share) * total))


OPTIMIZERS: dict[str, Optimizer] = {"sgd": SGD(), "adam": Adam()}
"""Every optimiser by the name that configurations use."""


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    """The values as [R, 1], in the precision and on the device of `like`."""
    return torch.tensor(values, dtype=like.dtype, device=like.device).unsqueeze(-1)
