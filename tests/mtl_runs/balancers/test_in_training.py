"""Balancers that need more of the trainer than a Gramian."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from mtl_runs.balancers import BALANCERS
from mtl_runs.problems import Problem
from mtl_runs.training import RunConfig, train
from mtl_runs.training.learner import Learner, make_learner
from mtl_runs.training.step import train_step


class Interrupted(Exception):
    """Stands for a process that dies."""


def interrupt(epoch: int, values: Mapping[str, float], signals: Mapping[str, float]) -> None:
    if epoch == 3:
        raise Interrupted


def configuration(name: str) -> RunConfig:
    settings = {"weights": [1, 2]} if name == "fixed" else {}
    return RunConfig(arch="mlp-4x1", batch_size=64, balancer=name, balancer_settings=settings, lr=0.01)


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


def one_step(problem: Problem, config: RunConfig) -> Learner:
    learner = make_learner(problem, config, seed=0, device="cpu")
    targets = [problem.train.targets[task.name] for task in problem.tasks]
    train_step(learner, learner.group_parameters(), problem.tasks, config, problem.train.inputs, targets, config.lr)
    return learner


def test_famo_learns_from_the_losses_after_the_step(tiny_problem: Problem) -> None:
    config = configuration("famo")
    learner = one_step(tiny_problem, config)
    start = make_learner(tiny_problem, config, seed=0, device="cpu")
    targets = [tiny_problem.train.targets[task.name] for task in tiny_problem.tasks]

    def losses(of: Learner) -> torch.Tensor:
        outputs = of.network(tiny_problem.train.inputs)
        return torch.stack([t.loss(o, y) for t, o, y in zip(tiny_problem.tasks, outputs, targets, strict=True)])

    expected = start.balancer.after_step(start.balancer_state, losses(start), losses(learner))
    torch.testing.assert_close(learner.balancer_state["logit"], expected["logit"])


def test_rows_of_a_jacobian_method_take_the_place_of_the_gradients(tiny_problem: Problem) -> None:
    config = RunConfig(arch="mlp-4x1", balancer="db_mtl", clip=0, lr=0.01)
    learner = one_step(tiny_problem, config)
    tracked = learner.balancer_state["tracked"]
    norms = tracked.norm(dim=1, keepdim=True)
    torch.testing.assert_close(learner.gradient[learner.groups[0]], (tracked / norms * norms.max()).mean(0))


def test_dwa_sees_the_end_of_every_epoch(tiny_problem: Problem, tmp_path: Path) -> None:
    train(tiny_problem, configuration("dwa"), run="a", seed=0, folder=tmp_path, horizon=4)
    lines = logged(tmp_path)[1:-1]
    weights = [float(line.split('"side/weight": ')[-1].split('"side/weight":')[-1].split(",")[0]) for line in lines]
    assert weights[:2] == [0.5, 0.5]
    assert weights[2] != 0.5
