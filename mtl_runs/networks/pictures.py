"""What all networks on pictures share: the features that the tasks get, and the heads that read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from lcode.errors import UsageError
from mtl_runs.networks.layers import Conv, Linear
from mtl_runs.networks.operations import Add, Flatten, Pick, Upsample
from mtl_runs.problems.base import Task


class Features(NamedTuple):
    """What a trunk that halves its inputs several times hands to a task.

    Attributes:
        fine: after the first halving, [R, B, C, ⌈H / 2⌉, ⌈W / 2⌉].
        coarse: after the last, [R, B, C, h, w].
        flat: the latter as vectors, [R, B, C·h·w], if several tasks may read them.
    """

    fine: Tensor
    coarse: Tensor
    flat: Tensor | None = None


class Stages(nn.Module):
    """A trunk of several stages, each of which halves the picture.

    Args:
        stages: the stages.
        flatten: whether tasks read these very features, and some of them as vectors.
    """

    def __init__(self, stages: Sequence[nn.Module], *, flatten: bool) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.flatten = Flatten(3) if flatten else None

    def forward(self, inputs: Tensor) -> Features:
        """Features of the inputs [R, B, C, H, W]."""
        outputs = [inputs]
        for stage in self.stages:
            outputs.append(stage(outputs[-1]))
        return Features(outputs[1], outputs[-1], None if self.flatten is None else self.flatten(outputs[-1]))


class VectorHead(nn.Module):
    """One linear layer on all coarse features: [R, B, n_outputs].

    Args:
        linear: the layer.
        flatten: whether the features are this task's own, which nobody has flattened yet.
    """

    def __init__(self, linear: Linear, *, flatten: bool) -> None:
        super().__init__()
        self.flatten = Flatten(3) if flatten else None
        self.linear = linear

    def forward(self, features: Features) -> Tensor:
        """See the class."""
        return self.linear(features.flat if self.flatten is None else self.flatten(features.coarse))


class DenseHead(nn.Module):
    """A value per pixel, [R, B, n_outputs, H, W]: 1×1 convolutions, joined and enlarged as in FCN (Long et al. 2015).

    The coarse features tell what there is; they are enlarged bilinearly to the size of the fine ones, which are added
    because they still know where the borders are; the sum is enlarged to the size of the inputs.

    Args:
        members: R.
        channels: of the features.
        n_outputs: values per pixel.
        size: height and width of the inputs.
        depth: how often the trunk halves the inputs; with 1 the fine features are the coarse ones.
    """

    def __init__(self, members: int, channels: int, n_outputs: int, size: Sequence[int], depth: int) -> None:
        super().__init__()
        self.coarse = Conv(members, channels, n_outputs, gain="linear", kernel=1)
        self.fine, self.enlarge, self.add = None, None, None
        if depth > 1:
            self.fine = Conv(members, channels, n_outputs, gain="linear", kernel=1)
            self.enlarge = Upsample(halved(size, 1))
            self.add = Add()
        self.upsample = Upsample(size)

    def forward(self, features: Features) -> Tensor:
        """See the class."""
        values = self.coarse(features.coarse)
        if self.fine is not None and self.enlarge is not None and self.add is not None:
            values = self.add(self.enlarge(values), self.fine(features.fine))
        return self.upsample(values)


class PickFeatures(nn.Module):
    """The features of one of several towers.

    Args:
        k: which.
    """

    def __init__(self, k: int) -> None:
        super().__init__()
        self.pick = Pick(k)

    def forward(self, features: Features) -> Features:
        """[R, n, B, ...] -> [R, B, ...] for each of them."""
        return Features(self.pick(features.fine), self.pick(features.coarse))


def picture_heads(
    members: int, tasks: Sequence[Task], input_shape: Sequence[int], width: int, depth: int, *, own: bool = False
) -> dict[str, nn.Module]:
    """A head per task on features with `width` channels, after `depth` halvings; `own` if every task has its own."""
    size = input_shape[1:]
    height, across = halved(size, depth)
    heads: dict[str, nn.Module] = {}
    for task in tasks:
        if task.dense:
            heads[task.name] = DenseHead(members, width, task.n_outputs, size, depth)
        else:
            linear = Linear(members, width * height * across, task.n_outputs, gain="linear")
            heads[task.name] = VectorHead(linear, flatten=own)
    return heads


def halved(size: Sequence[int], times: int) -> tuple[int, int]:
    """Height and width after so many halvings, each rounded up."""
    height, width = (-(-side // 2**times) for side in size)
    return height, width


def check_pictures(family: str, input_shape: Sequence[int], depth: int) -> None:
    """Refuse inputs that cannot be halved `depth` times.

    Raises:
        UsageError: the inputs are not pictures [C, H, W], or too small.
    """
    if len(input_shape) != 3:
        raise UsageError(
            f"a {family} needs pictures [channels, height, width]; this problem's inputs are {list(input_shape)}"
        )
    _, height, across = input_shape
    if min(height, across) <= 2 ** (depth - 1):
        raise UsageError(f"inputs of {height}×{across} pixels cannot be halved {depth} times; use a smaller depth")


def check_vectors(family: str, tasks: Sequence[Task]) -> None:
    """Refuse tasks that want a value per pixel.

    Raises:
        UsageError: there is such a task.
    """
    dense = [task.name for task in tasks if task.dense]
    if dense:
        raise UsageError(
            f"a network '{family}' puts out one vector per input, but '{dense[0]}' wants one per pixel; "
            "use cnn, resnet, stitchcnn or mtan"
        )
