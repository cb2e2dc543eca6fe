"""AdaTask, GradDrop, MoCo, DB-MTL and ExcessMTL: methods that read the Jacobian itself."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import DBMTL, AdaTask, Balancer, ExcessMTL, GradDrop, MoCo, State, TaskStatistics
from mtl_runs.balancers.solvers import project_to_simplex


def sampled(seed: int, n_tasks: int = 3, n_parameters: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n_tasks, n_parameters, generator=generator, dtype=torch.float64)


def step(
    balancer: Balancer, state: State, losses: Tensor, jacobian: Tensor, seed: int = 0
) -> tuple[Tensor, Tensor, State]:
    """Rows, weights and new state."""
    generator = torch.Generator().manual_seed(seed)
    rows, state = balancer.transform(state, losses, jacobian, generator)
    weights, state = balancer.update(state, TaskStatistics(losses, rows @ rows.T), generator)
    return rows, weights, state


def test_graddrop_keeps_one_sign_with_the_probability_of_its_purity() -> None:
    jacobian = torch.tensor([[3.0, 1.0, 0.0], [-1.0, 2.0, 0.0]], dtype=torch.float64).expand(20000, 2, 3)
    rows, _ = GradDrop().transform({}, torch.ones(20000, 2), jacobian, torch.Generator().manual_seed(0))
    positive = rows[:, 0, 0] == 3
    assert float(positive.double().mean()) == pytest.approx(0.75, abs=0.01)
    assert torch.equal(rows[:, 1, 0] == 0, positive)
    assert (rows[..., 1] == jacobian[..., 1]).all()
    assert (rows[..., 2] == 0).all()


def test_db_mtl_by_hand() -> None:
    balancer = DBMTL(beta=0.9, sigma=0.5)
    state, tracked = balancer.init(3), torch.zeros(3, 6, dtype=torch.float64)
    for t in range(1, 6):
        losses, jacobian = torch.rand(3, generator=torch.Generator().manual_seed(t)).double() + 0.1, sampled(t)
        memory = 0.9 / t**0.5
        tracked = memory * tracked + (1 - memory) * jacobian / losses.unsqueeze(-1)
        rows, weights, state = step(balancer, state, losses, jacobian)
        torch.testing.assert_close(rows, tracked)
        scaled = 3 * weights.unsqueeze(-1) * rows
        torch.testing.assert_close(scaled.norm(dim=1), rows.norm(dim=1).max().expand(3))


def test_db_mtl_does_not_see_the_size_of_a_loss() -> None:
    balancer, jacobian, factor = DBMTL(), sampled(0), torch.tensor([1.0, 1e4, 1.0], dtype=torch.float64)
    rows, weights, _ = step(balancer, balancer.init(3), torch.ones(3), jacobian)
    others, same, _ = step(balancer, balancer.init(3), factor, factor.unsqueeze(-1) * jacobian)
    torch.testing.assert_close(weights @ rows, same @ others)


def test_moco_by_hand() -> None:
    balancer = MoCo(beta=0.5, gamma=0.2, sigma=0.5, rho=0.1)
    state = balancer.init(3)
    tracked, share = torch.zeros(3, 6, dtype=torch.float64), torch.full((3,), 1 / 3, dtype=torch.float64)
    for t in range(1, 6):
        losses, jacobian = torch.rand(3, generator=torch.Generator().manual_seed(t)).double() + 0.1, sampled(t)
        current = jacobian / jacobian.norm(dim=1, keepdim=True) * losses.unsqueeze(-1)
        tracked = tracked - 0.5 / t**0.5 * (tracked - current)
        share = project_to_simplex(share - 0.2 / t**0.5 * (tracked @ tracked.T @ share + 0.1 * share))
        rows, weights, state = step(balancer, state, losses, jacobian)
        torch.testing.assert_close(rows, tracked)
        torch.testing.assert_close(weights, share)


def test_moco_finds_the_shortest_mixture_of_steady_gradients() -> None:
    balancer = MoCo(beta=1.0, gamma=0.5, sigma=0.0)
    jacobian = torch.tensor([[2.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    state, losses = balancer.init(2), torch.tensor([2.0, 1.0], dtype=torch.float64)
    for _ in range(60):
        rows, weights, state = step(balancer, state, losses, jacobian)
    assert (weights @ rows).tolist() == pytest.approx([0.4, 0.8], abs=1e-3)


def test_excess_mtl_favours_the_task_that_stays_far_from_its_optimum() -> None:
    balancer = ExcessMTL(step_size=0.5)
    state = balancer.init(2)
    for t in range(10):
        jacobian = torch.tensor([[1.0, 0.0], [0.0, 0.3**t]], dtype=torch.float64)
        _, weights, state = step(balancer, state, torch.ones(2), jacobian)
    assert weights[0] > 0.6


def test_adatask_by_hand() -> None:
    for second, expected in ((-1000.0, 0.0), (1000.0, 1.0)):
        jacobian = torch.tensor([[1.0], [second]], dtype=torch.float64)
        rows, weights, _ = step(AdaTask(), AdaTask().init(2), torch.ones(2), jacobian)
        assert (weights @ rows).tolist() == pytest.approx([expected], abs=1e-7)


def test_adatask_is_one_adam_per_task() -> None:
    balancer = AdaTask()
    state = balancer.init(2)
    theta = [torch.zeros(6, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    adams = [torch.optim.Adam([parameters], lr=0.1) for parameters in theta]
    moved = torch.zeros(6, dtype=torch.float64)
    for t in range(8):
        jacobian = sampled(t, 2) * torch.tensor([[1.0], [1e3]])
        rows, weights, state = step(balancer, state, torch.ones(2), jacobian)
        moved -= 0.1 * 2 * weights @ rows
        for parameters, adam, row in zip(theta, adams, jacobian, strict=True):
            parameters.grad = row.clone()
            adam.step()
    torch.testing.assert_close(moved, (theta[0] + theta[1]).detach())


def test_adatask_does_not_see_the_size_of_a_loss() -> None:
    balancer = AdaTask()
    plain, scaled = balancer.init(2), balancer.init(2)
    for t in range(5):
        jacobian = sampled(t, 2)
        rows, _, plain = step(balancer, plain, torch.ones(2), jacobian)
        others, _, scaled = step(balancer, scaled, torch.ones(2), 1e4 * jacobian)
    torch.testing.assert_close(others, rows, rtol=1e-5, atol=1e-6)


def test_memory_of_the_jacobian_has_its_precision() -> None:
    for balancer in (DBMTL(), MoCo(), ExcessMTL()):
        _, weights, state = step(balancer, balancer.init(3), torch.ones(3), sampled(0).float())
        assert weights.dtype == torch.float64
        large = state["squares"] if "squares" in state else state["tracked"]
        assert large.shape == (3, 6)
        assert large.dtype == torch.float32


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DBMTL(beta=1), "beta must be at least 0 and below 1; found 1"),
        (lambda: DBMTL(sigma=-1), "sigma must not be negative; found -1"),
        (lambda: MoCo(beta=0), "beta must be above 0 and at most 1; found 0"),
        (lambda: MoCo(gamma=0), "gamma must be above 0, sigma and rho not negative; found gamma=0"),
        (lambda: ExcessMTL(step_size=0), "step_size must be above 0; found 0"),
        (lambda: ExcessMTL(warmup=-1), "warmup must not be negative; found -1"),
    ],
)
def test_settings_out_of_range(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError, match=message):
        make()
