"""Multi-layer perceptron trunks."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from torch import nn

from mtl_runs.networks.base import HardSharing
from mtl_runs.problems.base import Task


def mlp(width: int, depth: int, input_shape: Sequence[int], tasks: Sequence[Task]) -> HardSharing:
    """`depth` linear layers of `width` units, each followed by ReLU, and a linear head per task."""
    layers: list[nn.Module] = [nn.Flatten()]
    size = prod(input_shape)
    for _ in range(depth):
        layers += [nn.Linear(size, width), nn.ReLU()]
        size = width
    return HardSharing(nn.Sequential(*layers), size, tasks)
