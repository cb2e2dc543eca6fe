"""Uniform random numbers for balancers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lcode.errors import UsageError

Generators = torch.Generator | Sequence[torch.Generator] | None
"""Source of randomness: one for all runs, one for each entry of the single leading dimension, or torch's global one."""


def uniform(
    shape: Sequence[int],
    generator: Generators,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Uniform numbers in [0, 1), drawn where the generator lives, so that a CPU generator serves any device.

    Torch's uniform numbers, unlike its normal ones, do not depend on how many are asked for at once: a population that
    draws together gets what its members would have drawn one after the other. With one generator each, every member
    gets what it would have drawn alone.

    Args:
        shape: what is wanted; with several generators `shape[0]` is their number.
        generator: where the numbers come from.
        device: where they go.
        dtype: their precision.

    Raises:
        UsageError: not as many generators as runs.
    """
    if generator is None or isinstance(generator, torch.Generator):
        home = None if generator is None else generator.device
        return torch.rand(tuple(shape), generator=generator, dtype=dtype, device=home).to(device)
    if len(shape) < 2 or len(generator) != shape[0]:
        raise UsageError(
            f"{len(generator)} generators were given for numbers of shape {tuple(shape)}; "
            "give one for each entry of the leading dimension"
        )
    return torch.stack([uniform(shape[1:], own, device, dtype) for own in generator])
