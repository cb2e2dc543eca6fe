"""What a balance remembers survives a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lcode.errors import UsageError
from mtl_runs import Balance

TASKS = ("seg", "depth", "normals")


def through_a_file(state: dict[str, Any], path: Path) -> dict[str, Any]:
    """Saved as safetensors, with the JSON values in the header, and loaded again."""
    tensors = {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
    plain = {name: value for name, value in state.items() if name not in tensors}
    save_file(tensors, path, metadata={"balance": json.dumps(plain)})
    return {**load_file(path), **json.loads(json.dumps(plain))}


@pytest.mark.parametrize("balancer", ["uncertainty", "rgw", "moco", "dwa", "equal", "m_config"])
def test_going_on_from_a_state_is_never_having_stopped(
    network: Callable[..., Any], tmp_path: Path, balancer: str
) -> None:
    through, stopped = network(), network()
    first, second = (Balance(balancer, each.encoder, TASKS, watch_every=2) for each in (through, stopped))
    optimizers = [torch.optim.SGD(each.parameters(), lr=0.1) for each in (through, stopped)]

    def train(number: int, balance: Balance, own: Any, steps: int) -> list[float]:
        weights: list[float] = []
        for _ in range(steps):
            optimizers[number].zero_grad()
            weights += balance.backward(own.losses()).values()
            optimizers[number].step()
        return weights

    train(0, first, through, 3)
    train(1, second, stopped, 3)
    resumed = Balance(balancer, stopped.encoder, TASKS, watch_every=2, seed=9)
    resumed.load_state_dict(through_a_file(second.state_dict(), tmp_path / "balance.safetensors"))
    assert train(0, first, through, 2) == train(1, resumed, stopped, 2)
    assert first.signals() == resumed.signals()
    assert train(0, first, through, 3) == train(1, resumed, stopped, 3)
    assert torch.equal(through.gradients(), stopped.gradients())


def test_another_balancers_state_is_refused(network: Callable[..., Any]) -> None:
    own = network()
    state = Balance("uncertainty", own.encoder, TASKS).state_dict()
    for balance, message in (
        (Balance("famo", own.encoder, TASKS), "is of the balancer uncertainty, this balance has famo"),
        (Balance("uncertainty", own.encoder, TASKS[::-1]), r"tasks \['seg', 'depth', 'normals'\], this balance has"),
        (Balance("uncertainty", own.encoder, TASKS[:2]), r"tasks \['seg', 'depth', 'normals'\], this balance has"),
    ):
        with pytest.raises(UsageError, match=message):
            balance.load_state_dict(state)
    with pytest.raises(UsageError, match=r"has nothing, expected share; was it saved with other settings\?"):
        Balance("sdmgrad", own.encoder, TASKS, solver="paper_sgd").load_state_dict(
            Balance("sdmgrad", own.encoder, TASKS).state_dict()
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generator": None}, "no whole state of a Balance"),
        ({"steps": "three"}, "no whole state of a Balance"),
        ({"state.logit": torch.zeros(7)}, r"'logit' has the shape \[7\] with 3 tasks"),
        ({"seen.losses.sum": torch.zeros(2)}, r"'losses.sum' has the shape \[2\] with 3 tasks"),
    ],
)
def test_a_damaged_state_is_refused_and_nothing_of_it_taken_up(
    network: Callable[..., Any], change: dict[str, Any], message: str
) -> None:
    own = network()
    balance = Balance("famo", own.encoder, TASKS)
    balance.generator.manual_seed(7)
    before, drawn = repr(balance.state_dict()), balance.generator.get_state()
    with pytest.raises(UsageError, match=message):
        balance.load_state_dict({**Balance("famo", own.encoder, TASKS).state_dict(), **change})
    assert repr(balance.state_dict()) == before and torch.equal(balance.generator.get_state(), drawn)
    with pytest.raises(UsageError, match=r"the state is None; give what state_dict\(\) returned"):
        balance.load_state_dict(None)  # type: ignore[arg-type]


def test_what_was_remembered_of_other_parameters_is_refused(network: Callable[..., Any]) -> None:
    own = network()
    balance = Balance("moco", own.encoder, TASKS)
    balance.backward(own.losses())
    own.encoder[0].requires_grad_(False)
    with pytest.raises(UsageError, match="remembers gradients of 64 values of what is shared; now there are 28"):
        balance.backward(own.losses())


def test_a_checkpoint_may_be_loaded_onto_another_device(network: Callable[..., Any]) -> None:
    """As by `torch.load(path, map_location="cuda")`: what is not on the CPU is brought there."""
    brought: list[str] = []

    class Elsewhere(torch.Tensor):
        def cpu(self) -> torch.Tensor:  # type: ignore[override]
            brought.append("")
            return self.as_subclass(torch.Tensor)

    own = network()
    balance = Balance("uncertainty", own.encoder, TASKS)
    balance.backward(own.losses())
    state = balance.state_dict()
    moved = {name: one.as_subclass(Elsewhere) if isinstance(one, torch.Tensor) else one for name, one in state.items()}
    resumed = Balance("uncertainty", own.encoder, TASKS)
    resumed.load_state_dict(moved)
    assert len(brought) == sum(isinstance(one, torch.Tensor) for one in state.values())
    assert repr(resumed.state_dict()) == repr(state)
