"""Means over the processes of a distributed training; with a single process nothing happens."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, distributed


def n_processes() -> int:
    """How many processes train together: those of the default group, 1 where there is none."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size()
    return 1


def mean_over_processes(values: Tensor) -> None:
    """Replace the values by their mean over all processes, which is the same in each of them to the last bit."""
    count = n_processes()
    if count > 1:
        distributed.all_reduce(values)
        values /= count


def means_over_processes(tensors: Sequence[Tensor]) -> list[Tensor]:
    """The mean of each tensor over all processes, in one message per type and device.

    Args:
        tensors: of equal shapes in equal order in every process.
    """
    if n_processes() == 1:
        return list(tensors)
    means: list[Tensor] = list(tensors)
    kinds = dict.fromkeys((tensor.dtype, tensor.device) for tensor in tensors)
    for kind in kinds:
        places = [i for i, tensor in enumerate(tensors) if (tensor.dtype, tensor.device) == kind]
        flat = torch.cat([tensors[i].reshape(-1) for i in places])
        mean_over_processes(flat)
        parts = flat.split([tensors[i].numel() for i in places])
        for i, part in zip(places, parts, strict=True):
            means[i] = part.view(tensors[i].shape)
    return means
