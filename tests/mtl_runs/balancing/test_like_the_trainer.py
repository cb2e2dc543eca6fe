"""In the user's own loop every balancer gives what it gives in the trainer."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from mtl_runs import Balance
from mtl_runs.balancers import BALANCERS, Needs
from mtl_runs.problems import Problem
from mtl_runs.training import RunConfig, RunSpec
from mtl_runs.training.measure import summarise
from mtl_runs.training.population import Population
from mtl_runs.training.step import Stepper

NEEDED: Mapping[str, Mapping[str, Any]] = {
    "fixed": {"weights": [1, 2]},
    "pivrg": {"reference": [1.0, 1.0]},
    "log": {"of": "mgda"},
    "cr_mogm": {"of": "cagrad"},
    "torchjd": {"name": "MGDA"},
}
"""Settings without which there is no such balancer."""

CASES = {**{name: (name, NEEDED.get(name, {})) for name in BALANCERS}, "paper": ("sdmgrad", {"solver": "paper_sgd"})}


@pytest.mark.parametrize(("balancer", "settings"), CASES.values(), ids=CASES)
def test_a_balancer_moves_a_network_as_in_the_trainer(
    tiny_problem: Problem, balancer: str, settings: Mapping[str, Any]
) -> None:
    config = RunConfig("mlp-8x2", balancer, settings, lr=1e-3, momentum=0, clip=0, batch_size=30, reduction="sum")
    population = Population(tiny_problem, [RunSpec("a", "tiny", config, 0, 1)], "cpu")
    network, tasks = copy.deepcopy(population.network), tiny_problem.tasks
    stepper = Stepper(population)
    balance = Balance(balancer, shared=network.shared, tasks=[task.name for task in tasks], watch_every=1, **settings)
    balance.generator.manual_seed(2)  # as the trainer's generator of draws with seed 0
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)

    def losses(inputs: Tensor, *targets: Tensor) -> dict[str, Tensor]:
        return {task.name: task.loss(o, t) for task, o, t in zip(tasks, network(inputs), targets, strict=True)}

    records = []
    for step in range(4):
        rows = torch.arange(30 * step, 30 * step + 30)
        batch = [tiny_problem.train.inputs[rows], *(tiny_problem.train.targets[task.name][rows] for task in tasks)]
        batch = [part.unsqueeze(0) for part in batch]
        records.append(stepper.step(batch[0], batch[1:], torch.tensor([[1e-3]]), watch=True))
        if Needs.SEVERAL_BATCHES in balance.balancer.needs:
            thirds = zip(*(part.tensor_split(3, dim=1) for part in batch), strict=True)
            weights = balance.step(optimizer, *(lambda third=third: losses(*third) for third in thirds))
        elif Needs.AFTER_STEP_LOSSES in balance.balancer.needs:
            weights = balance.step(optimizer, lambda batch=batch: losses(*batch))  # type: ignore[misc]
        else:
            optimizer.zero_grad()
            weights = balance.backward(losses(*batch))
            optimizer.step()
        assert list(weights.values()) == pytest.approx(records[-1].weights[0].tolist(), rel=1e-4)
        if step == 1:
            seen, logged = balance.signals(), summarise(records, tasks)[0]
            assert seen == pytest.approx(logged, rel=1e-4, abs=1e-6) and seen.keys() == logged.keys()
            for part in population.balancers:
                part.state = part.rule.end_epoch(part.state)
    moved = torch.cat([p.detach().flatten() for group in network.groups() for p in group.parameters()])
    torch.testing.assert_close(moved, population.parameters[0], rtol=1e-5, atol=1e-6)
