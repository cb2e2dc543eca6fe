from __future__ import annotations

import torch
from torch import Tensor, nn

from lcode.network.dynamics import Course
from lcode.network.mlp_dynamics import MLPDynamics
from lcode.network.vector_field import VectorField

SIZES = 3, 4, 8, 2


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def course(runs: int, tasks: int) -> Course:
    return Course(
        at=torch.linspace(0, 1, 5).expand(runs, -1),
        controls=lambda clock: torch.stack([clock, clock**2], -1).expand(runs, -1, -1),
        cosines=torch.zeros(runs, tasks, tasks),
        steps=4,
    )


def carried(dynamics: MLPDynamics, z0: Tensor) -> Tensor:
    context = torch.zeros(*z0.shape[:3], 8)
    result: Tensor = dynamics(z0, context, course(*z0.shape[1:3]))
    return result


def test_it_has_about_as_many_parameters_as_the_vector_field() -> None:
    for coupled in (True, False):
        generator = torch.Generator()
        ratio = count(MLPDynamics(*SIZES, coupled, generator)) / count(VectorField(*SIZES, coupled, generator))
        assert 0.95 < ratio < 1.05


def test_states_change_with_time_and_tasks_hear_each_other_when_coupled_and_only_then() -> None:
    for coupled in (True, False):
        generator = torch.Generator().manual_seed(0)
        dynamics = MLPDynamics(*SIZES, coupled, generator)
        z0 = torch.randn(3, 6, 2, 4, generator=generator)
        states = carried(dynamics, z0)
        assert states.shape == (3, 6, 2, 5, 4)
        assert (states.diff(dim=3).abs().amax((1, 2, 3, 4)) > 1e-3).all()
        other = z0.clone()
        other[:, :, 1] += 1
        moved = (carried(dynamics, other) - states).abs()
        assert moved[:, :, 1].max() > 0.1
        assert (moved[:, :, 0].max() > 1e-4) == coupled
