"""Small convolutional trunks."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from lcode.errors import UsageError
from mtl_runs.networks.base import HardSharing
from mtl_runs.problems.base import Task


def cnn(width: int, depth: int, input_shape: Sequence[int], tasks: Sequence[Task]) -> HardSharing:
    """`depth` blocks of a 3×3 convolution with stride 2 to `width` channels and ReLU, and a linear head per task.

    Raises:
        UsageError: the inputs are not pictures [C, H, W], or too small for so many poolings.
    """
    if len(input_shape) != 3:
        raise UsageError(
            f"a cnn needs pictures [channels, height, width]; this problem's inputs are {list(input_shape)}"
        )
    channels, height, across = input_shape
    if min(height, across) <= 2 ** (depth - 1):
        raise UsageError(f"inputs of {height}×{across} pixels cannot be halved {depth} times; use a smaller depth")
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.ReLU()]
        channels, height, across = width, (height + 1) // 2, (across + 1) // 2
    return HardSharing(nn.Sequential(*layers, nn.Flatten()), channels * height * across, tasks)
