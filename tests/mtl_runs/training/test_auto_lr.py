from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtl_runs.training import RunConfig
from mtl_runs.training.auto_lr import lowest
from mtl_runs.training.population import Population
from mtl_runs.training.step import Stepper, StepRecord

Bowls = Callable[..., Population]
OneStep = Callable[..., StepRecord]

STEEP = ((1.0, 4.0), (0.0, 0.0))
SLOPE = ((0.0, 0.0), (1.0, 2.0))
BEST = 25 / 73
"""gᵀg / gᵀHg at θ = (3, 1), where g = (3, 4)."""


def number(value: float) -> torch.Tensor:
    return torch.tensor([[value]], dtype=torch.float64)


@given(st.floats(1e-2, 1e2))
def test_the_lowest_point_of_a_quadratic(rate: float) -> None:
    def loss(distance: float) -> torch.Tensor:
        """Of ½(x² + 4y²), from (3, 1) along the unit vector (0.6, 0.8)."""
        return number(((3 + 0.6 * distance) ** 2 + 4 * (1 + 0.8 * distance) ** 2) / 2)

    best, usable = lowest(number(rate), loss(rate), loss(0), loss(-rate))
    assert usable
    assert best.item() == pytest.approx(1.71233, rel=1e-5)


@pytest.mark.parametrize(
    ("behind", "here", "ahead"),
    [
        (1.0, 2.0, 1.0),  # bends downwards
        (3.0, 2.0, 1.0),  # a straight line
        (1.0, 2.0, 4.0),  # the minimum is behind
        (2.5, 2.0, 2.5),  # the minimum is here
        (torch.inf, 2.0, 1.0),
        (3.0, 2.0, torch.nan),
        (3.0, torch.inf, 1.0),
    ],
)
def test_parabolas_that_say_nothing(behind: float, here: float, ahead: float) -> None:
    best, usable = lowest(number(0.1), number(behind), number(here), number(ahead))
    assert not usable
    assert best.item() == 0


@pytest.mark.parametrize(
    ("lr", "expected"),
    [(0.3, 0.9 * 0.3 + 0.1 * BEST), (0.03, 0.9 * 0.03 + 0.1 * 0.06), (3.0, 0.9 * 3 + 0.1 * 1.5)],
    ids=["as it is", "at most doubled", "at most halved"],
)
def test_a_step_takes_the_new_rate(bowls: Bowls, one_step: OneStep, lr: float, expected: float) -> None:
    population = bowls(RunConfig(batch_size=1, momentum=0, clip=0, lr=lr, auto_lr=1), STEEP)
    record = one_step(population)
    assert record.rates is not None
    assert record.rates.item() == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(population.parameters[0, :2], torch.tensor([3 - 3 * expected, 1 - 4 * expected]))


def test_it_is_looked_for_every_so_many_steps(bowls: Bowls, one_step: OneStep) -> None:
    population = bowls(RunConfig(batch_size=1, momentum=0, clip=1, lr=0.01, auto_lr=3), STEEP)
    stepper = Stepper(population)
    rates = [r.rates.item() for _ in range(7) if (r := one_step(population, stepper)).rates is not None]
    assert rates == pytest.approx([0.011] * 3 + [0.0121] * 3 + [0.01331], rel=1e-5)


def test_a_straight_way_keeps_the_rate(bowls: Bowls, one_step: OneStep) -> None:
    record = one_step(bowls(RunConfig(batch_size=1, clip=0, lr=0.25, auto_lr=1), SLOPE))
    assert record.rates is not None
    assert record.rates.item() == pytest.approx(0.25)


def test_the_schedule_multiplies_and_is_not_remembered(bowls: Bowls, one_step: OneStep) -> None:
    population = bowls(RunConfig(batch_size=1, momentum=0, clip=0, lr=0.3, auto_lr=1, schedule="step"), STEEP)
    record = one_step(population, lr=0.03)
    assert record.rates is not None
    assert record.rates.item() == pytest.approx(0.1 * (0.9 * 0.3 + 0.1 * BEST), rel=1e-3)


def test_looking_leaves_the_optimiser_alone(bowls: Bowls, one_step: OneStep) -> None:
    population = bowls(RunConfig(batch_size=1, optimizer="adam", clip=0, lr=0.1, auto_lr=1), STEEP)
    one_step(population)
    (part,) = population.optimizers
    assert part.state["steps"].item() == 1
    torch.testing.assert_close(part.state["mean"][0, :2], torch.tensor([0.3, 0.4]))
