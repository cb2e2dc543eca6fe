"""Multi-gate mixture of experts (Ma et al., KDD 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from torch import Tensor, nn

from mtl_runs.networks.base import MultiTaskNetwork
from mtl_runs.networks.layers import Layer, Linear
from mtl_runs.networks.operations import Flatten, Fork, Relu, Softmax
from mtl_runs.networks.pictures import check_vectors
from mtl_runs.problems.base import Task


class Mixture(NamedTuple):
    """What a task gets.

    Attributes:
        inputs: as vectors, [R, B, n_in].
        experts: [R, n, B, width].
    """

    inputs: Tensor
    experts: Tensor


class Experts(nn.Module):
    """n experts on the same inputs, each `depth` linear layers of `width` units with ReLU.

    Args:
        members: R.
        input_shape: shape of one input.
        width: units per layer.
        depth: layers.
        experts: n.
    """

    def __init__(self, members: int, input_shape: Sequence[int], width: int, depth: int, experts: int) -> None:
        super().__init__()
        self.flatten = Flatten(len(input_shape))
        layers: list[Layer] = [Fork(experts)]
        for i in range(depth):
            n_in = width if i else prod(input_shape)
            layers += [Linear(members, n_in, width, gain="relu", copies=experts), Relu()]
        self.experts = nn.Sequential(*layers)

    def forward(self, inputs: Tensor) -> Mixture:
        """Outputs for the inputs [R, B, *input_shape]."""
        flat = self.flatten(inputs)
        return Mixture(flat, self.experts(flat))


class WeightedSum(Layer):
    """Σ_i g_i f_i over n experts.

    Args:
        experts: n.
    """

    op = "weighted_sum"

    def __init__(self, experts: int) -> None:
        super().__init__()
        self.cost = float(experts)

    def forward(self, shares: Tensor, values: Tensor) -> Tensor:
        """Shares [R, B, n] and values [R, n, B, width] -> [R, B, width]."""
        return (shares.mT.unsqueeze(-1) * values).sum(1)

    def wiring(self, *sources: list[int]) -> list[list[int]]:
        """One sum from the shares and all experts."""
        shares, experts = sources
        return [[*shares, *experts]]


class GatedHead(nn.Module):
    """A linear layer on a mixture of the experts, whose shares a linear gate with softmax takes from the inputs.

    Args:
        members: R.
        n_in: values per input.
        width: values per expert.
        experts: n.
        n_outputs: values per sample.
    """

    def __init__(self, members: int, n_in: int, width: int, experts: int, n_outputs: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(Linear(members, n_in, experts, gain="linear"), Softmax())
        self.mix = WeightedSum(experts)
        self.linear = Linear(members, width, n_outputs, gain="linear")

    def forward(self, mixture: Mixture) -> Tensor:
        """[R, B, n_outputs]."""
        return self.linear(self.mix(self.gate(mixture.inputs), mixture.experts))


def mmoe(
    input_shape: Sequence[int], tasks: Sequence[Task], members: int, *, width: int, depth: int, experts: int
) -> MultiTaskNetwork:
    """`experts` shared perceptrons of `depth` layers with `width` units; per task a gate and a linear head.

    Raises:
        UsageError: a task wants a value per pixel.
    """
    check_vectors("mmoe", tasks)
    n_in = prod(input_shape)
    heads = {task.name: GatedHead(members, n_in, width, experts, task.n_outputs) for task in tasks}
    return MultiTaskNetwork(Experts(members, input_shape, width, depth, experts), heads)
