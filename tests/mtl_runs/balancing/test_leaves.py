"""What losses depend on, read off their graphs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mtl_runs.balancing.leaves import reach


def leaf(value: float = 1.0) -> Tensor:
    return torch.tensor([value, 2.0], requires_grad=True)


def test_every_leaf_knows_the_losses_that_depend_on_it() -> None:
    shared, one, other, unused = leaf(), leaf(), leaf(), leaf()
    features = (shared * 2).exp()
    losses = [(features * one).sum(), (features + other).sum(), (one * 3).sum(), torch.ones(())]
    found = reach(losses)
    assert {id(x): mask for x, mask in zip(found.leaves, found.by_leaf, strict=True)} == {
        id(shared): 0b0011,
        id(one): 0b0101,
        id(other): 0b0010,
    }
    assert id(unused) not in map(id, found.leaves) and not found.opaque


def test_nothing_is_looked_at_behind_a_stop() -> None:
    shared, around, own = leaf(), leaf(), leaf()
    one, two = torch.stack([shared, shared * 3]).unbind(0)
    losses = [(one * own).sum() + around.sum(), two.sum(), (around * own).sum()]
    found = reach(losses, [one, two])
    assert list(found.by_stop) == [0b001, 0b010]
    assert {id(x): mask for x, mask in zip(found.leaves, found.by_leaf, strict=True)} == {
        id(own): 0b101,
        id(around): 0b101,
    }
    # The two come out of one operation, and only one of them is a stop.
    half = reach(losses, [one])
    assert dict(zip(map(id, half.leaves), half.by_leaf, strict=True))[id(shared)] == 0b010


@pytest.mark.parametrize("depth", [1, 5000])
def test_a_graph_may_be_deeper_than_pythons_stack(depth: int) -> None:
    first = leaf()
    value = first.sum()
    for _ in range(depth):
        value = value + 1
    found = reach([value, first[0]])
    assert list(found.by_leaf) == [0b11] and found.leaves[0] is first


def test_the_order_of_leaves_is_that_of_the_graph() -> None:
    """Processes that train together add up their gradients in this order."""

    def order() -> list[float]:
        leaves = [leaf(float(k)) for k in range(20)]
        losses = [sum(x.sum() * k for k, x in enumerate(leaves[start:])) for start in (0, 5)]
        return [float(x.detach()[0]) for x in reach(losses).leaves]  # type: ignore[arg-type]

    assert order() == order() and len(order()) == 20
