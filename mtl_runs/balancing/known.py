"""Of which parameters a balancer remembers gradients: by their names, so that a resumed training knows them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

COMPILED = "_orig_mod."
"""What `torch.compile` puts into the names of a module's parameters."""


@dataclass(frozen=True)
class Known:
    """The parameters that gradients were taken of, in their order.

    Attributes:
        labels: name and shape of each, such as `0.weight [8, 8]`.
        tensors: the parameters themselves; none where the labels are from a file.
    """

    labels: tuple[str, ...]
    tensors: tuple[Tensor, ...] = ()

    def differing(self, now: Known) -> tuple[str, str] | None:
        """The first parameter that is another one now, as it was and as it is; None where all are the same.

        One is the same with its name, or where it is the very tensor under a new name, and of the same shape.
        """
        for place in range(max(len(self.labels), len(now.labels))):
            was, there = self._at(place), now._at(place)
            very = place < len(self.tensors) and place < len(now.tensors) and self.tensors[place] is now.tensors[place]
            if was != there and not (very and _shape(was) == _shape(there)):
                return was, there
        return None

    def _at(self, place: int) -> str:
        return self.labels[place] if place < len(self.labels) else "none"


def known(named: Sequence[tuple[str, Tensor]]) -> Known:
    """These parameters by their names."""
    labels = tuple(f"{name} {list(parameter.shape)}" for name, parameter in named)
    return Known(labels, tuple(parameter for _, parameter in named))


def trained(parts: Sequence[nn.Module | Tensor]) -> list[tuple[str, Tensor]]:
    """The parameters that require a gradient, with their names, in every step: layers may be made or frozen on the way.

    Args:
        parts: modules, whose parameters have the names that they have there, behind the part's place where there are
            several; and parameters, whose names are their places.
    """
    found: dict[int, tuple[str, Tensor]] = {}
    for place, part in enumerate(parts):
        front = f"{place}." if len(parts) > 1 else ""
        named = _inside(part).named_parameters() if isinstance(part, nn.Module) else [(str(place), part)]
        for name, parameter in named:
            if parameter.requires_grad:
                label = name if isinstance(part, Tensor) else front + name.replace(COMPILED, "")
                found.setdefault(id(parameter), (label, parameter))
    return list(found.values())


def _inside(module: nn.Module) -> nn.Module:
    """The user's module: wrapped for several processes it has the same names as alone."""
    return module.module if isinstance(module, DataParallel | DistributedDataParallel) else module


def _shape(label: str) -> str:
    return label[label.rfind("[") :]
