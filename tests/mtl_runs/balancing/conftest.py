from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

TASKS = ("seg", "depth", "normals")


class Network(nn.Module):
    """An encoder and a head per task, on fixed data."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleDict({task: nn.Linear(width, 1) for task in TASKS})
        draws = torch.Generator().manual_seed(1)
        self.inputs = torch.randn(12, 5, generator=draws)
        self.targets = {task: 3**k * torch.randn(12, 1, generator=draws) for k, task in enumerate(TASKS)}

    def losses(self, features: Tensor | None = None, rows: slice = slice(None)) -> dict[str, Tensor]:
        """The losses of some samples by task."""
        features = self.encoder(self.inputs[rows]) if features is None else features
        return {task: (head(features) - self.targets[task][rows]).square().mean() for task, head in self.heads.items()}

    def gradients(self) -> Tensor:
        """All that lies in `.grad`, and NaN where there is none."""
        parts = [torch.full_like(p, torch.nan) if p.grad is None else p.grad for p in self.parameters()]
        return torch.cat([part.flatten() for part in parts])


def make_network(*middle: nn.Module) -> Network:
    """A small network with the same first weights each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = nn.Sequential(nn.Linear(5, 6), *middle, nn.Tanh(), nn.Linear(6, 4), nn.Tanh())
        return Network(encoder, 4)


@pytest.fixture
def network() -> Callable[..., Network]:
    return make_network


@pytest.fixture
def weighted() -> Callable[[dict[str, float]], Tensor]:
    """What a plain backward pass of `3 Σ w_k L_k` gives the encoder."""

    def of(weights: dict[str, float]) -> Tensor:
        plain = make_network()
        losses = plain.losses()
        gradients = torch.autograd.grad(
            torch.stack([3 * weights[task] * losses[task] for task in TASKS]).sum(), list(plain.encoder.parameters())
        )
        return torch.cat([g.flatten() for g in gradients])

    return of
