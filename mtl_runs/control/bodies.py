"""Four bodies that forces move: a point, a pendulum, a pole on a cart and an arm of two links.

A state is a tensor [M, N, S] for M tasks of a body with N environments each. Bodies are steered by one or two numbers
in -1..1. What a task changes in its body is a number per task, [M, 1].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import pi
from typing import ClassVar

import torch
from torch import Tensor

DT = 0.1
"""Seconds of a step."""


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """Numbers between two."""
    return low + (high - low) * torch.rand(shape, generator=generator)


@dataclass(frozen=True)
class Body(ABC):
    """What moves.

    Attributes:
        traits: of the body in each of its M tasks, [M, 1]; what it is, says the subclass.
    """

    traits: Tensor

    n_observed: ClassVar[int]

    @abstractmethod
    def start(self, n: int, generator: torch.Generator) -> Tensor:
        """First states, [M, n, S]: but for its trait a body begins in the same ways in all of its tasks."""

    @abstractmethod
    def step(self, state: Tensor, action: Tensor) -> Tensor:
        """The state after a step of `DT` under an action, [M, N, 2]."""

    @abstractmethod
    def observe(self, state: Tensor) -> Tensor:
        """What is seen of a state, about -1..1, [M, N, n_observed]."""

    def _all(self, *parts: Tensor) -> Tensor:
        """Parts of a state, [n, s] or by task [M, n, s], side by side for all tasks, [M, n, S]."""
        return torch.cat([part.expand(len(self.traits), *part.shape[-2:]) for part in parts], -1)


class Point(Body):
    """A point in a square, pushed about against friction: place (2), velocity (2), goal (2).

    Its trait is the sign of the push: -1 is a point that goes where it is not pushed to.
    """

    n_observed = 6

    def start(self, n: int, generator: torch.Generator) -> Tensor:
        """At rest anywhere, with the goal anywhere."""
        place, goal = (uniform((n, 2), -1.5, 1.5, generator) for _ in range(2))
        return self._all(place, torch.zeros(n, 2), goal)

    def step(self, state: Tensor, action: Tensor) -> Tensor:
        """Pushed, slowed down, and held back by the walls."""
        place, velocity, goal = state.split(2, -1)
        velocity = velocity + DT * (6 * self.traits.unsqueeze(-1) * action - velocity)
        return torch.cat([(place + DT * velocity).clamp(-2, 2), velocity, goal], -1)

    def observe(self, state: Tensor) -> Tensor:
        """All of it."""
        return state / 2


class Pendulum(Body):
    """A pendulum that a motor turns, too weak to lift it at once: angle (0 is up), angular velocity.

    Its trait is the width of the angles that it begins with, around hanging down.
    """

    n_observed = 3

    def start(self, n: int, generator: torch.Generator) -> Tensor:
        """Hanging, more or less."""
        angle = pi + self.traits * uniform((n,), -1, 1, generator)
        return self._all(angle.unsqueeze(-1), uniform((n, 1), -0.5, 0.5, generator))

    def step(self, state: Tensor, action: Tensor) -> Tensor:
        """Gravity and the first number of the action."""
        angle, speed = state.unbind(-1)
        speed = (speed + DT * (10 * angle.sin() + 7 * action[..., 0])).clamp(-10, 10)
        return torch.stack([angle + DT * speed, speed], -1)

    def observe(self, state: Tensor) -> Tensor:
        """Where it points and how fast it turns."""
        angle, speed = state.unbind(-1)
        return torch.stack([angle.cos(), angle.sin(), speed / 5], -1)


class CartPole(Body):
    """A pole on a cart that is pushed: place, velocity, angle (0 is up), angular velocity, goal of the cart.

    Its trait is the angle, more or less, that the pole begins with. The equations are those of Barto, Sutton & Anderson
    1983 without friction, for a cart of 1 kg, a pole of 0.1 kg and half a length of 0.5 m.
    """

    n_observed = 6
    mass, half = 0.1, 0.5

    def start(self, n: int, generator: torch.Generator) -> Tensor:
        """At rest near the middle, with a goal to the left or right."""
        angle = self.traits + uniform((n,), -0.2, 0.2, generator)
        place, goal = uniform((n, 1), -0.5, 0.5, generator), uniform((n, 1), -1.5, 1.5, generator)
        nothing = torch.zeros(n, 1)
        return self._all(place, nothing, angle.unsqueeze(-1), nothing, goal)

    def step(self, state: Tensor, action: Tensor) -> Tensor:
        """Pushed by the first number of the action; at the ends of its track the cart stands still."""
        place, velocity, angle, speed, goal = state.unbind(-1)
        sine, cosine = angle.sin(), angle.cos()
        push = (10 * action[..., 0] + self.mass * self.half * speed.square() * sine) / (1 + self.mass)
        lever = self.half * (4 / 3 - self.mass * cosine.square() / (1 + self.mass))
        turn = (9.8 * sine - cosine * push) / lever
        velocity = velocity + DT * (push - self.mass * self.half * turn * cosine / (1 + self.mass))
        speed = (speed + DT * turn).clamp(-15, 15)
        moved = place + DT * velocity
        velocity = torch.where(moved.abs() > 3, 0.0, velocity)
        return torch.stack([moved.clamp(-3, 3), velocity, angle + DT * speed, speed, goal], -1)

    def observe(self, state: Tensor) -> Tensor:
        """Place, velocity, where the pole points, how fast it turns, the goal."""
        place, velocity, angle, speed, goal = state.unbind(-1)
        return torch.stack([place / 2, velocity / 3, angle.cos(), angle.sin(), speed / 5, goal / 2], -1)


class Arm(Body):
    """Two links of half a metre with a motor in each joint: two angles, two angular velocities, goal of the tip (2).

    Its trait is the weight of the links. A link's motion does not move the other one: only gravity couples them.
    """

    n_observed = 8

    def start(self, n: int, generator: torch.Generator) -> Tensor:
        """Hanging, more or less, with the goal anywhere that the tip can reach above the shoulder."""
        angles = uniform((n, 2), -0.5, 0.5, generator) - torch.tensor([pi / 2, 0.0])
        far, where = uniform((n, 1), 0.4, 0.95, generator), uniform((n, 1), 0.0, pi, generator)
        return self._all(angles, torch.zeros(n, 2), far * torch.cat([where.cos(), where.sin()], -1))

    def step(self, state: Tensor, action: Tensor) -> Tensor:
        """Motors, friction and gravity."""
        angles, speeds, goal = state.split(2, -1)
        first, second = angles[..., 0], angles.sum(-1)
        outer = 0.5 * second.cos()
        pull = self.traits.unsqueeze(-1) * torch.stack([1.5 * first.cos() + outer, outer], -1)
        speeds = (speeds + DT * (10 * action - 2 * speeds - pull)).clamp(-8, 8)
        return torch.cat([angles + DT * speeds, speeds, goal], -1)

    def observe(self, state: Tensor) -> Tensor:
        """Where the links point, how fast they turn, the goal."""
        angles, speeds, goal = state.split(2, -1)
        return torch.cat([angles.cos(), angles.sin(), speeds / 4, goal], -1)
