"""What a step costs with `Balance`, beside a plain backward and other packages: `python -m mtl_runs.balancing.cost`.

A residual encoder on pictures and a head per task, in plain torch. Every way takes turns of a few steps, and a plain
`sum(losses).backward()` takes one before every other: ratios are of neighbours in time. Medians over the turns, of
processor time of forward and backward pass on one thread; no optimiser. TorchJD and LibMTL have lines where they are
installed; both without what `Balance` adds, the signals and the check of every task's graph.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from importlib import import_module
from statistics import median
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn

from mtl_runs import Balance

TASKS = (2, 3, 11)
TURNS = 15
STEPS = 2
PLAIN = "plain backward"

Way = Callable[[], None]
Forward = Callable[..., tuple[Tensor, list[Tensor]]]


class Network(nn.Module):
    """Pictures [B, 3, 32, 32] to one value per task."""

    def __init__(self, n_tasks: int, width: int, depth: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(_block(width) for _ in range(depth))
        self.heads = nn.ModuleList(nn.Linear(width, 1) for _ in range(n_tasks))

    def features(self, inputs: Tensor) -> Tensor:
        """What the heads see, [B, width]."""
        values = self.stem(inputs).relu()
        for block in self.blocks:
            values = (values + block(values)).relu()
        return values.mean((2, 3))

    def shared(self) -> list[nn.Parameter]:
        """All parameters but the heads'."""
        return [*self.stem.parameters(), *self.blocks.parameters()]


def _block(width: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
    )


def ways(n_tasks: int, *, width: int = 32, depth: int = 4, batch: int = 16) -> dict[str, Way]:
    """A step of forward and backward pass by each way that is installed, by name."""
    torch.manual_seed(0)
    network, tasks = Network(n_tasks, width, depth), [f"task{k}" for k in range(n_tasks)]
    inputs, targets = torch.randn(batch, 3, 32, 32), torch.randn(n_tasks, batch, 1)

    def forward(called: Network = network) -> tuple[Tensor, list[Tensor]]:
        called.zero_grad()
        features = called.features(inputs)
        return features, [(h(features) - t).square().mean() for h, t in zip(called.heads, targets, strict=True)]

    def plain() -> None:
        torch.stack(forward()[1]).sum().backward()

    def own(balancer: str, *, by_features: bool = False) -> Way:
        balance = Balance(balancer, network.shared(), tasks, watch_every=0)

        def step() -> None:
            features, losses = forward()
            balance.backward(dict(zip(tasks, losses, strict=True)), features=features if by_features else None)

        return step

    found = {PLAIN: plain}
    for balancer in ("equal", "uncertainty", "mgda", "pcgrad", "fairgrad"):
        found[f"Balance {balancer}"] = own(balancer)
    found["Balance mgda, features"] = own("mgda", by_features=True)
    with suppress(ImportError):
        found |= _torchjd(network, forward)
    with suppress(ImportError):
        found |= _libmtl(network, forward)
    return found


def _torchjd(network: Network, forward: Forward) -> dict[str, Way]:
    """Jacobian descent, by the Jacobian and by the Gramian alone."""
    from torchjd.aggregation import MGDA, MGDAWeighting, PCGrad
    from torchjd.autogram import Engine
    from torchjd.autojac import jac_to_grad, mtl_backward

    def by_jacobian(aggregator: Any) -> Way:
        def step() -> None:
            features, losses = forward()
            mtl_backward(losses, features)
            jac_to_grad(network.shared(), aggregator)

        return step

    # Its hooks stay, and would cost the others time: it gets a network of its own.
    hooked = deepcopy(network)
    engine, weighting = Engine(hooked.stem, *hooked.blocks, batch_dim=None), MGDAWeighting()

    def by_gramian() -> None:
        losses = torch.stack(forward(hooked)[1])
        losses.backward(weighting(engine.compute_gramian(losses)))

    return {
        "torchjd MGDA": by_jacobian(MGDA()),
        "torchjd PCGrad": by_jacobian(PCGrad()),
        "torchjd MGDA, Gramian engine": by_gramian,
    }


def _libmtl(network: Network, forward: Forward) -> dict[str, Way]:
    """LibMTL's weightings are parts of its own models; so they get the few members of one that they use."""
    weighting = import_module("LibMTL.weighting")

    def of(kind: type[Any], **settings: Any) -> Way:
        method = kind()
        method.rep_grad, method.device, method.task_num = False, torch.device("cpu"), len(network.heads)
        method.get_share_params = network.shared
        method.zero_grad_share_params = lambda: [p.grad.zero_() for p in network.shared() if p.grad is not None]

        def step() -> None:
            method.backward(forward()[1], **settings)

        return step

    return {
        "LibMTL MGDA": of(weighting.MGDA, mgda_gn="none"),
        "LibMTL PCGrad": of(weighting.PCGrad),
    }


def ratios(found: dict[str, Way], turns: int = TURNS, steps: int = STEPS) -> dict[str, float]:
    """Medians of the processor time over that of a plain backward next to it."""
    seen: dict[str, list[float]] = {name: [] for name in found}
    for turn in range(turns + 1):
        for name, way in found.items():
            reference, own = _seconds(found[PLAIN], steps), _seconds(way, steps)
            if turn:  # the first one allocates
                seen[name].append(own / reference)
    return {name: median(all_) for name, all_ in seen.items()}


def _seconds(way: Way, steps: int) -> float:
    started = time.process_time()
    for _ in range(steps):
        way()
    return time.process_time() - started


def table(n_tasks: Sequence[int] = TASKS, turns: int = TURNS) -> list[str]:
    """The lines that are printed."""
    columns = [ratios(ways(k), turns) for k in n_tasks]
    lines = [f"{'times a plain step':30}" + "".join(f"{f'K={k}':>8}" for k in n_tasks)]
    return lines + [f"{name:30}" + "".join(f"{column[name]:8.2f}" for column in columns) for name in columns[0]]


def main(turns: Annotated[int, typer.Option(min=1, help="Repetitions.")] = TURNS) -> None:
    """Print what a step costs, in units of a step with a plain backward: about two minutes."""
    torch.set_num_threads(1)
    for line in table(turns=turns):
        typer.echo(line)


if __name__ == "__main__":
    typer.run(main)
