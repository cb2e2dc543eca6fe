"""MoDo and SDMGrad by stochastic steps: methods that read products of the gradients of two batches."""

from __future__ import annotations

import pytest
import torch

from lcode.errors import UsageError
from mtl_runs.balancers import MoDo, Needs, SDMGrad, SDMGradOS, TaskStatistics
from mtl_runs.balancers.solvers import project_to_simplex


def products(seed: int, n_tasks: int = 3) -> torch.Tensor:
    one, other = torch.randn(2, n_tasks, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (one + 0.5) @ (0.8 * one + 0.2 * other + 0.5).T


def test_what_they_read_depends_on_the_solver() -> None:
    assert Needs.SEVERAL_BATCHES in MoDo().needs
    assert Needs.SEVERAL_BATCHES in SDMGrad(solver="paper_sgd").needs
    assert Needs.SEVERAL_BATCHES in SDMGradOS(solver="paper_sgd").needs
    assert Needs.SEVERAL_BATCHES not in SDMGrad().needs
    assert SDMGrad().init(3) == {}


def test_modo_by_hand() -> None:
    balancer = MoDo(gamma=0.2, rho=0.3)
    state, share = balancer.init(3), torch.full((3,), 1 / 3, dtype=torch.float64)
    for t in range(6):
        share = project_to_simplex(share - 0.2 * (products(t) @ share + 0.3 * share))
        weights, state = balancer.update(state, TaskStatistics(torch.ones(3), products(t)))
        torch.testing.assert_close(weights, share)


def test_modo_finds_the_shortest_mixture() -> None:
    balancer = MoDo(gamma=0.05, rho=0.0)
    state = balancer.init(2)
    for _ in range(300):
        weights, state = balancer.update(state, TaskStatistics(torch.ones(2), torch.diag(torch.tensor([4.0, 1.0]))))
    assert weights.tolist() == pytest.approx([0.2, 0.8], abs=1e-6)


def test_an_inactive_task_keeps_its_share_and_gets_it_back() -> None:
    balancer = MoDo(gamma=0.05, rho=0.0)
    state = {"share": torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)}
    product = torch.diag(torch.tensor([4.0, 0.0, 1.0]))
    weights, after = balancer.update(state, TaskStatistics(torch.ones(3), product))
    assert weights[1] == 0
    assert float(weights.sum()) == pytest.approx(1)
    assert after["share"][1] == 0.5
    assert float(after["share"].sum()) == pytest.approx(1)


@pytest.mark.parametrize("regularisation", [0.0, 0.3, 2.0])
def test_the_inner_loop_goes_on_where_it_was_and_ends_at_the_exact_solution(regularisation: float) -> None:
    jacobian = torch.tensor([[1.0, 0.0, 0.2], [-0.5, 1.0, 0.0], [0.3, -0.4, 0.7]], dtype=torch.float64)
    statistics = TaskStatistics(torch.ones(3), jacobian @ jacobian.T)
    balancer = SDMGrad(regularisation, solver="paper_sgd")
    exact, _ = SDMGrad(regularisation).update({}, statistics)
    state, errors = balancer.init(3), []
    for _ in range(8):
        weights, state = balancer.update(state, statistics)
        errors.append(float((weights - exact).norm()))
    assert errors[0] < 0.05
    assert errors[-1] < 1e-6


def test_sampling_moves_the_sampled_tasks_only() -> None:
    balancer = SDMGradOS(2, solver="paper_sgd")
    state, generator = balancer.init(4), torch.Generator().manual_seed(0)
    for t in range(20):
        weights, new = balancer.update(state, TaskStatistics(torch.ones(4), products(t, 4)), generator)
        out = weights == 0
        assert torch.equal(new["share"][out], state["share"][out])
        assert float(new["share"].sum()) == pytest.approx(1)
        state = new


def test_settings_out_of_range() -> None:
    with pytest.raises(UsageError, match=r"gamma must be above 0 and rho not negative; found gamma=0, rho=0.1"):
        MoDo(gamma=0)
    with pytest.raises(UsageError, match="solver must be one of exact, paper_sgd; found 'sgd'"):
        SDMGrad(solver="sgd")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="lr must be above 0; found 0"):
        SDMGrad(lr=0)
