"""Pinned numbers and guarantees of the methods that read the Gramian."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import MGDA, Balancer, CAGrad, FairGrad, PCGrad, TaskStatistics

ORTHONORMAL = [[1.0, 0.0], [0.0, 1.0]]
STRETCHED = [[2.0, 0.0], [0.0, 1.0]]
CONFLICT = [[1.0, 0.0], [-0.5, 1.0]]


def sampled(seed: int, n_tasks: int, rank: int, scale: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(n_tasks, rank, generator=generator, dtype=torch.float64)
    return scale * left @ torch.randn(rank, 20, generator=generator, dtype=torch.float64)


jacobians = st.builds(
    sampled,
    st.integers(0, 10**6),
    st.integers(2, 6),
    st.integers(1, 8),
    st.sampled_from([1e-8, 1e-3, 1.0, 1e5]),
)
independent = st.builds(
    sampled, st.integers(0, 10**6), st.integers(2, 5), st.just(8), st.sampled_from([1e-6, 1e-3, 1.0, 1e3])
)


def combine(balancer: Balancer, jacobian: Tensor) -> Tensor:
    statistics = TaskStatistics(torch.ones(len(jacobian)), jacobian @ jacobian.T)
    return balancer.update({}, statistics, torch.Generator().manual_seed(0))[0] @ jacobian


@settings(max_examples=30, deadline=None)
@given(jacobian=jacobians)
def test_mgda_makes_no_task_worse(jacobian: Tensor) -> None:
    combined = combine(MGDA(), jacobian)
    scale = float((jacobian @ jacobian.T).diagonal().mean())
    assert float((jacobian @ combined).min() - combined @ combined) >= -1e-6 * scale


@settings(max_examples=30, deadline=None)
@given(jacobian=independent, c=st.floats(0.05, 0.95))
def test_cagrad_solves_its_problem(jacobian: Tensor, c: float) -> None:
    combined = combine(CAGrad(c, rescale=0), jacobian)
    mean = jacobian.mean(0)
    scale = float(jacobian.norm())
    reach = float((combined - mean).norm())
    assert reach <= c * float(mean.norm()) + 1e-6 * scale
    worst = float((jacobian @ combined).min())
    assert worst >= float((jacobian @ mean).min()) - 1e-6 * scale**2
    # No direction of the neighbourhood does better for the worst task.
    generator = torch.Generator().manual_seed(0)
    mixtures = torch.rand(200, len(jacobian), generator=generator, dtype=torch.float64) ** 3
    pulls = mixtures @ jacobian
    others = mean + c * mean.norm() * pulls / pulls.norm(dim=1, keepdim=True)
    assert float((others @ jacobian.T).amin(1).max()) <= worst + 1e-5 * scale**2


def test_cagrad_with_many_tasks_agrees_with_the_exact_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    jacobian = sampled(3, 5, 20, 1.0)
    exact = combine(CAGrad(0.5), jacobian)
    monkeypatch.setattr("mtl_runs.balancers.worst_mixture.MAX_FACES_K", 2)
    torch.testing.assert_close(combine(CAGrad(0.5), jacobian), exact, rtol=1e-6, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(jacobian=independent, alpha=st.sampled_from([0.5, 1.0, 2.0, 5.0]))
def test_fairgrad_solves_its_system(jacobian: Tensor, alpha: float) -> None:
    gramian = jacobian @ jacobian.T
    weights, _ = FairGrad(alpha).update({}, TaskStatistics(torch.ones(len(jacobian)), gramian))
    assert (weights > 0).all()
    torch.testing.assert_close(gramian @ weights, weights ** (-1 / alpha), rtol=1e-5, atol=0)
    scaled, _ = FairGrad(alpha).update({}, TaskStatistics(torch.ones(len(jacobian)), 100 * gramian))
    power = (1 - alpha) / (1 + alpha)
    torch.testing.assert_close(10 * scaled, 10**power * weights, rtol=1e-5, atol=0)


def test_pcgrad_projects_in_the_drawn_order() -> None:
    jacobian = sampled(0, 4, 3, 1.0)
    draws = torch.rand(4, 4, generator=torch.Generator().manual_seed(0))
    parts = jacobian.clone()
    for i, order in enumerate(draws.argsort(-1).tolist()):
        for j in order:
            inner = parts[i] @ jacobian[j]
            if j != i and inner < 0:
                parts[i] -= inner / (jacobian[j] @ jacobian[j]) * jacobian[j]
    torch.testing.assert_close(combine(PCGrad(), jacobian), parts.mean(0))


def test_settings_out_of_range() -> None:
    with pytest.raises(UsageError, match="c must not be negative; found -1"):
        CAGrad(-1)
    with pytest.raises(UsageError, match="rescale must be 0, 1"):
        CAGrad(0.4, rescale=3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="alpha must not be negative"):
        FairGrad(-0.5)
