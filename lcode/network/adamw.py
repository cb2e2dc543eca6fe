"""AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) by PyTorch's function, without the class around it.

The first optimiser of a process loads PyTorch's compiler, two seconds for which a fit has no use. The numbers are those
of `torch.optim.AdamW(fused=True)`.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim.adamw import adamw


class AdamW:
    """Moves parameters against their gradients.

    Args:
        parameters: what is trained, on one device.
        weight_decay: share of the rate by which parameters shrink in each step.

    Example:
        >>> import torch
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> optimiser = AdamW([weight], weight_decay=0.0)
        >>> (weight**2).sum().backward()
        >>> optimiser.step(0.1)
        >>> round(weight.item(), 3), weight.grad
        (0.9, None)
    """

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float) -> None:
        self._parameters, self._weight_decay = list(parameters), weight_decay
        self._means = [torch.zeros_like(one) for one in self._parameters]
        self._squares = [torch.zeros_like(one) for one in self._parameters]
        self._steps = [torch.zeros((), dtype=torch.float32, device=one.device) for one in self._parameters]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move all that have a gradient, and drop the gradients.

        Args:
            rate: learning rate of this step.
        """
        known = [at for at, one in enumerate(self._parameters) if one.grad is not None]
        parameters, means, squares, steps = (
            [column[at] for at in known] for column in (self._parameters, self._means, self._squares, self._steps)
        )
        gradients = [one.grad for one in parameters if one.grad is not None]
        adamw(
            parameters, gradients, means, squares, [], steps, fused=True, amsgrad=False, beta1=0.9, beta2=0.999,
            lr=rate, weight_decay=self._weight_decay, eps=1e-8, maximize=False,
        )  # fmt: skip
        for one in parameters:
            one.grad = None
