"""Cross-stitch networks (Misra, Shrivastava, Gupta and Hebert, CVPR 2016)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from mtl_runs.networks.base import MultiTaskNetwork
from mtl_runs.networks.layers import ALIGNED, Conv, Layer, Linear
from mtl_runs.networks.operations import Flatten, Fork, Pick, Relu
from mtl_runs.networks.pictures import PickFeatures, Stages, check_pictures, check_vectors, picture_heads
from mtl_runs.problems.base import Task

OWN = 0.9
"""What a tower first keeps of itself; the others' shares add up to the rest (the paper's 0.9 and 0.1 for two)."""


class Stitch(Layer):
    """Every tower's values become a weighted sum over all towers' values: x̃_i = Σ_j α_ij x_j (the paper's eq. 1).

    Args:
        members: R.
        towers: n of the values [R, n, B, ...].
    """

    op = "weighted_sum"

    def __init__(self, members: int, towers: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(members, towers, towers))
        self.cost = float(towers)

    def forward(self, values: Tensor) -> Tensor:
        """Same shape."""
        flat = values.flatten(2)
        if flat.shape[1] == 1:  # a matrix with one row is a vector to BLAS, see `ALIGNED`
            return (self.weight * flat).view(values.shape)
        n = flat.shape[2]
        if values.device.type == "cpu" and n % ALIGNED:
            flat = pad(flat, (0, -n % ALIGNED))
        return torch.bmm(self.weight, flat)[..., :n].reshape(values.shape)

    def wiring(self, *sources: list[int]) -> list[list[int]]:
        """Each of the sums from all towers."""
        (towers,) = sources
        return [towers for _ in towers]

    def initialise(self, generators: Sequence[torch.Generator]) -> None:
        """`OWN` on the diagonal, the rest spread evenly over the other towers; a single tower keeps all."""
        n = self.weight.shape[1]
        others = (1 - OWN) / (n - 1) if n > 1 else 0.0
        own = OWN if n > 1 else 1.0
        self.weight.detach().copy_(torch.full((n, n), others).fill_diagonal_(own))


def stitch(
    input_shape: Sequence[int], tasks: Sequence[Task], members: int, *, width: int, depth: int
) -> MultiTaskNetwork:
    """A tower per task of `depth` linear layers of `width` units with ReLU, a cross-stitch unit after each of them.

    The towers and the units are shared, since every task's output depends on all of them.

    Raises:
        UsageError: a task wants a value per pixel.
    """
    check_vectors("stitch", tasks)
    n, size = len(tasks), prod(input_shape)
    layers: list[Layer] = [Flatten(len(input_shape)), Fork(n)]
    for _ in range(depth):
        layers += [Linear(members, size, width, gain="relu", copies=n), Relu(), Stitch(members, n)]
        size = width
    heads: dict[str, nn.Module] = {t.name: Linear(members, size, t.n_outputs, gain="linear") for t in tasks}
    return MultiTaskNetwork(nn.Sequential(*layers), _on_towers([Pick(k) for k in range(n)], heads))


def stitchcnn(
    input_shape: Sequence[int], tasks: Sequence[Task], members: int, *, width: int, depth: int
) -> MultiTaskNetwork:
    """A tower per task like the trunk of a `cnn`, with a cross-stitch unit after each layer, and a head per task.

    Raises:
        UsageError: the inputs are not pictures [C, H, W], or too small to be halved so often.
    """
    check_pictures("stitchcnn", input_shape, depth)
    n = len(tasks)
    stages = []
    for i in range(depth):
        channels = width if i else input_shape[0]
        conv = Conv(members, channels, width, gain="relu", stride=2, copies=n)
        stages.append(nn.Sequential(*[] if i else [Fork(n)], conv, Relu(), Stitch(members, n)))
    heads = picture_heads(members, tasks, input_shape, width, depth, own=True)
    return MultiTaskNetwork(Stages(stages, flatten=False), _on_towers([PickFeatures(k) for k in range(n)], heads))


def _on_towers(picks: Sequence[nn.Module], heads: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Each head after the module that finds its tower."""
    return {name: nn.Sequential(pick, head) for pick, (name, head) in zip(picks, heads.items(), strict=True)}
