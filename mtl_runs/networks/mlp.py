"""Multi-layer perceptrons."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from torch import nn

from mtl_runs.networks.base import MultiTaskNetwork
from mtl_runs.networks.layers import Layer, Linear
from mtl_runs.networks.operations import Flatten, Relu
from mtl_runs.networks.pictures import check_vectors
from mtl_runs.problems.base import Task


def mlp(input_shape: Sequence[int], tasks: Sequence[Task], members: int, *, width: int, depth: int) -> MultiTaskNetwork:
    """Hard sharing (Caruana 1997): `depth` linear layers of `width` units with ReLU, and a linear head per task.

    Raises:
        UsageError: a task wants a value per pixel.
    """
    check_vectors("mlp", tasks)
    layers: list[Layer] = [Flatten(len(input_shape))]
    size = prod(input_shape)
    for _ in range(depth):
        layers += [Linear(members, size, width, gain="relu"), Relu()]
        size = width
    heads = {task.name: Linear(members, size, task.n_outputs, gain="linear") for task in tasks}
    return MultiTaskNetwork(nn.Sequential(*layers), heads)
