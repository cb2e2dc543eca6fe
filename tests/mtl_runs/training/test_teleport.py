from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from mtl_runs.networks.layers import Conv, Linear
from mtl_runs.problems import Problem
from mtl_runs.training import RunConfig, RunSpec
from mtl_runs.training.gradients import Gradients
from mtl_runs.training.population import Population
from mtl_runs.training.step import Stepper, StepRecord
from mtl_runs.training.teleport import RANK, LowRankChange, in_conflict, move

OneStep = Callable[..., StepRecord]

MODULE = "mtl_runs.training.teleport"


def population_of(problem: Problem, **options: Any) -> Population:
    config = RunConfig(**{"arch": "mlp-8x2", "batch_size": 32, "lr": 1e-3, "teleport_from": 1, **options})
    population = Population(problem, [RunSpec("a", "tiny", config, 0, 5)], "cpu")
    population.members[0].epoch = 1
    return population


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{MODULE}.in_conflict", lambda gramian: torch.ones(len(gramian), dtype=torch.bool))


def losses(population: Population) -> Tensor:
    data = population.problem.train
    targets = [data.targets[task.name].unsqueeze(0) for task in population.problem.tasks]
    return torch.stack(Gradients(population).losses(data.inputs.unsqueeze(0), targets), -1)[0].detach()


def state_of(population: Population) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in population.state_of(0).items()}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[10.0, 0.0], [-0.5, 1.0]], True),
        ([[1.0, 0.0], [0.0, 1.0]], False),
        ([[1.0, 2.0], [-1.0, -2.0]], True),  # nothing left of the mean
        ([[1.0, 2.0], [0.0, 0.0]], False),  # one task has no gradient
        ([[1.0, 2.0], [torch.nan, 0.0]], False),
        ([[1.0, 2.0]], False),
    ],
)
def test_what_a_conflict_is(rows: list[list[float]], expected: bool) -> None:
    jacobian = torch.tensor([rows])
    assert in_conflict(jacobian @ jacobian.mT).tolist() == [expected]


@pytest.mark.parametrize("arch", ["mlp-8x2", "cnn-8x2", "stitch-8x2"])
def test_the_change_is_of_low_rank_and_starts_at_zero(tiny_problem: Problem, arch: str) -> None:
    population = population_of(tiny_problem, arch=arch)
    change = LowRankChange(population)
    n = population.parameters.shape[1]
    factors = change.first(torch.Generator().manual_seed(0))
    assert not change.of(factors, n).any()
    changed = change.of(torch.randn_like(factors), n)
    at = 0
    for module in population.network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            size = parameter[0].numel()
            part = changed[at : at + size].view(parameter.shape[1:])
            at += size
            if name == "weight" and isinstance(module, Linear | Conv) and at <= population.groups[0].stop:
                matrices = part.flatten(-3) if isinstance(module, Conv) else part
                assert int(torch.linalg.matrix_rank(matrices).max()) == min(RANK, *matrices.shape[-2:])
            else:
                assert not part.any()


@pytest.mark.usefixtures("always")
def test_it_takes_the_place_of_the_step(tiny_problem: Problem, one_step: OneStep) -> None:
    population = population_of(tiny_problem, balancer="gradvac", optimizer="adam")
    stepper = Stepper(population)
    # The first teleport is over; one that is far from trained steps as usual for the rest of the epoch.
    one_step(population, stepper)
    one_step(population, stepper)
    population.members[0].epoch = 2
    before, start = state_of(population), losses(population)
    one_step(population, stepper)
    after = state_of(population)
    shared, *heads = population.groups
    assert not torch.equal(before["parameters"][shared], after["parameters"][shared])
    for head in heads:
        assert torch.equal(before["parameters"][head], after["parameters"][head])
    untouched = [name for name in before if name.startswith(("balancer.", "optimizer.")) and before[name].any()]
    assert len(untouched) >= 3
    started_anew = not after["optimizer.steps"].any()
    for name in untouched:
        assert torch.equal(before[name], after[name]) or (started_anew and name.startswith("optimizer."))
    torch.testing.assert_close(losses(population), start, rtol=0.1, atol=0.1)


