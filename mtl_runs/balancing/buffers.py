"""A forward pass that leaves no trace in running statistics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook


@contextmanager
def buffers_kept() -> Iterator[None]:
    """After the block the buffers of all modules that were called in it are as they were before."""
    seen: set[nn.Module] = set()
    kept: list[tuple[Tensor, Tensor]] = []

    def keep(module: nn.Module, arguments: Any) -> None:
        if module not in seen:
            # With all that it consists of: the parts of a compiled module are not called one by one.
            seen.update(module.modules())
            kept.extend((buffer, buffer.clone()) for buffer in module.buffers())

    handle = register_module_forward_pre_hook(keep)
    try:
        yield
    finally:
        handle.remove()
        with torch.no_grad():
            for buffer, value in kept:
                buffer.copy_(value)
