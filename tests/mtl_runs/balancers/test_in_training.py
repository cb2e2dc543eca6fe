"""Balancers that need more of the trainer than a Gramian."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from mtl_runs.balancers import BALANCERS
from mtl_runs.problems import Problem
from mtl_runs.training import RunConfig, RunSpec, train
from mtl_runs.training.population import Population
from mtl_runs.training.step import Stepper


class Interrupted(Exception):
    """Stands for a process that dies."""


def interrupt(epoch: int, values: Mapping[str, float], signals: Mapping[str, float]) -> None:
    if epoch == 3:
        raise Interrupted


def configuration(name: str) -> RunConfig:
    if name == "torchjd":
        pytest.importorskip("torchjd")
    needed: dict[str, dict[str, Any]] = {
        "fixed": {"weights": [1, 2]},
        "pivrg": {"reference": [0.3, 0.1]},
        "log": {"of": "cagrad"},
        "cr_mogm": {"of": "famo"},
        "torchjd": {"name": "PCGrad"},
    }
    settings = needed.get(name, {})
    # Without the clip MoCo, which lengthens its gradients, leaves the numbers before the end.
    return RunConfig(arch="mlp-4x1", batch_size=64, balancer=name, balancer_settings=settings, lr=0.01, clip=1.0)


def logged(folder: Path) -> list[str]:
    return [line.split('"seconds"')[0] for line in (folder / "a.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", BALANCERS)
def test_a_resumed_training_equals_an_unbroken_one(tiny_problem: Problem, tmp_path: Path, name: str) -> None:
    for folder in ("whole", "broken"):
        arguments = {"run": "a", "seed": 0, "folder": tmp_path / folder, "horizon": 5, "checkpoint_every": 2}
        if folder == "broken":
            with pytest.raises(Interrupted):
                train(tiny_problem, configuration(name), on_epoch=interrupt, **arguments)  # type: ignore[arg-type]
        result = train(tiny_problem, configuration(name), **arguments)  # type: ignore[arg-type]
        assert (result.status, result.epoch) == ("finished", 5)
    assert logged(tmp_path / "whole") == logged(tmp_path / "broken")


def one_step(problem: Problem, config: RunConfig) -> tuple[Population, Stepper]:
    population = start(problem, config)
    stepper = Stepper(population)
    targets = [problem.train.targets[task.name].unsqueeze(0) for task in problem.tasks]
    stepper.step(problem.train.inputs.unsqueeze(0), targets, torch.tensor([[config.lr]]), watch=False)
    return population, stepper


def start(problem: Problem, config: RunConfig) -> Population:
    return Population(problem, [RunSpec("a", problem.name, config, 0, 1)], "cpu")


def test_famo_learns_from_the_losses_after_the_step(tiny_problem: Problem) -> None:
    config = configuration("famo")
    after, _ = one_step(tiny_problem, config)
    before = start(tiny_problem, config)
    targets = [tiny_problem.train.targets[task.name].unsqueeze(0) for task in tiny_problem.tasks]

    def losses(of: Population) -> torch.Tensor:
        return torch.stack(Stepper(of).losses(tiny_problem.train.inputs.unsqueeze(0), targets), -1).detach()

    (part,) = before.balancers
    expected = part.rule.after_step(part.state, losses(before), losses(after))
    torch.testing.assert_close(after.balancers[0].state["logit"], expected["logit"])


def test_rows_of_a_jacobian_method_take_the_place_of_the_gradients(tiny_problem: Problem) -> None:
    population, stepper = one_step(tiny_problem, RunConfig(arch="mlp-4x1", balancer="db_mtl", clip=0, lr=0.01))
    tracked = population.balancers[0].state["tracked"][0]
    norms = tracked.norm(dim=1, keepdim=True)
    torch.testing.assert_close(stepper.gradient[0, population.groups[0]], (tracked / norms * norms.max()).mean(0))


def test_dwa_sees_the_end_of_every_epoch(tiny_problem: Problem, tmp_path: Path) -> None:
    train(tiny_problem, configuration("dwa"), run="a", seed=0, folder=tmp_path, horizon=4)
    lines = logged(tmp_path)[1:-1]
    weights = [float(line.split('"side/weight": ')[-1].split('"side/weight":')[-1].split(",")[0]) for line in lines]
    assert weights[:2] == [0.5, 0.5]
    assert weights[2] != 0.5
