"""Scaled losses, half precision, compiled models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from lcode.errors import UsageError
from mtl_runs import Balance

TASKS = ("seg", "depth", "normals")


@pytest.mark.parametrize("balancer", ["uncertainty", "inverse_norm", "fairgrad", "db_mtl"])
def test_a_scaler_changes_no_decision(network: Callable[..., Any], balancer: str) -> None:
    own, plain = network(), network()
    balances = [Balance(balancer, each.encoder, TASKS) for each in (own, plain)]
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    optimizer = torch.optim.SGD(own.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        plain.zero_grad()
        weights = balances[0].backward(own.losses(), scaler=scaler)
        assert weights == balances[1].backward(plain.losses())
        torch.testing.assert_close(own.gradients(), 2.0**10 * plain.gradients())
        before = own.encoder[0].weight.detach().clone()
        scaler.step(optimizer)
        scaler.update()
        torch.testing.assert_close(own.encoder[0].weight, before - 0.1 * plain.encoder[0].weight.grad)
        plain.load_state_dict(own.state_dict())
    assert balances[0].signals() == pytest.approx(balances[1].signals(), rel=1e-5)


def test_a_scaler_that_is_switched_off_is_none(network: Callable[..., Any]) -> None:
    own, plain = network(), network()
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    optimizer = torch.optim.SGD(own.parameters(), lr=0.0)
    weights = Balance("mgda", own.encoder, TASKS).step(optimizer, own.losses, scaler=scaler)
    assert weights == Balance("mgda", plain.encoder, TASKS).backward(plain.losses())
    assert torch.equal(own.gradients(), plain.gradients())


@pytest.mark.parametrize("balancer", ["uncertainty", "rlw", "fairgrad", "db_mtl"])
def test_an_infinite_gradient_skips_the_step_and_leaves_the_balancer_as_it_was(
    network: Callable[..., Any], balancer: str
) -> None:
    own = network()
    balance = Balance(balancer, own.encoder, TASKS)
    optimizer = torch.optim.SGD(own.parameters(), lr=0.1)
    balance.backward(own.losses())
    balance.signals()
    before, weight = balance.state_dict(), own.encoder[0].weight.detach().clone()
    scaler = torch.amp.GradScaler("cpu", init_scale=1e38)
    optimizer.zero_grad()
    balance.backward(own.losses(), scaler=scaler)
    scaler.step(optimizer)
    scaler.update()
    assert torch.equal(own.encoder[0].weight, weight) and scaler.get_scale() < 1e38
    after = balance.state_dict()
    assert after.keys() == before.keys() and balance.signals() == {}
    torch.testing.assert_close(
        *(
            {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
            for state in (after, before)
        ),
        rtol=0,
        atol=0,
    )


def test_a_skipped_step_has_no_losses_after_it(network: Callable[..., Any]) -> None:
    own, calls = network(), []

    def closure() -> dict[str, torch.Tensor]:
        calls.append(1)
        return {task: 1e3 * loss for task, loss in own.losses().items()}

    balance = Balance("famo", own.encoder, TASKS)
    optimizer = torch.optim.SGD(own.parameters(), lr=0.1)
    balance.step(optimizer, closure, scaler=torch.amp.GradScaler("cpu", init_scale=3e38))
    assert len(calls) == 1
    balance.step(optimizer, closure, scaler=torch.amp.GradScaler("cpu", init_scale=8.0))
    assert len(calls) == 3


@pytest.mark.parametrize("inside", [True, False])
def test_autocast_in_the_forward_pass_only(network: Callable[..., Any], inside: bool) -> None:
    own, plain = network(), network()
    exact = Balance("fairgrad", plain.encoder, TASKS).backward(plain.losses())
    balance, seen = Balance("fairgrad", own.encoder, TASKS), []
    own.encoder[0].weight.register_hook(lambda gradient: seen.append(torch.is_autocast_enabled("cpu")))
    with torch.autocast("cpu", torch.bfloat16):
        losses = own.losses()
        weights = balance.backward(losses) if inside else {}
    weights = weights or balance.backward(losses)
    assert seen == [False] * 3
    assert own.encoder[0].weight.grad.dtype == torch.float32
    assert weights == pytest.approx(exact, rel=0.05) and weights != exact


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_compiled_model_is_balanced_as_it_is_without(network: Callable[..., Any], backend: str) -> None:
    plain, own = network(nn.BatchNorm1d(6)), network(nn.BatchNorm1d(6))
    torch._dynamo.reset()

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.heads = own.encoder, own.heads

        def forward(self, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
            features = self.encoder(inputs)
            return {task: head(features) for task, head in self.heads.items()}

    compiled = torch.compile(Model(), backend=backend)

    def losses() -> dict[str, torch.Tensor]:
        return {task: (output - own.targets[task]).square().mean() for task, output in compiled(own.inputs).items()}

    expected = Balance("fairgrad", plain.encoder, TASKS).backward(plain.losses())
    assert Balance("fairgrad", own.encoder, TASKS).backward(losses()) == pytest.approx(expected, rel=1e-4)
    # In one compiled graph every output seems to depend on every parameter; the heads have their own gradients still.
    torch.testing.assert_close(own.gradients(), plain.gradients(), rtol=1e-4, atol=1e-6)
    tracked = int(own.encoder[1].num_batches_tracked)
    Balance("famo", own.encoder, TASKS).step(torch.optim.SGD(own.parameters(), lr=0.1), losses)
    assert int(own.encoder[1].num_batches_tracked) == tracked + 1


def test_a_graph_that_lets_one_pass_through_is_refused_with_a_remedy(
    network: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = network()

    def once(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("This backward function was compiled with non-empty donated buffers which requires …")

    monkeypatch.setattr(torch.autograd, "grad", once)
    with pytest.raises(UsageError, match=r"donated_buffer = False"):
        Balance("mgda", own.encoder, TASKS).backward(own.losses())
