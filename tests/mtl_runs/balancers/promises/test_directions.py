"""What the direction of a step is, whatever a balancer computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

if TYPE_CHECKING:
    from tests.mtl_runs.balancers.promises.conftest import Case

ONE_TASK = {
    "uncertainty": 0.5,
    "cagrad": 1.4 / 1.16,
    "log": 1.4 / 1.16,
    "imgrad": 1.8 / 1.64,
    "fairgrad": 5 ** (-4 / 3),
    "pivrg": 5 ** (-4 / 3),
    "ngdiff": 0.2,
    "nash_mtl": 0.2,
}
"""Weight of a single task of loss 1 and gradient norm 5; 1 for the others."""


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


def test_shapes_precision_and_purity(case: Case) -> None:
    balancer = case.build(3)
    state = balancer.init(3)
    assert all(value.shape[0] == 3 for value in state.values())
    before = {key: value.clone() for key, value in state.items()}
    _, weights, new_state = case.step(
        balancer, state, torch.tensor([1.0, 2.0, 3.0]), torch.eye(3), torch.Generator().manual_seed(0)
    )
    assert weights.shape == (3,)
    assert weights.dtype == torch.float64
    assert new_state.keys() == state.keys()
    closed = balancer.end_epoch(balancer.after_step(new_state, torch.ones(3), torch.ones(3)))
    assert closed.keys() == state.keys()
    assert all(torch.equal(state[key], before[key]) for key in before)
    assert isinstance(balancer.scales_heads, bool)


@pytest.mark.cases(lambda case: not case.random and not case.ordered)
@settings(max_examples=12, deadline=None)
@given(jacobian=jacobians, seed=st.integers(0, 1000))
def test_permuting_the_tasks_permutes_the_weights(case: Case, jacobian: Tensor, seed: int) -> None:
    order = torch.randperm(len(jacobian), generator=torch.Generator().manual_seed(seed))
    losses = torch.linspace(0.5, 3, len(jacobian), dtype=torch.float64)
    direction, _ = case.first_step(jacobian, losses)
    permuted, _ = case.first_step(jacobian[order], losses[order])
    # The weights of dependent gradients are not unique; the direction is.
    torch.testing.assert_close(permuted, direction, rtol=1e-4, atol=1e-4 * case.size(jacobian))


@pytest.mark.cases(lambda case: case.degree is not None)
@settings(max_examples=12, deadline=None)
@given(jacobian=jacobians)
def test_directions_scale_with_the_gradients(case: Case, jacobian: Tensor) -> None:
    assert case.degree is not None
    direction, _ = case.first_step(jacobian)
    scaled, _ = case.first_step(1e3 * jacobian)
    factor = 1e3**case.degree
    torch.testing.assert_close(scaled / factor, direction, rtol=1e-4, atol=1e-4 * case.size(jacobian))


@pytest.mark.cases(lambda case: case.reads_gradients and case.name not in ("rgw", "pcd") and not case.drops_signs)
def test_opposed_equal_gradients_cancel(case: Case) -> None:
    jacobian = torch.tensor([[1.0, 2.0], [-1.0, -2.0]], dtype=torch.float64)
    direction, weights = case.first_step(jacobian)
    assert torch.isfinite(weights).all()
    torch.testing.assert_close(direction, torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-6)


def test_one_task_is_plain_training(case: Case) -> None:
    _, weights = case.first_step(torch.tensor([[3.0, 4.0]], dtype=torch.float64))
    assert weights.tolist() == pytest.approx([ONE_TASK.get(case.name, 1.0)], rel=1e-7)
