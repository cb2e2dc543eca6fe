"""How bodies move: single steps by hand, and what their traits do."""

from __future__ import annotations

from math import pi

import pytest
import torch

from mtl_runs.control.bodies import DT, Arm, Body, CartPole, Pendulum, Point

BODIES: tuple[type[Body], ...] = (Point, Pendulum, CartPole, Arm)


def moved(
    body: type[Body], state: list[float], action: tuple[float, float] = (0.0, 0.0), trait: float = 0.0
) -> list[float]:
    one = body(torch.tensor([[trait]]))
    values: list[float] = one.step(torch.tensor([[state]]), torch.tensor([[action]]))[0, 0].tolist()
    return values


def test_a_point_goes_where_it_is_pushed_or_the_other_way() -> None:
    state = [0.5, 0.0, 1.0, 0.0, 0.3, 0.4]
    velocity = 1.0 + DT * (6 * 0.5 - 1.0)
    assert moved(Point, state, (0.5, 0.0), 1.0) == pytest.approx([0.5 + DT * velocity, 0, velocity, 0, 0.3, 0.4])
    assert moved(Point, state, (-0.5, 0.0), -1.0) == moved(Point, state, (0.5, 0.0), 1.0)


def test_a_pendulum_stays_where_it_hangs_and_falls_from_where_it_leans() -> None:
    assert moved(Pendulum, [pi, 0.0]) == pytest.approx([pi, 0.0], abs=1e-5)
    assert moved(Pendulum, [pi / 2, 0.0]) == pytest.approx([pi / 2 + DT * DT * 10, DT * 10])
    # The motor alone does not hold it there: it has to be swung up.
    assert moved(Pendulum, [pi / 2, 0.0], (-1.0, 0.0))[1] > 0


def test_a_cart_is_pushed_and_its_pole_leans_back() -> None:
    place, velocity, angle, speed, goal = moved(CartPole, [0.0, 0.0, 0.0, 0.0, 0.7], (1.0, 1.0))
    push = 10 / 1.1
    turn = -push / (0.5 * (4 / 3 - 0.1 / 1.1))
    assert speed == pytest.approx(DT * turn) and angle == pytest.approx(DT * speed) and goal == pytest.approx(0.7)
    assert velocity == pytest.approx(DT * (push - 0.05 * turn / 1.1)) and place == pytest.approx(DT * velocity)
    assert moved(CartPole, [0.0, 0.0, 0.0, 0.0, 0.7], (1.0, -1.0))[1] == pytest.approx(velocity)
    # At the end of the track it stands.
    assert moved(CartPole, [2.99, 5.0, 0.0, 0.0, 0.0])[:2] == [3.0, 0.0]


def test_a_heavy_arm_sinks_and_a_light_one_does_not() -> None:
    flat = [0.0, 0.0, 0.0, 0.0, 0.5, 0.5]
    assert moved(Arm, flat) == pytest.approx(flat)
    assert moved(Arm, flat, trait=3.0)[2:4] == pytest.approx([-DT * 3 * 2.0, -DT * 3 * 0.5])


@pytest.mark.parametrize("body", BODIES)
def test_a_body_begins_alike_in_all_of_its_tasks_and_is_seen_whole(body: type[Body]) -> None:
    one, two = body(torch.tensor([[1.0]])), body(torch.tensor([[0.0], [1.0]]))
    alone, beside = (some.start(5, torch.Generator().manual_seed(3)) for some in (one, two))
    assert alone.shape[:2] == (1, 5) and beside.shape == (2, *alone.shape[1:])
    assert torch.equal(alone[0], beside[1])
    assert two.observe(beside).shape == (2, 5, body.n_observed)
    assert len(alone[0].unique(dim=0)) == 5
