"""Trains one perceptron with hand-written gradients: thousands of small steps, where every call counts.

The gradient is added to the momentum within the matrix product, parameters lie in one flat buffer, and no step
allocates anything but its random bits. Small networks take a third of the time of autograd with a fused optimiser;
large ones, which are all matrix products, the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from lcode.threads import limited_threads
from mtl_runs.mlp_curves.sample import DROPOUT_STEP, RunPlan
from mtl_runs.mlp_curves.tables import BinaryTable

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Curves:
    """A run after every epoch; NaN from the first epoch on at which a loss was no longer finite.

    Attributes:
        test_loss: cross-entropy on the test rows, without dropout, nats, shape [T].
        test_error: share of wrong predictions on the test rows, shape [T].
        train_loss: mean cross-entropy over the steps of the epoch, with dropout, shape [T].
    """

    test_loss: Array
    test_error: Array
    train_loss: Array


def train(table: BinaryTable, plan: RunPlan) -> Curves:
    """Train to the end, or until a loss is no longer finite; the numbers depend on the table and the plan alone."""
    with limited_threads(1), _tiny_numbers_as_zero():
        return _train(table, plan)


def _train(table: BinaryTable, plan: RunPlan) -> Curves:
    rng = np.random.default_rng(plan.seed)
    net = _Parameters((table.train_inputs.shape[1], *plan.widths, 1), rng)
    inputs, labels = torch.empty_like(table.train_inputs), torch.empty_like(table.train_labels)
    logits, test_logits = torch.empty_like(labels), torch.empty_like(table.test_labels)
    steps = list(zip(*(rows.split(plan.batch_size) for rows in (inputs, labels, logits)), strict=True))
    passes = {rows: _Pass(net, rows, plan.dropout, rng) for rows in {len(step[0]) for step in steps}}
    test = _Pass(net, len(test_logits))
    curves = np.full((3, len(plan.rates)), np.nan, dtype=np.float32)
    for epoch, rate in enumerate(plan.rates.tolist()):
        order = torch.from_numpy(rng.permutation(len(inputs)))
        torch.index_select(table.train_inputs, 0, order, out=inputs)
        torch.index_select(table.train_labels, 0, order, out=labels)
        for some_inputs, some_labels, some_logits in steps:
            batch = passes[len(some_inputs)]
            batch.forward(some_inputs, some_logits)
            batch.backward(some_inputs, some_labels, some_logits, plan.momentum)
            net.momenta.add_(net.values, alpha=plan.weight_decay)
            net.values.add_(net.momenta, alpha=-rate)
        test.forward(table.test_inputs, test_logits)
        losses = [_mean_loss(test_logits, table.test_labels), _mean_loss(logits, labels)]
        if not np.isfinite(losses).all():
            break
        wrong = ((test_logits > 0) != (table.test_labels > 0)).float().mean()
        curves[:, epoch] = losses[0], float(wrong), losses[1]
    return Curves(*curves)


def _mean_loss(logits: torch.Tensor, labels: torch.Tensor) -> float:
    return float(binary_cross_entropy_with_logits(logits, labels))


@contextmanager
def _tiny_numbers_as_zero() -> Iterator[None]:
    """Weight decay shrinks useless weights to denormal numbers, with which every product takes many times longer."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


class _Parameters:
    """Weights and biases of all layers, and their momenta, as views of two flat buffers.

    Args:
        sizes: inputs, widths, outputs.
        rng: draws the initial values as `torch.nn.Linear` does: uniform up to 1 / sqrt(inputs of the layer).
    """

    def __init__(self, sizes: Sequence[int], rng: np.random.Generator) -> None:
        shapes = list(pairwise(sizes))
        bounds = np.concatenate([np.full((n + 1) * m, n**-0.5) for n, m in shapes])
        self.values = torch.from_numpy((bounds * rng.uniform(-1, 1, len(bounds))).astype(np.float32))
        self.momenta = torch.zeros_like(self.values)
        self.layers, self.layer_momenta = _layers(self.values, shapes), _layers(self.momenta, shapes)


def _layers(flat: torch.Tensor, shapes: Sequence[tuple[int, int]]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Weight [n, m] and bias [m] of each layer."""
    pieces = flat.split([size for n, m in shapes for size in (n * m, m)])
    return [(weight.view(shape), bias) for weight, bias, shape in zip(pieces[::2], pieces[1::2], shapes, strict=True)]


class _Pass:
    """The way of B rows through the network and back, in buffers made once.

    Dropout multiplies hidden units by 0 or 1; the factor 1 / (1 - dropout) is left to the next matrix product.

    Args:
        net: the parameters; `backward` changes their momenta.
        rows: B.
        dropout: probability that a hidden unit is switched off.
        rng: decides which; None: no dropout, which must be 0.
    """

    def __init__(
        self, net: _Parameters, rows: int, dropout: float = 0.0, rng: np.random.Generator | None = None
    ) -> None:
        self._net, self._rng = net, rng
        widths = [len(bias) for _, bias in net.layers[:-1]]
        self._hidden, self._errors = ([torch.empty(rows, width) for width in widths] for _ in range(2))
        self._factors = [1.0, *([1 / (1 - dropout)] * len(widths))]
        self._limit = round((1 - dropout) / DROPOUT_STEP) - 2**15
        self._mask = torch.empty(rows * sum(widths))
        self._masks = [mask.view(rows, -1) for mask in self._mask.split([rows * width for width in widths])]
        self._output_error, self._ones = torch.empty(rows, 1), torch.ones(rows)

    def forward(self, inputs: torch.Tensor, logits: torch.Tensor) -> None:
        """Write the logits, shape [B, 1], for inputs of shape [B, D]."""
        if self._rng is not None:
            bits = self._rng.integers(-(2**15), 2**15, len(self._mask), dtype=np.int16)
            torch.lt(torch.from_numpy(bits), self._limit, out=self._mask)
        below = inputs
        outputs = [*self._hidden, logits]
        for i, ((weight, bias), factor, output) in enumerate(
            zip(self._net.layers, self._factors, outputs, strict=True)
        ):
            torch.addmm(bias, below, weight, alpha=factor, out=output)
            if output is not logits:
                output.relu_()
                if self._rng is not None:
                    output.mul_(self._masks[i])
            below = output

    def backward(self, inputs: torch.Tensor, labels: torch.Tensor, logits: torch.Tensor, momentum: float) -> None:
        """Multiply the momenta by `momentum` and add the gradient of the mean loss; uses up the hidden values."""
        error = torch.sigmoid(logits, out=self._output_error).sub_(labels).div_(len(labels))
        for i in reversed(range(len(self._factors))):
            below = self._hidden[i - 1] if i else inputs
            (weight, _), (weight_momentum, bias_momentum) = self._net.layers[i], self._net.layer_momenta[i]
            weight_momentum.addmm_(below.t(), error, beta=momentum, alpha=self._factors[i])
            bias_momentum.addmv_(error.t(), self._ones, beta=momentum)
            if i:
                buffer = self._errors[i - 1]
                torch.addmm(buffer, error, weight.t(), beta=0, alpha=self._factors[i], out=buffer)
                # A hidden value is positive where its unit was active and kept, and 0 elsewhere.
                error = buffer.mul_(below.sign_())
