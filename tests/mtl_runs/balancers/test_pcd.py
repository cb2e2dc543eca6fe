from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import PCD, TaskStatistics


def first_direction(balancer: PCD, jacobian: Tensor) -> Tensor:
    statistics = TaskStatistics(torch.ones(len(jacobian)), jacobian @ jacobian.T)
    return balancer.update(balancer.init(len(jacobian)), statistics)[0] @ jacobian


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_tasks=st.integers(2, 14),
    decades=st.floats(0, 4),
    tau=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
)
def test_the_optimum_is_characterised(seed: int, n_tasks: int, decades: float, tau: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    jacobian = torch.randn(n_tasks, 30, generator=generator, dtype=torch.float64)
    jacobian *= 10 ** (decades * torch.rand(n_tasks, 1, generator=generator, dtype=torch.float64))
    found = first_direction(PCD(tau=tau, epsilon=0), jacobian)
    # In the first step every gradient is divided by its own length.
    unit = jacobian / jacobian.norm(dim=1, keepdim=True)
    assert float(found.norm()) == pytest.approx(float(jacobian[0].norm()))
    multipliers = torch.linalg.lstsq(unit.T, found.unsqueeze(-1)).solution.squeeze(-1)
    multipliers = multipliers / multipliers[0]
    before = multipliers @ unit  # the length is restored afterwards
    spare = unit[1:] @ before - tau
    assert (multipliers >= -1e-6).all()
    assert (spare >= -1e-6).all()
    assert float((multipliers[1:] * spare).abs().max()) < 1e-5


def test_the_primary_task_may_be_any() -> None:
    jacobian = torch.tensor([[1.0, 0.0, 0.0], [-0.5, 1.0, 0.0], [0.2, -1.0, 2.0]], dtype=torch.float64)
    turned = first_direction(PCD(primary=2), jacobian)
    torch.testing.assert_close(turned, first_direction(PCD(), jacobian.flip(0)))


def test_each_task_may_have_its_own_share() -> None:
    jacobian = torch.eye(3, dtype=torch.float64)
    found = first_direction(PCD(tau=[0.9, 0.0, 0.5], epsilon=0), jacobian)
    torch.testing.assert_close(found, torch.tensor([1.0, 0.0, 0.5], dtype=torch.float64) / 1.25**0.5)


def test_contradicting_constraints_are_dropped() -> None:
    jacobian = torch.tensor([[0.0, 2.0], [1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(first_direction(PCD(tau=0.1), jacobian), jacobian[0])


def test_without_the_primary_gradient_there_is_nothing_to_follow() -> None:
    jacobian = torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    assert first_direction(PCD(), jacobian).tolist() == [0, 0]


def test_gradients_are_measured_by_their_mean_length() -> None:
    """The second gradient has grown tenfold: its share of one step counts by its mean size, and so is larger."""
    balancer = PCD(tau=0.1, beta=0.5, epsilon=0)
    state = balancer.init(2)
    for length in (1.0, 10.0):
        jacobian = torch.diag(torch.tensor([1.0, length], dtype=torch.float64))
        weights, state = balancer.update(state, TaskStatistics(torch.ones(2), jacobian @ jacobian.T))
    mean = (0.5 * 0.5 * 1 + 0.5 * 100) / 0.75
    share = 0.1 * 10 / mean**0.5  # τ ‖g̃_2‖, where ‖g̃_1‖ = 1
    expected = torch.tensor([1.0, share], dtype=torch.float64) / (1 + share**2) ** 0.5
    torch.testing.assert_close(weights @ jacobian, expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tau": 1.5}, r"tau must be in 0..1, one number or one per task; found 1.5"),
        ({"primary": -1}, "primary must be the position of a task, from 0; found -1"),
        ({"beta": 1}, "beta must be at least 0 and below 1"),
    ],
)
def test_impossible_settings(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PCD(**arguments)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"primary must be in 0..1 for 2 tasks; found 2"):
        PCD(primary=2).init(2)
    with pytest.raises(UsageError, match="2 values of tau were given for 3 tasks"):
        PCD(tau=[0.1, 0.2]).init(3)
