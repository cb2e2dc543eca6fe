"""Many networks of different cells as one: on an edge, the members that have a convolution there share one product.

A state, 4×4 places of 8 channels, is 128 numbers, on which a convolution is a matrix of 128×128 that is made of its
kernel: one product of batches of matrices does the work of hundreds of small convolutions. Members with other
operations on the edge cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, pad, unfold

from mtl_runs.studies.nas.space import CHANNELS, CONV1, CONV3, EDGES, HALF, POOL, SKIP, STATES, Cell

CLASSES = 10

PLACES = HALF**2

WIDTH = PLACES * CHANNELS

TAPS, CENTRE = 9, 4
"""Of a 3×3 kernel, and the only one of a 1×1 kernel."""


class CellNetworks(nn.Module):
    """R networks: a 3×3 convolution with stride 2, a cell, the means of the four quarters, a linear map to classes.

    As in NAS-Bench-201, a convolution of a cell is ReLU, convolution, norm. A norm is over the values of one sample,
    with a gain and a shift per channel, and there is one before and one after the cell.

    Args:
        cells: of the R members.
        seeds: of the members' first weights, R of them; these do not depend on the other members.
    """

    def __init__(self, cells: Sequence[Cell], seeds: Sequence[int]) -> None:
        super().__init__()
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]

        def drawn(*shape: int, fan_in: int) -> Tensor:
            return (2 / fan_in) ** 0.5 * torch.stack([torch.randn(shape, generator=one) for one in generators])

        members = len(cells)
        self.stem = nn.Parameter(drawn(TAPS, CHANNELS, fan_in=TAPS))
        self.head = nn.Parameter(drawn(4 * CHANNELS, CLASSES, fan_in=4 * CHANNELS))
        self.bias = nn.Parameter(torch.zeros(members, 1, CLASSES))
        self.before, self.after = _Norm(members), _Norm(members)
        groups = [[_with(cells, edge, ops) for ops in ({SKIP}, {POOL}, {CONV1, CONV3})] for edge in range(len(EDGES))]
        self.orders = [torch.cat(group) for group in groups]
        self.numbers = [[len(members) for members in group] for group in groups]
        self.convs = [group[-1] for group in groups]
        self.masks = [_mask([cells[member][edge] for member in of.tolist()]) for edge, of in enumerate(self.convs)]
        # Every member draws for every edge, so that its weights do not depend on what it is stacked with.
        kernels = [drawn(TAPS, CHANNELS, CHANNELS, fan_in=1) for _ in EDGES]
        self.kernels = nn.ParameterList(
            kernel[of] * (mask / (CHANNELS * mask.sum(1, keepdim=True))).sqrt()
            for kernel, of, mask in zip(kernels, self.convs, self.masks, strict=True)
        )
        self.conv_norms = nn.ModuleList(_Norm(len(of)) for of in self.convs)
        self.taps, self.mean = _taps(), _mean()

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits [R, B, CLASSES] of pictures [B, 8, 8], the same for all members."""
        patches = unfold(pad(pictures[:, None], (1, 0, 1, 0)), 3, stride=2).transpose(1, 2)  # [B, PLACES, TAPS]
        state = (patches.flatten(0, 1) @ self.stem).unflatten(1, (-1, PLACES)).flatten(2)
        last = self.after(self._cell(self.before(state))).relu()
        features = last.unflatten(-1, (2, HALF // 2, 2, HALF // 2, CHANNELS)).mean((-4, -2)).flatten(2)
        return torch.baddbmm(self.bias, features, self.head)

    def _cell(self, first: Tensor) -> Tensor:
        """The last state of a cell, [R, B, WIDTH]."""
        states = [first]
        for state in range(1, STATES):
            total = torch.zeros_like(first)
            for edge, (source, target) in enumerate(EDGES):
                if target == state:
                    skip, pool, conv = states[source].index_select(0, self.orders[edge]).split(self.numbers[edge])
                    parts = [skip, pool @ self.mean, self._conv(conv, edge)]
                    total.index_add_(0, self.orders[edge], torch.cat(parts))
            states.append(total)
        return states[-1]

    def _conv(self, value: Tensor, edge: int) -> Tensor:
        """ReLU, convolution, norm of the members [r, B, WIDTH] that have one on this edge."""
        kernel = self.kernels[edge] * self.masks[edge]
        matrix = (self.taps @ kernel.flatten(2)).unflatten(1, (PLACES, PLACES)).unflatten(-1, (CHANNELS, CHANNELS))
        out: Tensor = self.conv_norms[edge](torch.bmm(value.relu(), matrix.transpose(2, 3).reshape(-1, WIDTH, WIDTH)))
        return out


class _Norm(nn.Module):
    """Every sample to mean 0 and variance 1, then a gain and a shift per channel, of [R, B, WIDTH]."""

    def __init__(self, members: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(members, 1, CHANNELS))
        self.shift = nn.Parameter(torch.zeros(members, 1, CHANNELS))

    def forward(self, values: Tensor) -> Tensor:
        gain, shift = (part.repeat(1, 1, PLACES) for part in (self.gain, self.shift))
        return torch.addcmul(shift, layer_norm(values, (WIDTH,)), gain)


def _with(cells: Sequence[Cell], edge: int, ops: set[str]) -> Tensor:
    """The members that have one of these operations on an edge."""
    return torch.tensor([member for member, cell in enumerate(cells) if cell[edge] in ops], dtype=torch.long)


def _mask(ops: Sequence[str]) -> Tensor:
    """Which taps a convolution has, [r, TAPS, 1, 1]."""
    mask = torch.ones(len(ops), TAPS, 1, 1)
    mask[[op == CONV1 for op in ops]] = torch.eye(TAPS)[CENTRE].view(TAPS, 1, 1)
    return mask


def _taps() -> Tensor:
    """1 where a kernel's tap k leads from place p to place q, [PLACES · PLACES, TAPS]."""
    places = torch.cartesian_prod(torch.arange(HALF), torch.arange(HALF))
    away = places[:, None] - places[None] + 1  # row and column of the tap, where both are 0 to 2
    inside = ((away >= 0) & (away < 3)).all(-1)
    taps = torch.nn.functional.one_hot((3 * away[..., 0] + away[..., 1]).clamp(0, TAPS - 1), TAPS)
    return (taps * inside[..., None]).flatten(0, 1).float()


def _mean() -> Tensor:
    """The mean over a place and its neighbours within the picture, as a matrix [WIDTH, WIDTH]."""
    near = _taps().sum(-1).view(PLACES, PLACES)
    return torch.kron(near / near.sum(0), torch.eye(CHANNELS))
