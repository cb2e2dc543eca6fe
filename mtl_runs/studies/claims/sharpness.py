"""How flat the minima are that trainings ended in: what a step uphill costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from mtl_runs.problems import Problem
from mtl_runs.training import RunSpec
from mtl_runs.training.flat import uphill
from mtl_runs.training.gradients import Gradients
from mtl_runs.training.held_out import finished_populations

RADIUS = 0.1
"""Length of the step."""


def sharpness(problem: Problem, specs: Sequence[RunSpec], folder: Path) -> dict[str, float]:
    """By how much the tasks' losses rise on the training data along their own gradients, mean over tasks, by run.

    Args:
        problem: of all runs.
        specs: finished runs.
        folder: of their logs and checkpoints.
    """
    found: dict[str, float] = {}
    for population in finished_populations(problem, specs, folder):
        data, members = population.problem.train, len(population)
        inputs = data.inputs.expand(members, *data.inputs.shape)
        targets = [t.expand(members, *t.shape) for t in (data.targets[task.name] for task in population.problem.tasks)]
        gradients, radius = Gradients(population), torch.full((members, 1), RADIUS)
        losses = gradients.losses(inputs, targets)
        here = gradients.of_losses(losses)
        kept, rises = population.parameters.clone(), []
        for k, own in enumerate(population.groups[1:]):
            population.parameters[:, population.groups[0]] += uphill(here.rows[:, k], radius)
            population.parameters[:, own] += uphill(here.heads[k], radius)
            with torch.no_grad():
                rises.append(gradients.losses(inputs, targets)[k] - losses[k].detach())
            population.parameters.copy_(kept)
        rise = torch.stack(rises).mean(0).tolist()
        found |= {member.spec.run: value for member, value in zip(population.members, rise, strict=True)}
    return found
