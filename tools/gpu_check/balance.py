"""`Balance` on a network like ResNet-18: what a step costs with each of some balancers, and its direction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

import mtl_runs
from tools.gpu_check.clock import Clock

BALANCERS = ("equal", "uncertainty", "mgda", "cagrad", "fairgrad", "nash_mtl", "conicgrad_exact")
TASKS = ("parts", "depth", "normals")
OUTPUTS = {"parts": 6, "depth": 1, "normals": 3}


class Block(nn.Module):
    """Two 3×3 convolutions and a way around them (He et al. 2016)."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
            nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        same = stride == 1 and n_in == n_out
        self.around = nn.Identity() if same else nn.Conv2d(n_in, n_out, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Features [B, C, H, W]."""
        out: Tensor = (self.body(x) + self.around(x)).relu()
        return out


def resnet18(width: int = 64) -> nn.Sequential:
    """Eight blocks in four stages, 11 million parameters at width 64; the features have 1/32 of the picture's side."""
    layers: list[nn.Module] = [
        nn.Conv2d(3, width, 7, 2, 3, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
    ]
    n_in = width
    for stage in range(4):
        n_out = width << stage
        layers += [Block(n_in, n_out, 1 if stage == 0 else 2), Block(n_out, n_out, 1)]
        n_in = n_out
    return nn.Sequential(*layers)


class Task:
    """A network with three dense heads, a batch, and the losses of it."""

    def __init__(self, device: str, *, width: int, side: int, batch: int) -> None:
        torch.manual_seed(0)
        self.encoder = resnet18(width)
        heads = {name: nn.Conv2d(8 * width, n, 1) for name, n in OUTPUTS.items()}
        self.heads = nn.ModuleDict(heads).to(device)
        self.inputs = torch.randn(batch, 3, side, side).to(device)
        self.encoder.to(device)
        cells = max(side // 32, 1)
        self.targets = {name: torch.randn(batch, n, cells, cells).to(device) for name, n in OUTPUTS.items()}

    def losses(self) -> dict[str, Tensor]:
        """A loss per task."""
        features = self.encoder(self.inputs)
        return {name: (head(features) - self.targets[name]).square().mean() for name, head in self.heads.items()}

    def step(self, balance: mtl_runs.Balance) -> None:
        """Gradients by the balancer."""
        self.encoder.zero_grad()
        self.heads.zero_grad()
        balance.backward(self.losses())

    def steps(self, balance: mtl_runs.Balance, count: int) -> None:
        """The same so many times."""
        for _ in range(count):
            self.step(balance)

    def direction(self) -> Tensor:
        """What the balancer left in the shared parameters, as one vector on the CPU."""
        parts = [parameter.grad.reshape(-1) for parameter in self.encoder.parameters() if parameter.grad is not None]
        return torch.cat(parts).double().cpu()


def balance_costs(clock: Clock, *, small: bool) -> Iterator[dict[str, Any]]:
    """Milliseconds and memory of a step beside equal weighting, and the cosine with the CPU's direction."""
    size = {"width": 8, "side": 32, "batch": 2} if small else {"width": 64, "side": 128, "batch": 32}
    turns, equal = (1 if small else 10), None
    for name in BALANCERS[:3] if small else BALANCERS:
        if clock.left < 0:
            return
        task = Task(clock.device, **size)
        balance = mtl_runs.Balance(name, shared=task.encoder, tasks=TASKS, watch_every=0)
        task.step(balance)
        direction = task.direction()
        seconds = clock.seconds(task.steps, balance, turns) / turns
        equal = seconds if equal is None else equal
        megabytes = clock.megabytes(task.step, balance)
        other = Task("cpu", **size)
        other.step(mtl_runs.Balance(name, shared=other.encoder, tasks=TASKS, watch_every=0))
        yield {
            "part": "balance",
            "what": f"like ResNet-18, {size['side']} x {size['side']}, batch {size['batch']}, {name}",
            "ms": round(1e3 * seconds, 2),
            "times equal": round(seconds / equal, 2),
            "MB": megabytes,
            "cosine with the CPU's": round(float(torch.cosine_similarity(direction, other.direction(), dim=0)), 6),
        }
