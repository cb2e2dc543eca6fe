"""A network that a problem brings is trained alone, by everything that the trainer has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from lcode.errors import UsageError
from mtl_runs.networks import own_network
from mtl_runs.problems import Problem
from mtl_runs.sweeps.packs import make_packs
from mtl_runs.training import RunConfig, RunSpec, train, train_population
from mtl_runs.training.held_out import held_out_metrics
from mtl_runs.training.population import Population
from mtl_runs.training.step import Stepper


def network() -> tuple[nn.Module, Mapping[str, nn.Module]]:
    shared = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2))
    return shared, {"side": nn.Linear(8, 2), "mass": nn.Linear(8, 1)}


def plain() -> tuple[nn.Module, Mapping[str, nn.Module]]:
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh()), {"side": nn.Linear(8, 2), "mass": nn.Linear(8, 1)}


class Scaled(nn.Module):
    """Its only parameter is a number, as temperatures are."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values[:, :1] * self.scale


def lines(path: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in path.read_text().splitlines()]


@pytest.mark.parametrize("balancer", ["equal", "fairgrad"])
def test_a_step_is_that_of_plain_torch(tiny_problem: Problem, balancer: str) -> None:
    problem = replace(tiny_problem, network=plain)
    config = RunConfig("own", balancer, lr=0.01, momentum=0, clip=0)
    population = Population(problem, [RunSpec("a", "tiny", config, 5, 1)], "cpu")
    with torch.random.fork_rng():
        torch.manual_seed(15)  # three times the seed, as for the trainer's own networks
        shared, heads = plain()
    data = problem.train
    record = Stepper(population).step(
        data.inputs.unsqueeze(0),
        [data.targets[task.name].unsqueeze(0) for task in problem.tasks],
        torch.tensor([[0.01]]),
        watch=False,
    )
    features = shared(data.inputs)
    losses = [
        task.loss(heads[task.name](features).unsqueeze(0), data.targets[task.name].unsqueeze(0)).sum()
        for task in problem.tasks
    ]
    weights = record.weights[0].float()
    rows = [torch.autograd.grad(loss, list(shared.parameters()), retain_graph=True) for loss in losses]
    moved = [
        p - 0.01 * (weights[0] * one + weights[1] * two) for p, one, two in zip(shared.parameters(), *rows, strict=True)
    ]
    torch.testing.assert_close(
        population.parameters[0, population.groups[0]], torch.cat([p.detach().flatten() for p in moved])
    )
    first = heads["side"].get_parameter("weight")
    head = torch.autograd.grad(losses[0], first)[0]
    factor = float(weights[0]) if balancer == "equal" else 0.5
    expected = first - 0.01 * factor * head
    torch.testing.assert_close(population.parameters[0, population.groups[1]][:16], expected.detach().flatten())


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(tiny_problem: Problem, tmp_path: Path) -> None:
    """Running means are in the checkpoint, and dropout draws the same."""
    problem = replace(tiny_problem, network=network)
    config = RunConfig("own", "famo", lr=0.01, batch_size=32)
    train(problem, config, run="a", seed=1, folder=tmp_path / "through", horizon=4)
    spec = RunSpec("a", "tiny", config, 1, 4)
    train_population(problem, [spec], folder=tmp_path / "paused", until=2)
    train_population(problem, [spec], folder=tmp_path / "paused")
    through, paused = (lines(tmp_path / name / "a.jsonl") for name in ("through", "paused"))
    assert through == paused and len(through) == 6
    assert through[0]["arch"] == "own"
    assert {node.get("role") for node in through[0]["graph"]["nodes"]} >= {"head:side", "head:mass"}
    on_validation = through[-2]["values"]["mass/rmse"]
    on_test = held_out_metrics(replace(problem, test=problem.validation), [spec], tmp_path / "paused")["a"]["mass/rmse"]
    assert on_test == pytest.approx(on_validation, rel=1e-6)  # running means, no dropout


def test_training_draws_from_no_global_generator(tiny_problem: Problem, tmp_path: Path) -> None:
    state = torch.get_rng_state()
    problem = replace(tiny_problem, network=network)
    train(problem, RunConfig("own", batch_size=64), run="a", seed=1, folder=tmp_path, horizon=1)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_losses_after_a_step_count_in_no_running_mean(tiny_problem: Problem) -> None:
    problem = replace(tiny_problem, network=network)
    population = Population(problem, [RunSpec("a", "tiny", RunConfig("own", "famo"), 1, 1)], "cpu")
    targets = [problem.train.targets[task.name].unsqueeze(0) for task in problem.tasks]
    Stepper(population).step(problem.train.inputs.unsqueeze(0), targets, torch.tensor([[0.1]]), watch=False)
    assert int(population.state_of(0)["buffer.shared.2.num_batches_tracked"]) == 1


