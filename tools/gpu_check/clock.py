"""Wall time on a device, its memory, and what is left of the time that the check may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch


@dataclass
class Clock:
    """A device and a budget.

    Attributes:
        device: `cuda` or `cpu`.
        limit: seconds that all parts together may take; a part that has begun is not cut off.
    """

    device: str
    limit: float
    began: float = field(default_factory=time.perf_counter)

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.limit - (time.perf_counter() - self.began)

    def seconds(self, work: Callable[..., object], *given: object) -> float:
        """How long some work takes, until the device has done it."""
        self._wait()
        started = time.perf_counter()
        work(*given)
        self._wait()
        return time.perf_counter() - started

    def megabytes(self, work: Callable[..., object], *given: object) -> float | None:
        """The most memory of the GPU that some work takes; None on the CPU."""
        if self.device == "cpu":
            work(*given)
            return None
        torch.cuda.reset_peak_memory_stats()
        work(*given)
        self._wait()
        return round(torch.cuda.max_memory_allocated() / 1e6, 1)

    def _wait(self) -> None:
        if self.device != "cpu":
            torch.cuda.synchronize()
