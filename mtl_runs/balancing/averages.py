"""Means of what was seen since they were last asked for."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class Averages:
    """Running means by name, entry by entry; entries that are NaN or infinite do not count."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, Tensor] = {}

    def add(self, name: str, value: Tensor) -> None:
        """See a value; those of one name have one shape."""
        value = value.detach().to("cpu", torch.float64)
        counts = torch.isfinite(value).to(torch.float64)
        value = value.nan_to_num(0.0, 0.0, 0.0)
        self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._counts[name] = self._counts[name] + counts if name in self._counts else counts

    def take(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """The mean of the values of this name, NaN where none counted; forgets them."""
        if name not in self._sums:
            return torch.full(shape, torch.nan, dtype=torch.float64)
        return self._sums.pop(name) / self._counts.pop(name)

    def state(self) -> dict[str, Tensor]:
        """All of it as tensors."""
        return {f"{name}.{what}": part[name] for what, part in self._parts().items() for name in part}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """What `state` returned."""
        self._sums, self._counts = {}, {}
        for key, value in state.items():
            name, _, what = key.rpartition(".")
            self._parts()[what][name] = value.detach().cpu().clone()

    def _parts(self) -> dict[str, dict[str, Tensor]]:
        return {"sum": self._sums, "count": self._counts}