@pytest.mark.usefixtures("always")
def test_there_is_one_per_epoch_from_the_first_one_on(tiny_problem: Problem, one_step: OneStep) -> None:
    population = population_of(tiny_problem, teleport_from=2)
    stepper = Stepper(population)
    heads = slice(population.groups[0].stop, None)
    left = []
    for epoch in (1, 1, 2, 2, 3, 3):
        population.members[0].epoch = epoch
        before = population.parameters[0, heads].clone()
        one_step(population, stepper)
        left.append(torch.equal(before, population.parameters[0, heads]))
    assert left == [False, False, True, False, True, False]


def test_without_a_conflict_nothing_changes(
    tiny_problem: Problem, one_step: OneStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{MODULE}.in_conflict", lambda gramian: torch.zeros(len(gramian), dtype=torch.bool))
    on, off = (population_of(tiny_problem, teleport_from=first) for first in (1, 0))
    for population in (on, off):
        one_step(population)
    assert torch.equal(on.parameters, off.parameters)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(("batch_size", "tolerance"), [(128, 1e-4), (16, 0.02)])
def test_without_the_sensitivity_the_losses_stay(
    tiny_problem: Problem, one_step: OneStep, monkeypatch: pytest.MonkeyPatch, batch_size: int, tolerance: float
) -> None:
    monkeypatch.setattr(f"{MODULE}.GAMMA", 0.0)
    population = population_of(tiny_problem, batch_size=batch_size)
    before = losses(population)
    one_step(population)
    assert float(((losses(population) - before) / before).abs().mean()) < tolerance


@pytest.mark.usefixtures("always")
def test_the_sensitivity_makes_gradients_longer(
    tiny_problem: Problem, one_step: OneStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{MODULE}.GAMMA", 100.0)
    population = population_of(tiny_problem, loss_weights=(1.0, 0.002), lr=1e-2)
    lengths = []
    for _ in range(2):
        gradients = Gradients(population)
        data = tiny_problem.train
        targets = [data.targets[task.name].unsqueeze(0) for task in tiny_problem.tasks]
        lengths.append(gradients.of_losses(gradients.losses(data.inputs.unsqueeze(0), targets)).rows[0].norm(dim=1))
        one_step(population)
    assert bool((lengths[1] > lengths[0]).all())


@pytest.mark.usefixtures("always")
def test_a_teleport_to_nowhere_is_not_made(
    tiny_problem: Problem, one_step: OneStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{MODULE}.GAMMA", torch.nan)
    population = population_of(tiny_problem)
    before = state_of(population)
    one_step(population)
    assert torch.equal(population.parameters[0], before["parameters"])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_past_counts_less_in_exactly_one_step(tiny_problem: Problem, optimizer: str) -> None:
    population = population_of(tiny_problem, optimizer=optimizer, momentum=0.5, lr=0.1)
    first, second, third = torch.randn(3, *population.parameters.shape, generator=torch.Generator().manual_seed(1))
    lr = torch.tensor([[0.1]])
    move(population, first, lr)
    population.memory["teleport.kept"][0] = 0.5
    start = population.parameters.clone()
    move(population, second, lr)
    if optimizer == "sgd":
        torch.testing.assert_close(population.parameters, start - 0.1 * (0.5 * 0.5 * first + second))
    else:
        # Decays of 0.45 and 0.4995; what they take from the past, the new gradient has, corrected for the zero start.
        mean = 0.45 * 0.1 * first + (1 - 0.9**2 - 0.45 * 0.1) * second
        square = 0.4995 * 0.001 * first**2 + (1 - 0.999**2 - 0.4995 * 0.001) * second**2
        step = mean / (1 - 0.9**2) / ((square / (1 - 0.999**2)).sqrt() + 1e-8)
        torch.testing.assert_close(population.parameters, start - 0.1 * step, rtol=1e-4, atol=1e-5)
    assert population.memory["teleport.kept"].item() == 1
    if optimizer == "sgd":
        start = population.parameters.clone()
        move(population, third, lr)
        velocity = 0.5 * (0.25 * first + second) + third
        torch.testing.assert_close(population.parameters, start - 0.1 * velocity, rtol=1e-4, atol=1e-6)
