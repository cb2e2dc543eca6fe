"""Layers without weights. Shapes are those without copies; a dimension of copies after the members is carried along."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate, max_pool2d, pad

from mtl_runs.networks.layers import Layer

VECTOR = 32
"""Values that the CPU takes at once, at most. The few at the end of a tensor go through another exponential; with a
multiple per member there are none, and every member gets the very bits it gets alone."""


class Relu(Layer):
    """The positive part of every value."""

    op = "relu"

    def forward(self, values: Tensor) -> Tensor:
        """Same shape."""
        return values.relu()


class Sigmoid(Layer):
    """1 / (1 + exp(−x)) of every value."""

    op = "sigmoid"

    def forward(self, values: Tensor) -> Tensor:
        """Same shape."""
        flat = values.flatten(1)
        n = flat.shape[1]
        if values.device.type == "cpu":
            flat = pad(flat, (0, -n % VECTOR))
        return flat.sigmoid()[:, :n].reshape(values.shape)


class Softmax(Layer):
    """Shares that add up to 1 over the last dimension."""

    op = "softmax"

    def forward(self, values: Tensor) -> Tensor:
        """Same shape."""
        return values.softmax(-1)


class Flatten(Layer):
    """The last `n_dims` dimensions as one."""

    op = "flatten"
    cost = 0.0

    def __init__(self, n_dims: int) -> None:
        super().__init__()
        self.n_dims = n_dims

    def forward(self, values: Tensor) -> Tensor:
        """[R, B, C, H, W] -> [R, B, C·H·W] for three dimensions."""
        return values.reshape(*values.shape[: -self.n_dims], -1)


class Halve(Layer):
    """The largest of every 2×2 pixels."""

    op = "max_pool"

    def forward(self, values: Tensor) -> Tensor:
        """[R, B, C, H, W] -> [R, B, C, ⌈H / 2⌉, ⌈W / 2⌉]."""
        return max_pool2d(values.flatten(0, -4), 2, ceil_mode=True).unflatten(0, values.shape[:-3])


class Upsample(Layer):
    """Bilinear interpolation to a given height and width."""

    op = "upsample"

    def __init__(self, size: Sequence[int]) -> None:
        super().__init__()
        self.size = tuple(size)

    def forward(self, values: Tensor) -> Tensor:
        """[R, B, C, h, w] -> [R, B, C, H, W]."""
        return interpolate(values.flatten(0, -4), self.size, mode="bilinear").unflatten(0, values.shape[:-3])


class Add(Layer):
    """The sum of two values of one shape."""

    op = "add"

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """Same shape."""
        return one + other


class Multiply(Layer):
    """The product, value by value, of two values of one shape."""

    op = "multiply"

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """Same shape."""
        return one * other


class Concat(Layer):
    """The channels of both, [R, B, C1, H, W] and [R, B, C2, H, W]."""

    op = "concat"
    cost = 0.0

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """[R, B, C1 + C2, H, W]."""
        return torch.cat([one, other], -3)


class Fork(Layer):
    """The same values for n copies of the next layer: [R, B, ...] -> [R, n, B, ...]. No operation of its own."""

    def __init__(self, copies: int) -> None:
        super().__init__()
        self.copies = copies

    def forward(self, values: Tensor) -> Tensor:
        """See the class."""
        return values.unsqueeze(1).expand(-1, self.copies, *values.shape[1:])

    def wiring(self, *sources: list[int]) -> list[list[int]]:
        """Every copy comes from the one source."""
        return [*sources] * self.copies


class Pick(Layer):
    """The values of copy k: [R, n, B, ...] -> [R, B, ...]. No operation of its own."""

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k

    def forward(self, values: Tensor) -> Tensor:
        """See the class."""
        return values[:, self.k]

    def wiring(self, *sources: list[int]) -> list[list[int]]:
        """From the k-th source only."""
        return [[nodes[self.k] for nodes in sources]]
