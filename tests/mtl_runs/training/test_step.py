from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mtl_runs.problems import Problem
from mtl_runs.training.config import RunConfig
from mtl_runs.training.learner import Learner, make_learner
from mtl_runs.training.step import StepRecord, train_step


def one_step(problem: Problem, config: RunConfig) -> tuple[Learner, Tensor, StepRecord]:
    """A learner after one step on all data, its parameters before, and the record."""
    learner = make_learner(problem, config, seed=0, device="cpu")
    before = learner.parameters.clone()
    targets = [problem.train.targets[task.name] for task in problem.tasks]
    record = train_step(
        learner, learner.group_parameters(), problem.tasks, config, problem.train.inputs, targets, config.lr
    )
    return learner, before, record


def plain_gradients(problem: Problem, config: RunConfig) -> list[Tensor]:
    """Gradient of each task's loss with respect to all parameters, by torch alone."""
    learner = make_learner(problem, config, seed=0, device="cpu")
    rows = []
    for k, task in enumerate(problem.tasks):
        loss = task.loss(learner.network(problem.train.inputs)[k], problem.train.targets[task.name])
        parameters = [p for group in learner.group_parameters() for p in group]
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        flat = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, gradients, strict=True)]
        rows.append(torch.cat([g.reshape(-1) for g in flat]))
    return rows


@pytest.mark.parametrize(("reduction", "factor"), [("mean", 0.5), ("sum", 1.0)])
def test_equal_weighting_is_a_plain_backward(tiny_problem: Problem, reduction: str, factor: float) -> None:
    config = RunConfig(arch="mlp-8x2", momentum=0, lr=0.1, clip=0, reduction=reduction)  # type: ignore[arg-type]
    learner, before, _ = one_step(tiny_problem, config)
    expected = factor * sum(plain_gradients(tiny_problem, config))
    torch.testing.assert_close(learner.gradient, expected)
    torch.testing.assert_close(learner.parameters, before - 0.1 * expected)


def test_fixed_weights_scale_the_heads(tiny_problem: Problem) -> None:
    config = RunConfig(arch="mlp-8x2", balancer="fixed", balancer_settings={"weights": [3, 1]}, clip=0)
    learner, _, _ = one_step(tiny_problem, config)
    side, mass = plain_gradients(tiny_problem, config)
    torch.testing.assert_close(learner.gradient, 0.75 * side + 0.25 * mass)


def test_loss_weights_multiply_the_losses(tiny_problem: Problem) -> None:
    config = RunConfig(arch="mlp-8x2", loss_weights=(2.0, 0.5), clip=0)
    learner, _, record = one_step(tiny_problem, config)
    side, mass = plain_gradients(tiny_problem, config)
    torch.testing.assert_close(learner.gradient, side + 0.25 * mass)
    shared = learner.groups[0]
    norms = torch.stack([2 * side[shared].norm(), 0.5 * mass[shared].norm()])
    torch.testing.assert_close(record.gramian.diagonal().sqrt(), norms)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_gradient_method_leaves_the_heads_alone(tiny_problem: Problem, reduction: str) -> None:
    config = RunConfig(arch="mlp-8x2", balancer="mgda", clip=0, reduction=reduction)  # type: ignore[arg-type]
    learner, _, record = one_step(tiny_problem, config)
    rows = plain_gradients(tiny_problem, config)
    shared, *heads = learner.groups
    factor = 2 if reduction == "sum" else 1
    expected = factor * record.weights.float() @ torch.stack(rows)[:, shared]
    torch.testing.assert_close(learner.gradient[shared], expected)
    for row, head in zip(rows, heads, strict=True):
        torch.testing.assert_close(learner.gradient[head], factor * row[head] / 2)


def test_the_clip_is_on_the_shared_gradient(tiny_problem: Problem) -> None:
    config = RunConfig(arch="mlp-8x2", clip=0.01)
    learner, _, _ = one_step(tiny_problem, config)
    free, _, _ = one_step(tiny_problem, RunConfig(arch="mlp-8x2", clip=0))
    gradient, unclipped = learner.gradient, free.gradient
    shared, *heads = learner.groups
    assert float(gradient[shared].norm()) == pytest.approx(0.01, rel=1e-5)
    for head in heads:
        torch.testing.assert_close(gradient[head], unclipped[head])


def test_networks_of_one_seed_start_alike(tiny_problem: Problem) -> None:
    one, other = (make_learner(tiny_problem, RunConfig(arch="cnn-4x2"), seed=s, device="cpu") for s in (1, 1))
    assert torch.equal(one.parameters, other.parameters)
    another = make_learner(tiny_problem, RunConfig(arch="cnn-4x2"), seed=2, device="cpu")
    assert not torch.equal(one.parameters, another.parameters)
