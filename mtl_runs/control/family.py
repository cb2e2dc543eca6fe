"""The built-in family of control tasks: what is wanted of the bodies, side by side in a world."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

from mtl_runs.control.bodies import Arm, Body, CartPole, Pendulum, Point
from mtl_runs.control.world import Act, Episode

STEPS = 50
"""Of an episode: five seconds."""

LATE, WELL = 10, 0.7
"""An episode succeeds where the mean reward of so many last steps is at least so much."""

HELD_OUT_SEED = 1983

Reward = Callable[[Tensor], Tensor]
"""States [..., S] to rewards in 0..1, [...]."""


@dataclass(frozen=True)
class Deed:
    """What is wanted of a body.

    Attributes:
        body: what moves.
        trait: what its body is like in this task.
        reward: how well a state is.
    """

    body: type[Body]
    trait: float
    reward: Reward


def near(distance: Tensor, width: float) -> Tensor:
    """1 at no distance, a half at this one."""
    return 1 / (1 + (distance / width).square())


def upright(angle: Tensor) -> Tensor:
    """1 for an angle of 0, 0 for one of half a turn."""
    return (1 + angle.cos()) / 2


def _at_goal(state: Tensor) -> Tensor:
    return near((state[..., :2] - state[..., 4:6]).norm(dim=-1), 0.5)


def _round(state: Tensor) -> Tensor:
    """Round the middle at a distance of 1 with a speed of 2."""
    place, velocity = state[..., :2], state[..., 2:4]
    around = place[..., 0] * velocity[..., 1] - place[..., 1] * velocity[..., 0]
    far = place.norm(dim=-1)
    return near(far - 1, 0.5) * near(around / far.clamp(min=0.1) - 2, 1.0)


def _pole(state: Tensor) -> Tensor:
    """Upright over the middle."""
    return upright(state[..., 2]).square() * near(state[..., 0], 1.5)


def _pole_at_goal(state: Tensor) -> Tensor:
    return upright(state[..., 2]).square() * near(state[..., 0] - state[..., 4], 0.5)


def _tip(state: Tensor) -> Tensor:
    inner, outer, goal = state[..., 0], state[..., 0] + state[..., 1], state[..., 4:6]
    tip = 0.5 * torch.stack([inner.cos() + outer.cos(), inner.sin() + outer.sin()], -1)
    return near((tip - goal).norm(dim=-1), 0.4)


DEEDS: Mapping[str, Deed] = {
    "point-reach": Deed(Point, 1.0, _at_goal),
    "point-mirrored": Deed(Point, -1.0, _at_goal),
    "point-circle": Deed(Point, 1.0, _round),
    "pendulum-swingup": Deed(Pendulum, 0.5, lambda state: upright(state[..., 0]).square()),
    "pendulum-spin": Deed(Pendulum, pi, lambda state: near(state[..., 1] - 6, 2.0)),
    "cart-balance": Deed(CartPole, 0.0, _pole),
    "cart-follow": Deed(CartPole, 0.0, _pole_at_goal),
    "cart-swingup": Deed(CartPole, pi, _pole),
    "arm-reach": Deed(Arm, 0.0, _tip),
    "arm-lift": Deed(Arm, 3.0, _tip),
}
"""All tasks by name."""


class Family:
    """Tasks of `DEEDS` side by side; see `World`.

    Args:
        name: of the world.
        tasks: names in `DEEDS`; those of a body move together.
        scales: factors of the rewards by which a policy learns, one per task; what is measured does not have them.
        n_learning: environments of a task that begin anew in every episode.
        n_held_out: environments of a task that always begin in the same ways.
    """

    n_observed, n_actions = 8, 2

    def __init__(
        self, name: str, tasks: Sequence[str], scales: Sequence[float], n_learning: int = 16, n_held_out: int = 8
    ) -> None:
        self.name, self.tasks, self.scales = name, tuple(tasks), torch.tensor(scales)
        self.n_learning, self.n_held_out = n_learning, n_held_out
        self._parts: list[tuple[Body, list[int]]] = []
        for kind in dict.fromkeys(DEEDS[task].body for task in tasks):
            rows = [row for row, task in enumerate(tasks) if DEEDS[task].body is kind]
            self._parts.append((kind(torch.tensor([[DEEDS[tasks[row]].trait] for row in rows])), rows))

    def episode(self, act: Act, generator: torch.Generator) -> Episode:
        """See `World`."""
        states = [self._start(body, generator) for body, _ in self._parts]
        seen, actions, courses = [self._observe(states)], [], []
        for _ in range(STEPS):
            actions.append(act(seen[-1]))
            moves = actions[-1].clamp(-1, 1)
            states = [body.step(state, moves[rows]) for (body, rows), state in zip(self._parts, states, strict=True)]
            seen.append(self._observe(states))
            courses.append(states)
        rewards = torch.empty(STEPS, *seen[0].shape[:2])
        for (_, rows), course in zip(self._parts, zip(*courses, strict=True), strict=True):
            for place, row in enumerate(rows):
                rewards[:, row] = DEEDS[self.tasks[row]].reward(torch.stack(course)[:, place])
        return Episode(torch.stack(seen), torch.stack(actions), rewards, rewards[-LATE:].mean(0) >= WELL)

    def _start(self, body: Body, generator: torch.Generator) -> Tensor:
        # A generator for each body: what is measured of a task does not hang on which others stand beside it.
        held_out = torch.Generator().manual_seed(HELD_OUT_SEED)
        return torch.cat([body.start(self.n_learning, generator), body.start(self.n_held_out, held_out)], 1)

    def _observe(self, states: Sequence[Tensor]) -> Tensor:
        seen = torch.zeros(len(self.tasks), states[0].shape[1], self.n_observed)
        for (body, rows), state in zip(self._parts, states, strict=True):
            seen[rows, :, : body.n_observed] = body.observe(state)
        return seen
