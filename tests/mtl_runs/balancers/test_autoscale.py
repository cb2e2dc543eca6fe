from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import AutoScale, Balancer, Needs, State, TaskStatistics, make_balancer
from mtl_runs.problems import Problem
from mtl_runs.training import RunConfig, RunSpec
from mtl_runs.training.population import Population
from mtl_runs.training.step import Stepper

NONE = torch.zeros(3, 3, dtype=torch.float64)


def gramian(*norms: float) -> Tensor:
    return torch.diag(torch.tensor(norms, dtype=torch.float64) ** 2)


def epochs(balancer: Balancer, state: State, steps: list[Tensor], per_epoch: int) -> tuple[list[list[float]], State]:
    """Weights of steps with these Gramians, and the state after them."""
    found = []
    for number, products in enumerate(steps, 1):
        weights, state = balancer.update(state, TaskStatistics(torch.ones(len(products)), products))
        found.append(weights.tolist())
        if number % per_epoch == 0:
            state = balancer.end_epoch(state)
    return found, state


def test_it_explores_and_then_keeps_the_inverse_geometric_means() -> None:
    steps = [gramian(1, 2, 4), gramian(4, 2, 1), gramian(1, 1, 8), gramian(1, 4, 2)]
    found, state = epochs(AutoScale(explore=2), AutoScale().init(3), [*steps, NONE, NONE, NONE], 2)
    assert found[0] == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    # Products of the norms: 4, 4, 4; then 4, 4, 32, of which the third root counts; then 4, 16, 64, the fourth.
    assert found[1] == pytest.approx([1 / 3] * 3)
    assert found[2] == pytest.approx([0.4, 0.4, 0.2])
    fixed = pytest.approx([2 / (3 + 2**0.5), 2**0.5 / (3 + 2**0.5), 1 / (3 + 2**0.5)])
    assert found[3:] == [fixed] * 4
    assert state["steps"].tolist() == [4] * 3


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=8), st.floats(-0.3, 0.3).filter(lambda x: abs(x) > 0.1))
def test_no_other_fixed_weights_make_lengths_more_similar(log_ratios: list[float], shift: float) -> None:
    ratios = torch.tensor(log_ratios, dtype=torch.float64)
    steps = [gramian(float(ratio.exp()), 1.0) for ratio in ratios]
    found, _ = epochs(AutoScale(), AutoScale().init(2), steps, 100)

    def similarity(weights: Tensor) -> float:
        lengths = weights * torch.stack([ratios.exp(), torch.ones_like(ratios)], -1)
        return float((2 * lengths.prod(-1) / lengths.square().sum(-1)).mean())

    best = torch.tensor(found[-1], dtype=torch.float64)
    spread = float((ratios - ratios.mean()).abs().max())
    other = best * torch.tensor([shift, 0.0], dtype=torch.float64).exp()
    assert similarity(best) >= similarity(other) - spread**4


@settings(max_examples=30, deadline=None)
@given(st.floats(1e-6, 1e6))
def test_a_loss_in_other_units_gets_the_inverse_weight(factor: float) -> None:
    steps = [gramian(1, 2, 4), gramian(3, 2, 1), gramian(1, 5, 8)]
    plain, _ = epochs(AutoScale(), AutoScale().init(3), steps, 2)
    scale = torch.tensor([factor, 1.0, 1.0], dtype=torch.float64)
    scaled, _ = epochs(AutoScale(), AutoScale().init(3), [scale * s * scale.unsqueeze(-1) for s in steps], 2)
    for a, b in zip(plain, scaled, strict=True):
        assert b[0] * factor / b[1] == pytest.approx(a[0] / a[1])
        assert b[2] / b[1] == pytest.approx(a[2] / a[1])


