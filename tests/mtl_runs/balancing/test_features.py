"""Gradients of the features in the place of the parameters'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lcode.errors import UsageError
from mtl_runs import Balance
from mtl_runs.balancers import Needs, TaskStatistics

TASKS = ("seg", "depth", "normals")


@pytest.mark.parametrize("balancer", ["mgda", "fairgrad", "inverse_norm", "equal"])
def test_the_direction_is_that_of_weights_by_the_features_gradients(
    network: Callable[..., Any], weighted: Callable[..., Tensor], balancer: str
) -> None:
    own = network()
    features = own.encoder(own.inputs)
    balance = Balance(balancer, own.encoder, TASKS)
    weights = balance.backward(own.losses(features), features=features)
    torch.testing.assert_close(torch.cat([p.grad.flatten() for p in own.encoder.parameters()]), weighted(weights))

    plain = network()
    features = plain.encoder(plain.inputs).detach().requires_grad_()
    losses = plain.losses(features)
    rows = torch.stack([torch.autograd.grad(losses[task], features)[0].flatten() for task in TASKS]).double()
    values = torch.stack([loss.detach().double() for loss in losses.values()])
    expected, _ = balance.balancer.update(balance.balancer.init(3), TaskStatistics(values, rows @ rows.T))
    assert list(weights.values()) == pytest.approx(expected.tolist(), rel=1e-3)
    assert balance.signals()["seg/grad_norm"] == pytest.approx(float(rows[0].norm()), rel=1e-5)


def test_several_features_are_one(network: Callable[..., Any]) -> None:
    together, apart = network(), network()
    features = together.encoder(together.inputs)
    expected = Balance("mgda", together.encoder, TASKS).backward(together.losses(features), features=features)
    parts = apart.encoder(apart.inputs).tensor_split(2, dim=1)
    found = Balance("mgda", apart.encoder, TASKS).backward(apart.losses(torch.cat(parts, 1)), features=parts)
    assert found == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(apart.gradients(), together.gradients())


def test_a_method_with_other_rows_is_carried_out_on_the_features(network: Callable[..., Any]) -> None:
    own = network()
    features = own.encoder(own.inputs)
    balance = Balance("graddrop", own.encoder, TASKS, seed=2)
    balance.backward(own.losses(features), features=features)
    assert Needs.JACOBIAN in balance.balancer.needs
    plain = network()
    features = plain.encoder(plain.inputs)
    losses = plain.losses(features)
    rows = torch.stack(
        [torch.autograd.grad(loss, features, retain_graph=True)[0].flatten() for loss in losses.values()]
    )
    values = torch.stack([loss.detach() for loss in losses.values()])
    dropped, _ = balance.balancer.transform({}, values, rows, torch.Generator().manual_seed(2))
    features.backward(dropped.sum(0).view_as(features))
    torch.testing.assert_close(own.encoder[0].weight.grad, plain.encoder[0].weight.grad)


def test_features_that_cannot_serve_are_refused(network: Callable[..., Any]) -> None:
    own = network()
    features = own.encoder(own.inputs)

    def refused(balancer: str, losses: dict[str, Tensor], given: Any, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            Balance(balancer, own.encoder, TASKS).backward(losses, features=given)
        assert own.gradients().isnan().all()

    refused("mgda", own.losses(features), features.detach(), "with its graph")
    refused("mgda", own.losses(features), own.encoder(own.inputs), "task 'seg' does not depend on the features")
    around = {**own.losses(features), "depth": own.losses(features)["depth"] + own.encoder[0].weight.sum()}
    refused("mgda", around, features, r"shape \[6, 5\] reaches the loss of task 'depth' on a way around the features")
    refused(
        "moco", own.losses(features), features, "MoCo.* remembers gradients from step to step.*leave `features` out"
    )


def test_only_the_heads_are_gone_through_once_per_task(network: Callable[..., Any]) -> None:
    calls = []

    class Counted(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Tensor:
            calls.append(1)
            return gradient

    class Middle(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return Counted.apply(x)

    own = network(Middle())
    Balance("mgda", own.encoder, TASKS).backward(own.losses())
    assert len(calls) == 3
    calls.clear()
    features = own.encoder(own.inputs)
    Balance("mgda", own.encoder, TASKS).backward(own.losses(features), features=features)
    assert len(calls) == 1
    calls.clear()
    Balance("uw_o", own.encoder, TASKS, watch_every=0).backward(own.losses())
    assert len(calls) == 1


def test_features_that_are_given_twice_count_once(network: Callable[..., Any]) -> None:
    once, twice = network(), network()
    for own, times in ((once, 1), (twice, 2)):
        features = own.encoder(own.inputs)
        Balance("mgda", own.encoder, TASKS).backward(own.losses(features), features=[features] * times)
    torch.testing.assert_close(twice.gradients(), once.gradients())
