from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from mtl_runs.networks import MultiTaskNetwork
from mtl_runs.networks.layers import Layer
from mtl_runs.problems import Problem, Regression, Split
from mtl_runs.training import RunConfig, RunSpec
from mtl_runs.training.population import Population
from mtl_runs.training.step import Stepper, StepRecord


@dataclass(frozen=True)
class Bowl(Regression):
    """A loss of the shared parameters themselves, whatever the data: `½ Σ a x² + Σ b x`."""

    bend: tuple[float, float] = (1.0, 4.0)
    slope: tuple[float, float] = (0.0, 0.0)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        x = outputs[:, 0]
        return (torch.tensor(self.bend) * x.square() / 2 + torch.tensor(self.slope) * x).sum(-1)


class Point(Layer):
    """θ = (3, 1), for every sample."""

    def __init__(self, members: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(members, 2))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.weight.unsqueeze(1).expand(-1, inputs.shape[1], -1)

    def initialise(self, generators: Sequence[torch.Generator]) -> None:
        self.weight.detach().copy_(torch.tensor([3.0, 1.0]))


class Nothing(Layer):
    """A head whose parameter has no influence."""

    def __init__(self, members: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(members, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + 0 * self.weight.unsqueeze(1)


@pytest.fixture
def bowls(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Population]:
    """Makes a population of one at θ = (3, 1), with a task for each bowl: its bend a, and its slope b."""

    def network(arch: str, shape: Sequence[int], tasks: Sequence[Regression], members: int) -> MultiTaskNetwork:
        return MultiTaskNetwork(Point(members), {task.name: Nothing(members) for task in tasks})

    monkeypatch.setattr("mtl_runs.training.population.make_network", network)

    def make(config: RunConfig, *bowls: tuple[tuple[float, float], tuple[float, float]]) -> Population:
        tasks = tuple(Bowl(f"bowl{k}", 2, *bowl) for k, bowl in enumerate(bowls))
        split = Split(torch.zeros(1, 1), {task.name: torch.zeros(1, 2) for task in tasks})
        problem = Problem("bowls", tasks, split, split, split)
        return Population(problem, [RunSpec("a", "bowls", config, 0, 1)], "cpu")

    return make


@pytest.fixture
def one_step() -> Callable[..., StepRecord]:
    """Moves a population by one step on all data; its planned rate is that of the first epoch unless given."""

    def step(population: Population, stepper: Stepper | None = None, lr: float | None = None) -> StepRecord:
        problem, n = population.problem, len(population)
        inputs = problem.train.inputs.expand(n, *problem.train.inputs.shape)
        targets = [problem.train.targets[task.name] for task in problem.tasks]
        rates = [[member.spec.config.lr if lr is None else lr] for member in population.members]
        return (stepper or Stepper(population)).step(
            inputs, [t.expand(n, *t.shape) for t in targets], torch.tensor(rates), watch=False
        )

    return step