def test_what_it_reads() -> None:
    balancer = AutoScale(explore=2)
    state = balancer.init(3)
    assert Needs.GRAMIAN in balancer.reads(state)
    state = balancer.end_epoch(balancer.end_epoch(state))
    assert balancer.reads(state) == Needs.LOSSES
    # A population reads as long as one of its runs does.
    mixed = {name: torch.stack([value, torch.zeros(3)]) for name, value in state.items()}
    assert Needs.GRAMIAN in balancer.reads(mixed)
    around = make_balancer("cr_mogm", of="autoscale", explore=1)
    assert Needs.GRAMIAN in around.reads(around.init(3))
    assert around.reads(around.end_epoch(around.init(3))) == Needs.LOSSES


def test_tasks_that_are_out_for_a_while() -> None:
    balancer = AutoScale(explore=1)
    found, state = epochs(balancer, balancer.init(3), [gramian(1, 4, 0), gramian(1, 0, 0)], 2)
    assert found == [pytest.approx([0.8, 0.2, 0]), pytest.approx([0.8, 0, 0])]
    # No gradient of the third has been seen: it counts as one of norm √(1·4).
    weights, _ = balancer.update(state, TaskStatistics(torch.ones(3), NONE))
    assert weights.tolist() == pytest.approx([4 / 7, 1 / 7, 2 / 7])
    weights, after = balancer.update(state, TaskStatistics(torch.tensor([1.0, torch.nan, 1.0]), NONE))
    assert weights.tolist() == pytest.approx([4 / 7, 0, 2 / 7])
    assert all(torch.equal(after[name], state[name]) for name in state)


def steppers(problem: Problem, name: str, **settings: Any) -> tuple[Population, Stepper]:
    config = RunConfig(arch="mlp-4x1", batch_size=64, balancer=name, balancer_settings=settings, lr=0.01)
    population = Population(problem, [RunSpec("a", problem.name, config, 0, 1)], "cpu")
    return population, Stepper(population)


def test_after_exploring_a_step_is_that_of_fixed_weights_in_one_pass(tiny_problem: Problem) -> None:
    inputs = tiny_problem.train.inputs[:64].unsqueeze(0)
    targets = [tiny_problem.train.targets[task.name][:64].unsqueeze(0) for task in tiny_problem.tasks]
    rates = torch.tensor([[0.01]])
    population, stepper = steppers(tiny_problem, "autoscale", explore=1)
    record = stepper.step(inputs, targets, rates, watch=False)
    assert record.gramian is not None
    norms = record.gramian[0].diagonal().sqrt()
    torch.testing.assert_close(record.weights[0], norms.reciprocal() / norms.reciprocal().sum())
    part = population.balancers[0]
    part.state = part.rule.end_epoch(part.state)

    fixed, other = steppers(tiny_problem, "fixed", weights=record.weights[0].tolist())
    fixed.parameters.copy_(population.parameters)
    again = stepper.step(inputs, targets, rates, watch=False)
    other.step(inputs, targets, rates, watch=False)
    assert again.gramian is None  # nobody made passes for the tasks
    torch.testing.assert_close(again.weights, record.weights)
    torch.testing.assert_close(stepper.gradient, other.gradient)
    watched = stepper.step(inputs, targets, rates, watch=True)
    assert watched.gramian is not None


def test_it_is_stacked_with_its_like() -> None:
    def key(name: str, **settings: Any) -> tuple[Any, ...]:
        return RunConfig(balancer=name, balancer_settings=settings).stacking_key

    assert key("autoscale", explore=2) == key("autoscale", explore=2)
    assert len({key("autoscale", explore=2), key("autoscale"), key("mgda"), key("equal")}) == 4
    assert key("log", of="autoscale") not in (key("autoscale"), key("log", of="mgda"))
    assert key("mgda") == key("cagrad")


@pytest.mark.parametrize("explore", [0, -1, 1.5])
def test_a_wrong_number_of_epochs(explore: float) -> None:
    with pytest.raises(UsageError, match=f"explore must be a whole number of at least 1; found {explore}"):
        make_balancer("autoscale", explore=explore)
