"""Powers that are rounded alike however many are computed at once."""

from __future__ import annotations

from math import log

import torch
from torch import Tensor


def power(base: Tensor | float, exponent: Tensor | float) -> Tensor:
    """`base ** exponent` for a base that is not negative; at least one of them a tensor.

    Torch's own `**` takes one routine for the bulk of a large tensor and another for its end and for small ones, and
    they differ in the last digit: 0.999³² is not the same number in a population of 1 and of 17. Its exponential is,
    and the logarithm of one number at a time.
    """
    if isinstance(base, Tensor):
        return torch.xlogy(torch.as_tensor(exponent, dtype=base.dtype, device=base.device), base).exp()
    return torch.as_tensor(exponent).mul(log(base)).exp()
