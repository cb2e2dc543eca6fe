"""What every balancer promises, whatever its formula."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import BALANCERS, Balancer, Needs, TaskStatistics, make_balancer

GRADIENT_METHODS = ("inverse_norm", "pcgrad", "mgda", "cagrad", "fairgrad")
SCALE_FREE = ("inverse_norm", "pcgrad", "mgda", "cagrad")
DETERMINISTIC = tuple(name for name in BALANCERS if name != "pcgrad")


def build(name: str, n_tasks: int) -> Balancer:
    arguments: dict[str, Any] = {"weights": [k + 1.0 for k in range(n_tasks)]} if name == "fixed" else {}
    return make_balancer(name, **arguments)


def weights_of(balancer: Balancer, gramian: Tensor, losses: Tensor | None = None) -> Tensor:
    losses = torch.ones(gramian.shape[:-1], dtype=torch.float64) if losses is None else losses
    state = balancer.init(gramian.shape[-1])
    return balancer.update(state, TaskStatistics(losses, gramian), torch.Generator().manual_seed(0))[0]


def random_jacobian(seed: int, n_tasks: int, rank: int, scale: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(n_tasks, rank, generator=generator, dtype=torch.float64)
    return scale * left @ torch.randn(rank, 12, generator=generator, dtype=torch.float64)


jacobians = st.builds(
    random_jacobian,
    st.integers(0, 10**6),
    st.integers(2, 5),
    st.integers(1, 5),
    st.sampled_from([1e-6, 1e-2, 1.0, 1e4]),
)


@pytest.mark.parametrize("name", BALANCERS)
def test_shapes_precision_and_purity(name: str) -> None:
    gramian = torch.eye(3)
    losses = torch.tensor([1.0, 2.0, 3.0])
    balancer = build(name, 3)
    state = balancer.init(3)
    before = {key: value.clone() for key, value in state.items()}
    weights, new_state = balancer.update(state, TaskStatistics(losses, gramian), torch.Generator().manual_seed(0))
    assert weights.shape == (3,)
    assert weights.dtype == torch.float64
    assert new_state.keys() == state.keys()
    assert all(torch.equal(state[key], before[key]) for key in before)
    assert isinstance(balancer.scales_heads, bool)


@pytest.mark.parametrize("name", BALANCERS)
def test_a_population_equals_its_members_one_by_one(name: str) -> None:
    balancer = build(name, 3)
    generator = torch.Generator().manual_seed(1)
    jacobian = torch.randn(4, 2, 3, 6, generator=generator, dtype=torch.float64)
    jacobian[1, 0, 2] = 0
    jacobian[2, 1, 0] = torch.nan
    gramian = jacobian @ jacobian.mT
    losses = torch.rand(4, 2, 3, generator=generator, dtype=torch.float64) + 0.1
    state = {key: value.expand(4, 2, 3) for key, value in balancer.init(3).items()}
    draws = torch.Generator().manual_seed(2)
    together, new_state = balancer.update(state, TaskStatistics(losses, gramian), draws)
    draws = torch.Generator().manual_seed(2)
    for i in range(4):
        for j in range(2):
            alone, own = balancer.update(balancer.init(3), TaskStatistics(losses[i, j], gramian[i, j]), draws)
            torch.testing.assert_close(together[i, j], alone, rtol=1e-6, atol=1e-9)
            for key, value in own.items():
                torch.testing.assert_close(new_state[key][i, j], value)


@pytest.mark.parametrize("name", DETERMINISTIC)
@settings(max_examples=15, deadline=None)
@given(jacobian=jacobians, seed=st.integers(0, 1000))
def test_permuting_the_tasks_permutes_the_weights(name: str, jacobian: Tensor, seed: int) -> None:
    if name == "fixed":
        return
    order = torch.randperm(len(jacobian), generator=torch.Generator().manual_seed(seed))
    balancer = build(name, len(jacobian))
    losses = torch.linspace(0.5, 3, len(jacobian), dtype=torch.float64)
    direction = weights_of(balancer, jacobian @ jacobian.T, losses) @ jacobian
    shuffled = jacobian[order]
    permuted = weights_of(balancer, shuffled @ shuffled.T, losses[order]) @ shuffled
    # The weights of dependent gradients are not unique; the direction is.
    torch.testing.assert_close(permuted, direction, rtol=1e-4, atol=1e-4 * float(jacobian.norm()))


@pytest.mark.parametrize("name", SCALE_FREE)
@settings(max_examples=15, deadline=None)
@given(jacobian=jacobians)
def test_directions_scale_with_the_gradients(name: str, jacobian: Tensor) -> None:
    balancer = build(name, len(jacobian))
    direction = weights_of(balancer, jacobian @ jacobian.T) @ jacobian
    scaled = weights_of(balancer, (1e3 * jacobian) @ (1e3 * jacobian).T) @ (1e3 * jacobian)
    torch.testing.assert_close(scaled, 1e3 * direction, rtol=1e-4, atol=1e-1 * float(jacobian.norm()))


@pytest.mark.parametrize("name", BALANCERS)
def test_a_task_that_is_not_a_number_has_no_weight_and_keeps_its_state(name: str) -> None:
    balancer = build(name, 3)
    jacobian = torch.tensor([[1.0, 0.0], [torch.nan, 1.0], [0.5, 1.0]], dtype=torch.float64)
    losses = torch.tensor([1.0, torch.nan, 2.0], dtype=torch.float64)
    state = balancer.init(3)
    weights, new_state = balancer.update(state, TaskStatistics(losses, jacobian @ jacobian.T), torch.Generator())
    assert weights[1] == 0
    assert torch.isfinite(weights).all()
    assert (weights[[0, 2]] > 0).all()
    for key, value in new_state.items():
        assert value[1] == state[key][1]
        assert torch.isfinite(value).all()


@pytest.mark.parametrize("name", GRADIENT_METHODS)
def test_a_zero_gradient_leaves_the_others_as_if_they_were_alone(name: str) -> None:
    jacobian = torch.tensor([[1.0, 0.2], [-0.5, 1.0]], dtype=torch.float64)
    alone = weights_of(build(name, 2), jacobian @ jacobian.T)
    padded = torch.cat([jacobian[:1], torch.zeros(1, 2, dtype=torch.float64), jacobian[1:]])
    weights = weights_of(build(name, 3), padded @ padded.T)
    torch.testing.assert_close(weights[[0, 2]], alone)
    assert weights[1] == 0


@pytest.mark.parametrize("name", GRADIENT_METHODS)
def test_all_gradients_zero_or_nan_give_no_weight(name: str) -> None:
    for value in (0.0, torch.nan, torch.inf):
        weights = weights_of(build(name, 3), torch.full((3, 3), value, dtype=torch.float64))
        assert (weights == 0).all()


@pytest.mark.parametrize("name", GRADIENT_METHODS)
def test_opposed_equal_gradients_cancel(name: str) -> None:
    jacobian = torch.tensor([[1.0, 2.0], [-1.0, -2.0]], dtype=torch.float64)
    weights = weights_of(build(name, 2), jacobian @ jacobian.T)
    assert torch.isfinite(weights).all()
    torch.testing.assert_close(weights @ jacobian, torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", BALANCERS)
def test_one_task_is_plain_training(name: str) -> None:
    weights = weights_of(build(name, 1), torch.tensor([[25.0]], dtype=torch.float64))
    expected = {"uncertainty": 0.5, "cagrad": 1.4 / 1.16, "fairgrad": 5 ** (-4 / 3)}.get(name, 1.0)
    assert weights.tolist() == pytest.approx([expected], rel=1e-8)


@pytest.mark.parametrize("name", [n for n, kind in BALANCERS.items() if Needs.GRAMIAN not in kind.needs])
def test_loss_weighting_does_not_look_at_gradients(name: str) -> None:
    losses = torch.tensor([1.0, 2.0])
    with_nan = weights_of(build(name, 2), torch.full((2, 2), torch.nan), losses)
    torch.testing.assert_close(with_nan, weights_of(build(name, 2), torch.eye(2), losses))


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(UsageError, match="no balancer 'mdga'; there are: equal, fixed"):
        make_balancer("mdga")
    with pytest.raises(UsageError, match="'cagrad' has no setting 'alpha'; its settings are: c, rescale"):
        make_balancer("cagrad", alpha=1)
    with pytest.raises(UsageError, match="'mgda' has no setting 'c'; it has no settings"):
        make_balancer("mgda", c=1)
    with pytest.raises(UsageError, match="'fixed' needs its setting 'weights'"):
        make_balancer("fixed")