def test_such_runs_are_trained_one_by_one(tiny_problem: Problem, tmp_path: Path) -> None:
    problem = replace(tiny_problem, network=network)
    specs = [RunSpec(f"r{i}", "tiny", RunConfig("own", batch_size=64), i, 1) for i in range(3)]
    ours = [RunSpec(f"s{i}", "tiny", RunConfig("mlp-8x1", batch_size=64), i, 1) for i in range(3)]
    packs, _ = make_packs([*specs, *ours], largest=8, bytes_of=lambda spec: 1, memory=100)
    assert [len(pack) for pack in packs] == [1, 1, 1, 3]
    with pytest.raises(UsageError, match="trained one by one; 3 were given"):
        train_population(problem, specs, folder=tmp_path)


def test_frozen_layers_stay_and_unused_ones_do_no_harm(tiny_problem: Problem) -> None:
    def made() -> tuple[nn.Module, Mapping[str, nn.Module]]:
        shared, heads = plain()
        frozen = nn.Linear(16, 16).requires_grad_(False)
        shared = nn.Sequential(nn.Flatten(), frozen, *list(shared.children())[1:])
        shared.register_parameter("unused", nn.Parameter(torch.ones(2)))
        return shared, heads

    problem = replace(tiny_problem, network=made)
    population = Population(problem, [RunSpec("a", "tiny", RunConfig("own", "mgda"), 1, 1)], "cpu")
    assert population.groups[0].stop == 2 + 16 * 8 + 8
    targets = [problem.train.targets[task.name].unsqueeze(0) for task in problem.tasks]
    Stepper(population).step(problem.train.inputs.unsqueeze(0), targets, torch.tensor([[0.1]]), watch=False)
    assert torch.equal(population.parameters[0, :2], torch.ones(2))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (None, "brings no network of its own"),
        (lambda: plain()[0], "must be a pair, .* found a Sequential"),
        (lambda: (plain()[0], {"side": nn.Linear(8, 2)}), "no head for the task 'mass'"),
        (lambda: (nn.Flatten(), plain()[1]), "the shared part of its network must have parameters .*; found none"),
        (lambda: (plain()[0].double(), plain()[1]), "the shared part .* of float32; found torch.float64"),
    ],
)
def test_what_is_no_network_is_refused(tiny_problem: Problem, made: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        own_network(replace(tiny_problem, network=made), 0)


def test_a_network_that_does_not_run_is_refused_before_a_file_is_made(tiny_problem: Problem, tmp_path: Path) -> None:
    problem = replace(tiny_problem, network=lambda: (nn.Linear(3, 8), plain()[1]))
    with pytest.raises(UsageError, match="problem 'tiny': its network does not run on its inputs"):
        train(problem, RunConfig("own"), run="a", seed=1, folder=tmp_path / "out", horizon=1)
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match="teleport_from"):
        train(
            replace(tiny_problem, network=plain),
            RunConfig("own", teleport_from=1),
            run="a",
            seed=1,
            folder=tmp_path / "out",
            horizon=1,
        )


@pytest.mark.parametrize("task", ["side", "mass"])
def test_a_head_of_another_width_than_its_task_is_refused(tiny_problem: Problem, tmp_path: Path, task: str) -> None:
    problem = replace(tiny_problem, network=lambda: (plain()[0], {**plain()[1], task: nn.Linear(8, 5)}))
    width = next(one.n_outputs for one in problem.tasks if one.name == task)
    message = rf"the head of task '{task}' puts out \[2, 5\] for 2 inputs; expected \[2, {width}\]"
    with pytest.raises(UsageError, match=message):
        train(problem, RunConfig("own"), run="a", seed=1, folder=tmp_path / "out", horizon=1)
    assert not (tmp_path / "out").exists()


def test_a_parameter_may_be_a_number(tiny_problem: Problem, tmp_path: Path) -> None:
    def made() -> tuple[nn.Module, Mapping[str, nn.Module]]:
        shared, heads = plain()
        return shared, {**heads, "mass": Scaled()}

    problem = replace(tiny_problem, network=made)
    spec = RunSpec("a", "tiny", RunConfig("own", lr=0.001), 5, 1)
    (result,) = train_population(problem, [spec], folder=tmp_path)
    assert result.status == "finished"
    population = Population(problem, [spec], "cpu")
    assert population.parameters.shape[1] == 16 * 8 + 8 + 8 * 2 + 2 + 1
