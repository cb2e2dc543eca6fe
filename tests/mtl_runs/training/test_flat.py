from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mtl_runs.balancers import MGDA, TaskStatistics
from mtl_runs.problems import Problem
from mtl_runs.training import RunConfig, RunSpec
from mtl_runs.training.flat import sam_gradients, uphill
from mtl_runs.training.gradients import Gradients
from mtl_runs.training.population import Population
from mtl_runs.training.step import Stepper, StepRecord

Bowls = Callable[..., Population]
OneStep = Callable[..., StepRecord]

STEEP = ((1.0, 4.0), (0.0, 0.0))
OTHER = ((2.0, -1.0), (-7.0, 0.5))
SLOPE = ((0.0, 0.0), (1.0, 2.0))


def both(population: Population, radius: float) -> tuple[Tensor, Tensor]:
    """Rows at the parameters, and rows at the perturbed ones, less the former."""
    gradients = Gradients(population)
    inputs = torch.zeros(1, 1, 1)
    targets = [torch.zeros(1, 1, 2)] * len(population.problem.tasks)
    here = gradients.of_losses(gradients.losses(inputs, targets))
    there = sam_gradients(gradients, here, inputs, targets, torch.tensor([[radius]]))
    return here.rows[0], there.rows[0] - here.rows[0]


def test_the_flat_gradient_of_a_quadratic(bowls: Bowls) -> None:
    loss, flat = both(bowls(RunConfig(batch_size=1), STEEP), 0.1)
    torch.testing.assert_close(loss, torch.tensor([[3.0, 4.0]]))
    torch.testing.assert_close(flat, torch.tensor([[0.06, 0.32]]), atol=1e-6, rtol=0)


def test_of_one_task_it_is_sam(bowls: Bowls, one_step: OneStep) -> None:
    population = bowls(RunConfig(batch_size=1, balancer="mgda", clip=0, flat_radius=0.1), STEEP)
    stepper = Stepper(population)
    one_step(population, stepper)
    torch.testing.assert_close(stepper.gradient[0], torch.tensor([3.06, 4.32, 0.0]))


def test_a_linear_loss_is_flat(bowls: Bowls, one_step: OneStep) -> None:
    config = RunConfig(batch_size=1, balancer="mgda", clip=0, flat_radius=0.1)
    loss, flat = both(bowls(config, SLOPE), 0.1)
    assert loss.tolist() == [[1.0, 2.0]]
    assert not flat.any()
    population = bowls(config, SLOPE)
    stepper = Stepper(population)
    one_step(population, stepper)
    assert stepper.gradient[0].tolist() == [1.0, 2.0, 0.0]


def test_both_parts_are_balanced_for_themselves(bowls: Bowls, one_step: OneStep) -> None:
    population = bowls(RunConfig(batch_size=1, balancer="mgda", clip=0, flat_radius=0.1), STEEP, OTHER)
    loss, flat = both(population, 0.1)
    stepper = Stepper(population)
    record = one_step(population, stepper)
    expected = torch.zeros(2)
    for rows in (loss, flat):
        weights, _ = MGDA().update({}, TaskStatistics(record.losses[0], rows @ rows.T))
        expected += weights.float() @ rows
    torch.testing.assert_close(stepper.gradient[0, :2], expected)


def test_stateful_balancers_remember_the_parts_apart(bowls: Bowls, one_step: OneStep) -> None:
    population = bowls(RunConfig(batch_size=1, balancer="moco", flat_radius=0.1), STEEP, OTHER)
    loss, flat = both(population, 0.1)
    one_step(population)
    for (part,), rows in ((population.balancers, loss), (population.flat_balancers, flat)):
        similarity = torch.cosine_similarity(part.state["tracked"][0], rows, dim=1)
        torch.testing.assert_close(similarity.abs(), torch.ones(2))


def test_clip_and_reduction_come_once_at_the_end(bowls: Bowls, one_step: OneStep) -> None:
    gradients = []
    for clip in (0.0, 0.5):
        config = RunConfig(batch_size=1, balancer="cagrad", clip=clip, flat_radius=0.1, reduction="sum")
        population = bowls(config, STEEP, OTHER)
        stepper = Stepper(population)
        one_step(population, stepper)
        gradients.append(stepper.gradient[0, :2])
    torch.testing.assert_close(gradients[1], 0.5 * gradients[0] / gradients[0].norm())


@pytest.mark.parametrize("balancer", ["fixed", "mgda"])
def test_heads_take_the_sam_gradient(tiny_problem: Problem, one_step: OneStep, balancer: str) -> None:
    settings = {"weights": [3, 1]} if balancer == "fixed" else {}
    config = RunConfig(
        arch="mlp-8x2", balancer=balancer, balancer_settings=settings, clip=0, lr=1e-9, momentum=0, flat_radius=0.3
    )
    population = Population(tiny_problem, [RunSpec("a", "tiny", config, 0, 1)], "cpu")
    stepper = Stepper(population)
    one_step(population, stepper)
    start = population.parameters.clone()
    shared, *heads = population.groups
    mixed = torch.zeros(shared.stop)
    for k, head in enumerate(heads):
        here = plain_gradient(population, k)
        for block in (shared, head):
            population.parameters[0, block] += 0.3 * here[block] / here[block].norm()
        there = plain_gradient(population, k)
        population.parameters.copy_(start)
        torch.testing.assert_close(
            stepper.gradient[0, head], there[head] * ([0.75, 0.25][k] if balancer == "fixed" else 0.5)
        )
        mixed += there[shared] * [0.75, 0.25][k]
    if balancer == "fixed":
        torch.testing.assert_close(stepper.gradient[0, shared], mixed)


def plain_gradient(population: Population, k: int) -> Tensor:
    """Gradient of a task's loss with respect to all parameters, by torch alone."""
    data, task = population.problem.train, population.problem.tasks[k]
    outputs = population.network(data.inputs.unsqueeze(0))
    loss = task.loss(outputs[k], data.targets[task.name].unsqueeze(0)).sum()
    parameters = [p for block in population.blocks() for p in block]
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    flat = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, gradients, strict=True)]
    return torch.cat([g.reshape(-1) for g in flat])


def test_the_parameters_are_put_back_exactly(tiny_problem: Problem) -> None:
    population = Population(tiny_problem, [RunSpec("a", "tiny", RunConfig(arch="mlp-8x2"), 0, 1)], "cpu")
    before = population.parameters.clone()
    gradients = Gradients(population)
    inputs = tiny_problem.train.inputs.unsqueeze(0)
    targets = [tiny_problem.train.targets[task.name].unsqueeze(0) for task in tiny_problem.tasks]
    here = gradients.of_losses(gradients.losses(inputs, targets))
    sam_gradients(gradients, here, inputs, targets, torch.tensor([[0.1]]))
    assert torch.equal(population.parameters, before)


def test_the_way_uphill() -> None:
    rows = torch.tensor([[3.0, 4.0], [0.0, 0.0], [torch.nan, 1.0], [torch.inf, 1.0], [3e-30, 4e-30], [3e30, 4e30]])
    moved = uphill(rows, torch.full((6, 1), 0.1))
    along, none = [0.06, 0.08], [0.0, 0.0]
    torch.testing.assert_close(moved, torch.tensor([along, none, none, none, along, along]))
