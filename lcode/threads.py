"""A forecaster inside somebody else's training loop borrows few threads, and gives them back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def limited_threads(number: int) -> Iterator[None]:
    """Cap torch's intra-op threads within the block and restore them after; does not import torch.

    A tiny model on the threads that the training itself uses runs many times slower than on one.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
