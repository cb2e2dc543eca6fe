"""Small convolutional networks."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from mtl_runs.networks.base import MultiTaskNetwork
from mtl_runs.networks.layers import Conv
from mtl_runs.networks.operations import Relu
from mtl_runs.networks.pictures import Stages, check_pictures, picture_heads
from mtl_runs.problems.base import Task


def cnn(input_shape: Sequence[int], tasks: Sequence[Task], members: int, *, width: int, depth: int) -> MultiTaskNetwork:
    """Hard sharing: `depth` 3×3 convolutions with stride 2 to `width` channels and ReLU, and a head per task.

    Raises:
        UsageError: the inputs are not pictures [C, H, W], or too small to be halved so often.
    """
    check_pictures("cnn", input_shape, depth)
    channels = [input_shape[0], *[width] * (depth - 1)]
    stages = [nn.Sequential(Conv(members, c, width, gain="relu", stride=2), Relu()) for c in channels]
    trunk = Stages(stages, flatten=any(not task.dense for task in tasks))
    return MultiTaskNetwork(trunk, picture_heads(members, tasks, input_shape, width, depth))
