from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from mtl_runs.balancers import BALANCERS
from mtl_runs.problems import Problem, Split
from mtl_runs.training import RunConfig, RunSpec
from mtl_runs.training.population import Population
from mtl_runs.training.step import Stepper, StepRecord


def population_of(problem: Problem, *configs: RunConfig, seed: int = 0) -> Population:
    specs = [RunSpec(f"r{i}", problem.name, config, seed, horizon=1) for i, config in enumerate(configs)]
    return Population(problem, specs, "cpu")


@dataclass(frozen=True)
class Stepped:
    """A run after one step on all data; rows of its population."""

    before: Tensor
    after: Tensor
    gradient: Tensor
    groups: Sequence[slice]
    record: StepRecord


def one_step(problem: Problem, config: RunConfig, *, watch: bool = True) -> Stepped:
    population = population_of(problem, config)
    before = population.parameters.clone()
    stepper = Stepper(population)
    targets = [problem.train.targets[task.name].unsqueeze(0) for task in problem.tasks]
    record = stepper.step(problem.train.inputs.unsqueeze(0), targets, torch.tensor([[config.lr]]), watch=watch)
    return Stepped(before[0], population.parameters[0], stepper.gradient[0], population.groups, record)


def plain_gradients(problem: Problem, config: RunConfig) -> list[Tensor]:
    """Gradient of each task's loss with respect to all parameters, by torch alone."""
    population = population_of(problem, config)
    rows = []
    for k, task in enumerate(problem.tasks):
        outputs = population.network(problem.train.inputs.unsqueeze(0))
        loss = task.loss(outputs[k], problem.train.targets[task.name].unsqueeze(0)).sum()
        parameters = [p for group in population.blocks() for p in group]
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        flat = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, gradients, strict=True)]
        rows.append(torch.cat([g.reshape(-1) for g in flat]))
    return rows


@pytest.mark.parametrize(("reduction", "factor"), [("mean", 0.5), ("sum", 1.0)])
def test_equal_weighting_is_a_plain_backward(tiny_problem: Problem, reduction: str, factor: float) -> None:
    config = RunConfig(arch="mlp-8x2", momentum=0, lr=0.1, clip=0, reduction=reduction)  # type: ignore[arg-type]
    stepped = one_step(tiny_problem, config)
    expected = factor * sum(plain_gradients(tiny_problem, config))
    torch.testing.assert_close(stepped.gradient, expected)
    torch.testing.assert_close(stepped.after, stepped.before - 0.1 * expected)


def test_fixed_weights_scale_the_heads(tiny_problem: Problem) -> None:
    config = RunConfig(arch="mlp-8x2", balancer="fixed", balancer_settings={"weights": [3, 1]}, clip=0)
    stepped = one_step(tiny_problem, config)
    side, mass = plain_gradients(tiny_problem, config)
    torch.testing.assert_close(stepped.gradient, 0.75 * side + 0.25 * mass)


def test_loss_weights_multiply_the_losses(tiny_problem: Problem) -> None:
    config = RunConfig(arch="mlp-8x2", loss_weights=(2.0, 0.5), clip=0)
    stepped = one_step(tiny_problem, config)
    side, mass = plain_gradients(tiny_problem, config)
    torch.testing.assert_close(stepped.gradient, side + 0.25 * mass)
    shared = stepped.groups[0]
    norms = torch.stack([2 * side[shared].norm(), 0.5 * mass[shared].norm()])
    assert stepped.record.gramian is not None
    torch.testing.assert_close(stepped.record.gramian[0].diagonal().sqrt(), norms.double())


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_gradient_method_leaves_the_heads_alone(tiny_problem: Problem, reduction: str) -> None:
    config = RunConfig(arch="mlp-8x2", balancer="mgda", clip=0, reduction=reduction)  # type: ignore[arg-type]
    stepped = one_step(tiny_problem, config)
    rows = plain_gradients(tiny_problem, config)
    shared, *heads = stepped.groups
    factor = 2 if reduction == "sum" else 1
    expected = factor * stepped.record.weights[0].float() @ torch.stack(rows)[:, shared]
    torch.testing.assert_close(stepped.gradient[shared], expected)
    for row, head in zip(rows, heads, strict=True):
        torch.testing.assert_close(stepped.gradient[head], factor * row[head] / 2)


