"""What was remembered of some parameters is never applied to others of the same size."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from lcode.errors import UsageError
from mtl_runs import Balance

TASKS = ("seg", "depth", "normals")

REMEMBERING = ("moco", "db_mtl", "m_config", "adatask", "excess_mtl")


class Swapped:
    """A network with two layers of the same size between the first and the last, of which one is trained."""

    def __init__(self, network: Callable[..., Any]) -> None:
        self.own = network(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6))
        self.encoder = self.own.encoder
        self.encoder.requires_grad_(False)
        self.encoder[1].requires_grad_(True)

    def swap(self) -> None:
        self.encoder[1].requires_grad_(False)
        self.encoder[3].requires_grad_(True)

    def losses(self) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = self.own.losses()
        return losses


@pytest.fixture
def swapped(network: Callable[..., Any]) -> Swapped:
    return Swapped(network)


@pytest.mark.parametrize("balancer", REMEMBERING)
def test_layers_of_the_same_size_that_are_swapped_are_refused(swapped: Swapped, balancer: str) -> None:
    balance = Balance(balancer, swapped.encoder, TASKS)
    balance.backward(swapped.losses())
    swapped.swap()
    place = r"in the place of 1\.weight \[6, 6\] there is now 3\.weight \[6, 6\]"
    with pytest.raises(UsageError, match=rf"{place}: make a new Balance where layers are frozen, set free or added"):
        balance.backward(swapped.losses())
    assert swapped.encoder[3].weight.grad is None
    Balance(balancer, swapped.encoder, TASKS).backward(swapped.losses())


@pytest.mark.parametrize("balancer", ["uncertainty", "fairgrad", "graddrop", "gradvac"])
def test_what_remembers_no_gradients_goes_on_with_other_layers(swapped: Swapped, balancer: str) -> None:
    balance = Balance(balancer, swapped.encoder, TASKS)
    balance.backward(swapped.losses())
    assert "parameters" not in balance.state_dict()
    swapped.swap()
    balance.backward(swapped.losses())
    assert swapped.encoder[3].weight.grad is not None


def test_before_anything_is_remembered_any_layer_will_do(swapped: Swapped) -> None:
    balance = Balance("moco", swapped.encoder, TASKS)
    assert "parameters" not in balance.state_dict()
    swapped.swap()
    balance.backward(swapped.losses())


@pytest.mark.parametrize(
    ("shared", "was", "now"),
    [
        (lambda encoder: encoder, "1.weight", "3.weight"),
        (lambda encoder: [encoder[:2], encoder[2:]], "0.1.weight", "1.3.weight"),
        (lambda encoder: list(encoder.parameters()), "2", "4"),
    ],
)
def test_a_state_knows_its_parameters_in_another_process(
    swapped: Swapped, shared: Callable[[nn.Module], Any], was: str, now: str
) -> None:
    first = Balance("moco", shared(swapped.encoder), TASKS)
    first.backward(swapped.losses())
    state = first.state_dict()
    assert json.loads(json.dumps(state["parameters"]))[0] == f"{was} [6, 6]"
    there = copy.deepcopy(swapped)  # other tensors, as in another process
    second = Balance("moco", shared(there.encoder), TASKS)
    second.load_state_dict(state)
    second.backward(there.losses())
    second.load_state_dict(state)
    assert second.state_dict()["parameters"] == state["parameters"]
    there.swap()
    with pytest.raises(UsageError, match=rf"in the place of {was} \[6, 6\] there is now {now} \[6, 6\]"):
        second.backward(there.losses())
    second.load_state_dict(Balance("moco", shared(there.encoder), TASKS).state_dict())  # which remembers nothing
    second.backward(there.losses())


def test_parameters_are_the_same_under_another_name_or_as_another_tensor(swapped: Swapped) -> None:
    balance = Balance("moco", swapped.encoder, TASKS)
    balance.backward(swapped.losses())
    layer = swapped.encoder[1]
    prune.identity(layer, "weight")  # it is `weight_orig` now, and the last one
    with pytest.raises(UsageError, match=r"in the place of 1\.weight \[6, 6\] there is now 1\.bias \[6\]"):
        balance.backward(swapped.losses())
    layer._parameters = {name: layer._parameters[name] for name in ("weight_orig", "bias")}
    balance.backward(swapped.losses())
    assert balance.state_dict()["parameters"] == ["1.weight_orig [6, 6]", "1.bias [6]"]
    layer.bias = nn.Parameter(layer.bias.detach().clone())
    balance.backward(swapped.losses())


@pytest.mark.parametrize("wrapped", [torch.compile, nn.DataParallel])
def test_a_wrapped_module_has_the_names_of_the_plain_one(
    swapped: Swapped, wrapped: Callable[[nn.Module], nn.Module]
) -> None:
    plain = Balance("moco", swapped.encoder, TASKS)
    plain.backward(swapped.losses())
    other = Balance("moco", wrapped(swapped.encoder), TASKS)
    other.load_state_dict(plain.state_dict())
    other.backward(swapped.losses())
    assert other.state_dict()["parameters"] == plain.state_dict()["parameters"]


def test_a_state_without_names_is_taken_up_and_gets_them(swapped: Swapped) -> None:
    balance = Balance("moco", swapped.encoder, TASKS)
    balance.backward(swapped.losses())
    old = {name: value for name, value in balance.state_dict().items() if name != "parameters"}
    resumed = Balance("moco", swapped.encoder, TASKS)
    resumed.load_state_dict(old)
    resumed.backward(swapped.losses())
    balance.backward(swapped.losses())
    assert repr(resumed.state_dict()) == repr(balance.state_dict())
    with pytest.raises(UsageError, match="no whole state of a Balance"):
        resumed.load_state_dict({**old, "parameters": 3})
