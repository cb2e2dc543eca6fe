"""Uniform random numbers for balancers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def uniform(
    shape: Sequence[int],
    generator: torch.Generator | None,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Uniform numbers in [0, 1), drawn where the generator lives, so that a CPU generator serves any device.

    Torch's uniform numbers, unlike its normal ones, do not depend on how many are asked for at once: a population that
    draws together gets what its members would have drawn one after the other.
    """
    home = None if generator is None else generator.device
    return torch.rand(tuple(shape), generator=generator, dtype=dtype, device=home).to(device)
