"""Residual networks."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mtl_runs.networks.base import MultiTaskNetwork
from mtl_runs.networks.layers import Conv, Norm
from mtl_runs.networks.operations import Add, Relu
from mtl_runs.networks.pictures import Stages, check_pictures, picture_heads
from mtl_runs.problems.base import Task


class ResidualBlock(nn.Module):
    """relu(s + norm(conv(relu(norm(conv(x)))))) of x [R, B, C, H, W], where s is x or, halved, a 1×1 convolution of x.

    Args:
        members: R.
        width: C.
        halve: whether the first convolution (and the one of s) has stride 2.
    """

    def __init__(self, members: int, width: int, *, halve: bool) -> None:
        super().__init__()
        stride = 2 if halve else 1
        self.residual = nn.Sequential(
            Conv(members, width, width, gain="relu", stride=stride),
            Norm(members, width),
            Relu(),
            Conv(members, width, width, gain="relu"),
            Norm(members, width),
        )
        self.skip = Conv(members, width, width, gain="linear", kernel=1, stride=2) if halve else None
        self.add = Add()
        self.relu = Relu()

    def forward(self, values: Tensor) -> Tensor:
        """See the class."""
        skipped = values if self.skip is None else self.skip(values)
        return self.relu(self.add(skipped, self.residual(values)))


def resnet(
    input_shape: Sequence[int], tasks: Sequence[Task], members: int, *, width: int, depth: int
) -> MultiTaskNetwork:
    """Hard sharing of `depth` residual blocks (He et al. 2016) of `width` channels, and a head per task.

    A 3×3 convolution with stride 2 comes first; every block but the first halves the picture once more. Each sample is
    normalised over its own values, where the paper normalises over the batch (`Norm`).

    Raises:
        UsageError: the inputs are not pictures [C, H, W], or too small to be halved so often.
    """
    check_pictures("resnet", input_shape, depth)
    stem = [Conv(members, input_shape[0], width, gain="relu", stride=2), Norm(members, width), Relu()]
    first = nn.Sequential(*stem, ResidualBlock(members, width, halve=False))
    stages = [first, *(ResidualBlock(members, width, halve=True) for _ in range(depth - 1))]
    trunk = Stages(stages, flatten=any(not task.dense for task in tasks))
    return MultiTaskNetwork(trunk, picture_heads(members, tasks, input_shape, width, depth))
