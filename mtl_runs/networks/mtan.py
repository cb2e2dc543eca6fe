"""Multi-task attention networks (Liu, Johns and Davison, CVPR 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from mtl_runs.networks.base import MultiTaskNetwork
from mtl_runs.networks.layers import Conv
from mtl_runs.networks.operations import Concat, Halve, Multiply, Relu, Sigmoid
from mtl_runs.networks.pictures import Features, check_pictures, picture_heads
from mtl_runs.problems.base import Task


class Stage(NamedTuple):
    """What one stage of the shared network hands to the attention modules, each [R, B, C, h, w].

    Attributes:
        first: u of the paper, after the first convolution.
        second: p of the paper, after the second one: what is masked.
    """

    first: Tensor
    second: Tensor


class SharedStages(nn.Module):
    """Stages of two 3×3 convolutions with ReLU; the first one of each halves the picture.

    Args:
        members: R.
        channels: of the inputs.
        width: channels of everything else.
        depth: number of stages.
    """

    def __init__(self, members: int, channels: int, width: int, depth: int) -> None:
        super().__init__()
        self.first, self.second = nn.ModuleList(), nn.ModuleList()
        for i in range(depth):
            n_in = width if i else channels
            self.first.append(nn.Sequential(Conv(members, n_in, width, gain="relu", stride=2), Relu()))
            self.second.append(nn.Sequential(Conv(members, width, width, gain="relu"), Relu()))

    def forward(self, inputs: Tensor) -> list[Stage]:
        """All stages' values for the inputs [R, B, C, H, W]."""
        stages: list[Stage] = []
        for first, second in zip(self.first, self.second, strict=True):
            between = first(stages[-1].second if stages else inputs)
            stages.append(Stage(between, second(between)))
        return stages


class AttentionHead(nn.Module):
    """A task's attention modules, one per stage, and its head.

    In stage j the mask is a_j = sigmoid(conv1x1(relu(conv1x1([u_j; â_(j-1)])))), and the task's features are
    â_j = a_j ⊙ p_j (eqs. 1 and 2). Where the paper passes â_(j-1) on through a further 3×3 convolution that all tasks
    share, it is only pooled here, so that what a task's branch computes with is its own.

    Args:
        members: R.
        width: channels of the stages.
        depth: number of stages.
        head: on the features of this task.
    """

    def __init__(self, members: int, width: int, depth: int, head: nn.Module) -> None:
        super().__init__()
        self.masks = nn.ModuleList(
            nn.Sequential(
                Conv(members, 2 * width if i else width, width, gain="relu", kernel=1),
                Relu(),
                Conv(members, width, width, gain="linear", kernel=1),
                Sigmoid(),
            )
            for i in range(depth)
        )
        self.halve, self.concat, self.multiply = Halve(), Concat(), Multiply()
        self.head = head

    def forward(self, stages: Sequence[Stage]) -> Tensor:
        """The task's outputs."""
        masked: list[Tensor] = []
        for mask, stage in zip(self.masks, stages, strict=True):
            values = self.concat(stage.first, self.halve(masked[-1])) if masked else stage.first
            masked.append(self.multiply(mask(values), stage.second))
        return self.head(Features(masked[0], masked[-1]))


def mtan(
    input_shape: Sequence[int], tasks: Sequence[Task], members: int, *, width: int, depth: int
) -> MultiTaskNetwork:
    """A shared convolutional network of `depth` stages with `width` channels, from which each task selects by masks.

    Raises:
        UsageError: the inputs are not pictures [C, H, W], or too small to be halved so often.
    """
    check_pictures("mtan", input_shape, depth)
    heads = picture_heads(members, tasks, input_shape, width, depth, own=True)
    return MultiTaskNetwork(
        SharedStages(members, input_shape[0], width, depth),
        {name: AttentionHead(members, width, depth, head) for name, head in heads.items()},
    )
