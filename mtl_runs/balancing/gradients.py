"""Gradients of a step's losses in a network of any kind, by autograd and without touching any `.grad`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from lcode.errors import UsageError

DONATED = "donated buffers"
"""In what torch says when a compiled graph cannot be gone through twice."""


class Rows:
    """The tasks' gradients of some tensors, one row per task.

    Args:
        tensors: shared parameters or features, at least one; P values in all.
        n_tasks: K.

    Attributes:
        values: [1, K, P], zero at first; float32, or float64 where one of the tensors is; the first dimension is that
            of the runs that a balancer may be asked about at once.
        used: whether any task's gradient reached each tensor.
    """

    def __init__(self, tensors: Sequence[Tensor], n_tasks: int) -> None:
        self.tensors = tensors
        ends = list(accumulate((tensor.numel() for tensor in tensors), initial=0))
        self._slices = [slice(start, end) for start, end in pairwise(ends)]
        double = any(tensor.dtype == torch.float64 for tensor in tensors)
        dtype = torch.float64 if double else torch.float32
        self.values = torch.zeros(1, n_tasks, ends[-1], dtype=dtype, device=tensors[0].device)
        self.used = [False] * len(tensors)

    def fill(self, task: int, gradients: Sequence[Tensor | None], scale: float) -> None:
        """Set a task's row to its gradients, one per tensor, divided by the scale of the loss they are of."""
        row = self.values[0, task]
        for place, (part, gradient) in enumerate(zip(self._slices, gradients, strict=True)):
            if gradient is not None:
                dense = gradient.to_dense() if gradient.is_sparse else gradient
                row[part].copy_(dense.reshape(-1))
                self.used[place] = True
        if scale != 1:
            row /= scale

    def mixture(self, weights: Tensor, rows: Tensor, *, clean: bool) -> list[Tensor | None]:
        """`Σ_k w_k r_k` as one gradient per tensor, None for those that no task reached.

        Args:
            weights: [1, K].
            rows: [1, K, P], in the place of `values`.
            clean: whether all of them are finite; otherwise those of weight 0 are left out, for 0 × NaN is NaN.
        """
        factors = weights.to(rows)
        if not clean:
            rows = torch.where((factors != 0).unsqueeze(-1), rows, 0.0)
        flat = torch.bmm(factors.unsqueeze(1), rows).view(-1)
        return [
            flat[part].view(tensor.shape) if used else None
            for part, tensor, used in zip(self._slices, self.tensors, self.used, strict=True)
        ]


def gradients_of(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    *,
    along: Sequence[Tensor] | None = None,
    keep: bool,
) -> list[Tensor | None]:
    """Gradients of the sum of the outputs, or of their products with `along`; None for inputs that are not reached.

    Args:
        outputs: of one or several graphs.
        inputs: what they are derived by.
        along: gradients of something else with respect to the outputs.
        keep: whether the graph is gone through again later.

    Raises:
        UsageError: the graph was compiled in a way that allows one pass only.
    """
    if not inputs:
        return []
    try:
        return list(torch.autograd.grad(outputs, inputs, along, retain_graph=keep, allow_unused=True))
    except RuntimeError as error:
        if DONATED not in str(error):
            raise
        raise UsageError(
            "the compiled model lets one backward pass through, but every task needs its own; before it is first "
            "called, set torch._functorch.config.donated_buffer = False, or compile with backend='eager'"
        ) from error


def add_to_grad(leaf: Tensor, gradient: Tensor) -> None:
    """Add a gradient to the leaf's `.grad`, as a backward pass does.

    A leaf gets a tensor of its own: both parts of a sum (`W + U`) have one and the same gradient, and that of a
    broadcast leaf may be a view whose numbers share their memory; who clips or scales one would do so to both.
    """
    gradient = gradient.detach().to(device=leaf.device, dtype=leaf.dtype)
    if leaf.grad is None:
        leaf.grad = gradient.clone() if gradient.is_sparse else gradient.clone(memory_format=torch.contiguous_format)
    else:
        leaf.grad.add_(gradient)
