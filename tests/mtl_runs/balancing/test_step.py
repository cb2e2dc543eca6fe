"""Balancers that want more than one backward pass: the losses after the step, or several batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from lcode.errors import UsageError
from mtl_runs import Balance
from mtl_runs.balancers import BALANCERS, Needs
from mtl_runs.balancing.buffers import buffers_kept

TASKS = ("seg", "depth", "normals")
PARTS = (slice(0, 4), slice(4, 8), slice(8, 12))


@pytest.mark.parametrize(
    ("balancer", "message"),
    [
        ("famo", r"'famo' measures the losses .* again after the step: call balance.step\(optimizer, closure\)"),
        ("sel_update", "'sel_update' measures"),
        ("modo", r"'modo' compares 3 independent batches .* balance.step\(optimizer, first, second, third\)"),
    ],
)
def test_backward_says_what_is_missing(network: Callable[..., Any], balancer: str, message: str) -> None:
    own = network()
    with pytest.raises(UsageError, match=message):
        Balance(balancer, own.encoder, TASKS).backward(own.losses())
    with pytest.raises(UsageError, match=r"takes (1 closure|3 closures) per step, .* found 2"):
        Balance(balancer, own.encoder, TASKS).step(None, own.losses, own.losses)


def test_all_others_take_a_plain_backward() -> None:
    more = Needs.AFTER_STEP_LOSSES | Needs.SEVERAL_BATCHES
    assert {name for name, kind in BALANCERS.items() if hasattr(kind, "needs") and kind.needs & more} == {
        "famo",
        "sel_update",
        "modo",
    }


@pytest.mark.parametrize("balancer", ["uw_o", "cagrad"])
def test_a_step_serves_every_balancer(network: Callable[..., Any], balancer: str) -> None:
    stepped, by_hand = network(), network()
    one, other = (torch.optim.SGD(each.parameters(), lr=0.1) for each in (stepped, by_hand))
    balances = [Balance(balancer, each.encoder, TASKS) for each in (stepped, by_hand)]
    for _ in range(2):
        weights = balances[0].step(one, stepped.losses)
        other.zero_grad()
        assert balances[1].backward(by_hand.losses()) == weights
        other.step()
    for mine, theirs in zip(stepped.parameters(), by_hand.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_the_losses_after_the_step_change_the_weights_but_no_running_statistics(network: Callable[..., Any]) -> None:
    own = network(nn.BatchNorm1d(6))
    calls = []

    def closure() -> dict[str, torch.Tensor]:
        calls.append(torch.is_grad_enabled())
        return own.losses()

    balance = Balance("famo", own.encoder, TASKS, lr=0.1)
    optimizer = torch.optim.SGD(own.parameters(), lr=0.05)
    first = balance.step(optimizer, closure)
    after_one = [buffer.clone() for buffer in own.encoder[1].buffers()]
    assert calls == [True, False] and int(own.encoder[1].num_batches_tracked) == 1
    with torch.no_grad():
        own.losses()
    assert not torch.equal(after_one[0], own.encoder[1].running_mean)  # the pass would have left its mark
    assert balance.step(optimizer, closure) != first


def test_buffers_are_kept_whatever_happens() -> None:
    norm = nn.BatchNorm1d(2)
    with pytest.raises(RuntimeError, match="stop"), buffers_kept():
        norm(torch.ones(3, 2))
        raise RuntimeError("stop")
    assert norm.state_dict()["num_batches_tracked"] == 0
    norm(torch.ones(3, 2))
    assert norm.state_dict()["num_batches_tracked"] == 1


def test_three_batches_decide_and_the_last_one_moves(network: Callable[..., Any]) -> None:
    own, plain = network(), network()
    closures = [lambda rows=rows: own.losses(rows=rows) for rows in PARTS]
    balance = Balance("modo", own.encoder, TASKS, gamma=1e-3)
    weights = balance.step(torch.optim.SGD(own.parameters(), lr=0.0), *closures)
    rows = []
    for part in PARTS:
        losses = plain.losses(rows=part)
        gradients = [torch.autograd.grad(losses[t], list(plain.encoder.parameters()), retain_graph=True) for t in TASKS]
        rows.append(torch.stack([torch.cat([g.flatten() for g in each]) for each in gradients]).double())
    share = torch.full((3,), 1 / 3, dtype=torch.float64)
    share = share - 1e-3 * (rows[0] @ rows[1].T @ share + 0.1 * share)
    share = share + (1 - share.sum()) / 3  # the projection, while all stay positive
    assert share.min() > 0
    assert list(weights.values()) == pytest.approx(share.tolist(), rel=1e-5)
    found = torch.cat([p.grad.flatten() for p in own.encoder.parameters()])
    torch.testing.assert_close(found, 3 * share.float() @ rows[2].float(), rtol=1e-4, atol=1e-5)
    head = torch.autograd.grad(plain.losses(rows=PARTS[2])["seg"], plain.heads["seg"].weight)[0]
    torch.testing.assert_close(own.heads["seg"].weight.grad, head)
