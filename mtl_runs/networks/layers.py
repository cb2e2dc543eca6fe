"""Layers with weights, for many members at once: every parameter has the members in front, and none sees another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, layer_norm, pad

ALIGNED = 16
"""Floats in 64 bytes. BLAS sums in another order where a matrix starts elsewhere, or has a single row or column; with
sizes that are multiples of this, every member gets the very bits it gets alone."""

Gain = Literal["relu", "linear"]
"""What follows a layer: decides the scale of its first weights (He et al. 2015)."""


class Layer(nn.Module):
    """One operation on the values of all members.

    Values are [R, B, ...]: R members, B samples each. Parallel copies of a layer within one member, such as the
    towers of a cross-stitch network, are a second dimension, [R, n, B, ...]: one call computes them all. A layer puts
    out a new tensor, and what is not a layer may only pass tensors on, so that `architecture_graph` sees the data
    flow by watching the layers.

    Attributes:
        op: operation as it stands in the architecture graph; empty if the layer computes nothing and is no node.
        cost: multiply-adds per value that it puts out.
    """

    op: str = ""
    cost: float = 1.0

    def wiring(self, *sources: list[int]) -> list[list[int]]:
        """Which nodes of the graph each copy of the result is computed from.

        Args:
            sources: for each argument, the node of each of its copies.
        """
        return [list(nodes) for nodes in zip(*sources, strict=True)]

    def initialise(self, generators: Sequence[torch.Generator]) -> None:
        """Give member r the first values that it draws from generators[r]; layers without random weights draw none."""


class Linear(Layer):
    """A linear map per member: [R, B, n_in] -> [R, B, n_out], and with copies [R, n, B, n_in] -> [R, n, B, n_out].

    Args:
        members: R.
        n_in: values per sample that come in.
        n_out: values per sample that go out.
        gain: what follows.
        copies: n, or 0 for values without a dimension of copies.
    """

    op = "linear"

    def __init__(self, members: int, n_in: int, n_out: int, *, gain: Gain, copies: int = 0) -> None:
        super().__init__()
        lead = (members, copies) if copies else (members,)
        self.weight = nn.Parameter(torch.zeros(*lead, n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(*lead, 1, n_out))
        self.gain = gain
        self.cost = float(n_in)

    def forward(self, values: Tensor) -> Tensor:
        """See the class."""
        bias, x, weight = (part.flatten(0, -3) for part in (self.bias, values, self.weight))
        n_in, n_out = weight.shape[1:]
        if x.device.type == "cpu":
            more_in, more_out, more_rows = -n_in % ALIGNED, -n_out % ALIGNED, int(x.shape[-2] == 1)
            bias, weight = pad(bias, (0, more_out)), pad(weight, (0, more_out, 0, more_in))
            x = pad(x, (0, more_in, 0, more_rows)) if more_in or more_rows else x
        return torch.baddbmm(bias, x, weight)[..., : values.shape[-2], :n_out].unflatten(0, values.shape[:-2])

    def initialise(self, generators: Sequence[torch.Generator]) -> None:
        """Kaiming-uniform weights, drawn output by output; zero biases."""
        for weight, generator in zip(self.weight.detach(), generators, strict=True):
            for matrix in weight.view(-1, *weight.shape[-2:]):
                drawn = torch.empty(matrix.shape[1], matrix.shape[0])
                matrix.copy_(nn.init.kaiming_uniform_(drawn, nonlinearity=self.gain, generator=generator).T)
        self.bias.detach().zero_()


class Conv(Layer):
    """A convolution per member, zero-padded: [R, B, c_in, H, W] -> [R, B, c_out, ⌈H / stride⌉, ⌈W / stride⌉].

    Args:
        members: R.
        c_in: channels that come in.
        c_out: channels that go out.
        gain: what follows.
        kernel: side of the kernel, odd.
        stride: of the kernel.
        copies: n, or 0 for values without a dimension of copies.
    """

    def __init__(
        self, members: int, c_in: int, c_out: int, *, gain: Gain, kernel: int = 3, stride: int = 1, copies: int = 0
    ) -> None:
        super().__init__()
        lead = (members, copies) if copies else (members,)
        self.weight = nn.Parameter(torch.zeros(*lead, c_out, c_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(*lead, c_out))
        self.gain = gain
        self.stride = stride
        self.op = f"conv{kernel}x{kernel}"
        self.cost = float(c_in * kernel**2)

    def forward(self, values: Tensor) -> Tensor:
        """See the class."""
        parts = values.flatten(0, -5), self.weight.flatten(0, -5), self.bias.flatten(0, -2)
        # One by one is as fast on the CPU, and gives every member the very bits it gets alone.
        stacked_conv = one_by_one if values.device.type == "cpu" else grouped
        return stacked_conv(*parts, self.stride).unflatten(0, values.shape[:-4])

    def initialise(self, generators: Sequence[torch.Generator]) -> None:
        """Kaiming-uniform weights; zero biases."""
        for weight, generator in zip(self.weight.detach(), generators, strict=True):
            for kernel in weight.view(-1, *weight.shape[-4:]):
                drawn = torch.empty(kernel.shape)
                kernel.copy_(nn.init.kaiming_uniform_(drawn, nonlinearity=self.gain, generator=generator))
        self.bias.detach().zero_()


def one_by_one(values: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """A convolution per member, of [R, B, c_in, H, W] with [R, c_out, c_in, k, k] and [R, c_out]; k is odd."""
    parts = zip(values.unbind(), weight.unbind(), bias.unbind(), strict=True)
    return torch.stack([conv2d(*part, stride=stride, padding=weight.shape[-1] // 2) for part in parts])


def grouped(values: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """The same as `one_by_one`, up to rounding, in a single call: a member's channels are a group."""
    members, padding = len(values), weight.shape[-1] // 2
    channels = values.transpose(0, 1).flatten(1, 2)
    result = conv2d(channels, weight.flatten(0, 1), bias.flatten(), stride=stride, padding=padding, groups=members)
    return result.unflatten(1, (members, -1)).transpose(0, 1)


class Norm(Layer):
    """Every sample to mean 0 and variance 1 over all its values, then a gain and a shift per channel (Ba et al. 2016).

    In the place of batch normalisation, whose statistics would tie samples together and need a state.

    Args:
        members: R.
        channels: C of the values [R, B, C, H, W].
    """

    op = "layernorm"

    def __init__(self, members: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(members, channels))
        self.bias = nn.Parameter(torch.zeros(members, channels))

    def forward(self, values: Tensor) -> Tensor:
        """Same shape."""
        gain, shift = (part[:, None, :, None, None] for part in (self.weight, self.bias))
        return layer_norm(values, values.shape[2:]) * gain + shift

    def initialise(self, generators: Sequence[torch.Generator]) -> None:
        """Gains of 1 and shifts of 0."""
        self.weight.detach().fill_(1)
        self.bias.detach().zero_()