def test_the_clip_is_on_the_shared_gradient(tiny_problem: Problem) -> None:
    config = RunConfig(arch="mlp-8x2", clip=0.01)
    stepped = one_step(tiny_problem, config)
    free = one_step(tiny_problem, RunConfig(arch="mlp-8x2", clip=0))
    gradient, unclipped = stepped.gradient, free.gradient
    shared, *heads = stepped.groups
    assert float(gradient[shared].norm()) == pytest.approx(0.01, rel=1e-5)
    for head in heads:
        torch.testing.assert_close(gradient[head], unclipped[head])


def test_only_methods_whose_trainers_clip_do_so_by_default() -> None:
    clipping = {"nash_mtl", "pcgrad", "cagrad", "graddrop", "fairgrad", "sdmgrad", "sdmgrad_os"}
    for name in set(BALANCERS) - {"torchjd", "fixed", "pivrg", "log", "cr_mogm"}:
        config = RunConfig(balancer=name, reduction="sum")
        assert config.longest(3) == (1 if name in clipping else 0), name
    around = {"balancer_settings": {"of": "cagrad"}, "reduction": "sum"}
    assert RunConfig(balancer="log", **around).longest(3) == 1  # type: ignore[arg-type]
    # What is said goes for all; the log has the number that counts.
    assert RunConfig(balancer="mgda", clip=2.0).longest(3) == 2
    assert RunConfig(balancer="cagrad", clip=0.0).for_log(["a", "b"])["clip"] == 0
    assert RunConfig(balancer="cagrad").for_log(["a", "b"])["clip"] == 0.5


@pytest.mark.parametrize("balancer", ["cagrad", "mgda"])
def test_the_sum_is_the_mean_at_another_rate_clip_included(tiny_problem: Problem, balancer: str) -> None:
    # Long gradients, so that a clip matters.
    options = {"arch": "mlp-8x2", "balancer": balancer, "loss_weights": (1e3, 1e3), "momentum": 0.0}
    of_sum = one_step(tiny_problem, RunConfig(**options, reduction="sum"))  # type: ignore[arg-type]
    of_mean = one_step(tiny_problem, RunConfig(**options, reduction="mean"))  # type: ignore[arg-type]
    torch.testing.assert_close(of_sum.gradient, 2 * of_mean.gradient)
    length = float(of_sum.gradient[of_sum.groups[0]].norm())
    assert length == pytest.approx(1) if balancer == "cagrad" else length > 2


@pytest.mark.parametrize("watch", [True, False])
def test_a_losses_only_method_takes_one_pass_with_the_same_result(tiny_problem: Problem, watch: bool) -> None:
    config = RunConfig(arch="mlp-8x2", balancer="uw_o", clip=0)
    stepped = one_step(tiny_problem, config, watch=watch)
    weights = stepped.record.weights[0].float()
    torch.testing.assert_close(stepped.gradient, weights @ torch.stack(plain_gradients(tiny_problem, config)))
    assert (stepped.record.gramian is not None) == watch


@pytest.mark.parametrize("balancer", ["equal", "mgda"])
def test_a_task_without_a_finite_loss_does_not_spoil_the_others(tiny_problem: Problem, balancer: str) -> None:
    config = RunConfig(arch="mlp-8x2", balancer=balancer, clip=0)
    targets = {**tiny_problem.train.targets, "mass": torch.full((128, 1), torch.nan)}
    broken = replace(tiny_problem, train=Split(tiny_problem.train.inputs, targets))
    stepped = one_step(broken, config)
    side, _ = plain_gradients(tiny_problem, config)
    shared, head, other = stepped.groups
    weight = {"equal": 0.5, "mgda": 1.0}[balancer]
    assert stepped.record.weights.tolist() == [[weight, 0.0]]
    torch.testing.assert_close(stepped.gradient[shared], weight * side[shared])
    assert stepped.gradient.isfinite().all()
    assert stepped.gradient[head].any()
    assert not stepped.gradient[other].any()


def test_networks_of_one_seed_start_alike(tiny_problem: Problem) -> None:
    config = RunConfig(arch="cnn-4x2")
    one, other = (population_of(tiny_problem, config, seed=1).parameters for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one, population_of(tiny_problem, config, seed=2).parameters)
