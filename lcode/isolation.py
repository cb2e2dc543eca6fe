"""Torch code of ours inside somebody else's program: what the caller has switched on stays outside."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from lcode.threads import limited_threads, one_thread_for_linear_algebra

DEVICES = ("cpu", "cuda")
"""Types of device that our code runs on, and on which autocast would change its numbers."""


@contextmanager
def isolated(threads: int = 1) -> Iterator[None]:
    """Within the block this thread computes as if its caller had switched nothing on; all is as it was after.

    Set aside are autocast, inference mode, gradients switched off, a default device, and the number of torch threads;
    numpy's linear algebra has one thread meanwhile, in the whole process. The default dtype belongs to the whole
    process as well and is left alone, so our code states its dtypes. The global generators are not used at all. Does
    not import torch: a caller who has not, either, has switched nothing on.

    Args:
        threads: torch threads within the block.
    """
    torch = sys.modules.get("torch")
    with ExitStack() as stack:
        stack.enter_context(limited_threads(threads))
        stack.enter_context(one_thread_for_linear_algebra())
        if torch is not None:
            for device in DEVICES:
                if torch.is_autocast_enabled(device):
                    stack.enter_context(torch.autocast(device, enabled=False))
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.enable_grad())
            if torch.get_default_device().type != "cpu":
                stack.enter_context(torch.device("cpu"))
        yield


@contextmanager
def importing() -> Iterator[None]:
    """For imports in the middle of somebody else's program: scikit-learn draws from Python's generator as it loads.

    The caller's sequence goes on as if nothing had been drawn.
    """
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
