"""A forward pass that leaves no trace in running statistics."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook


@contextmanager
def buffers_kept() -> Iterator[None]:
    """After the block the buffers of all modules that were called in it are as they were before.

    Compiled modules run without their compiled code within the block: it could not be watched.
    """
    seen: set[nn.Module] = set()
    kept: list[tuple[Tensor, Tensor]] = []

    def keep(module: nn.Module, arguments: Any) -> None:
        if module not in seen:
            seen.update(module.modules())
            kept.extend((buffer, buffer.clone()) for buffer in module.buffers())

    with ExitStack() as stack:
        stack.callback(_restore, kept)
        if "torch._dynamo" in sys.modules:
            stack.enter_context(torch.compiler.set_stance("force_eager"))
            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", "Using `torch.compile.module.` when there are global hooks")
        stack.callback(register_module_forward_pre_hook(keep).remove)
        yield


def _restore(kept: list[tuple[Tensor, Tensor]]) -> None:
    with torch.no_grad():
        for buffer, value in kept:
            buffer.copy_(value)
