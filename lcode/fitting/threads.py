"""A forecaster lives inside somebody else's training loop: it takes one thread and gives back what it took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def limited_threads(count: int = 1) -> Iterator[None]:
    """Run with at most `count` torch threads and restore the setting afterwards.

    The tensors here are small: measured on two busy cores, two threads made the same call 40 times slower.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(min(count, before))
    try:
        yield
    finally:
        torch.set_num_threads(before)
