from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, nnls
from torch import Tensor

from mtl_runs.balancers.solvers import cosines_of, min_norm_point, minimise_above, project_to_simplex
from mtl_runs.balancers.worst_mixture import worst_mixture

SIZES = [2, 3, 5, 8, 11, 20, 40]
SPREADS = [0, 3, 6]
"""Decades over which the norms of the gradients are spread."""


def test_projection_by_hand() -> None:
    point = torch.tensor([[0.2, 0.3, 0.5], [2.0, 0.0, 0.0], [1.0, 1.0, -5.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    expected = [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]]
    torch.testing.assert_close(project_to_simplex(point), torch.tensor(expected, dtype=torch.float64))


def test_projection_of_huge_numbers() -> None:
    point = torch.tensor([[1e30, 1e30, 0.0], [-1e30, 2e30, 0.0]], dtype=torch.float64)
    assert project_to_simplex(point).tolist() == [[0.5, 0.5, 0], [0, 1, 0]]


def test_projection_leaves_out_inactive_tasks() -> None:
    active = torch.tensor([True, False, True])
    projected = project_to_simplex(torch.tensor([-3.0, 9.0, -3.5], dtype=torch.float64), active)
    assert projected.tolist() == pytest.approx([0.75, 0, 0.25])


def populations(n_tasks: int, spread: float, seed: int = 0) -> Iterator[Tensor]:
    """Jacobians [3, K, P]: of full rank and deficient, leaning one way, with duplicates and parallel rows."""
    generator = torch.Generator().manual_seed(seed)
    for n_parameters in (1, n_tasks // 2 + 1, 3 * n_tasks):
        for lean in (0.0, 1.0):
            jacobian = torch.randn(3, n_tasks, n_parameters, generator=generator, dtype=torch.float64)
            jacobian[..., 0] += lean
            jacobian[1, 1] = jacobian[1, 0]
            jacobian[2] = jacobian[2].abs()
            scales = 10 ** (spread * torch.rand(3, n_tasks, 1, generator=generator, dtype=torch.float64))
            # A duplicate has the norm of what it duplicates.
            scales[1, 1] = scales[1, 0]
            yield scales * jacobian


def missed(gramian: Tensor, dots: Tensor, radius: Tensor, weights: Tensor) -> Tensor:
    """By how much the slopes of `wᵀp + κ ‖g_w‖`, times `‖g_w‖/κ`, lie below their mean, relative to `‖g_w‖²`, [..., K].

    Rounding errors of the Gramian, `1e-13 ‖g_k‖ Σ_j w_j ‖g_j‖`, are let pass.
    """
    norms = gramian.diagonal(dim1=-2, dim2=-1).sqrt()
    lengths = (weights * norms).sum(-1, keepdim=True)
    units = gramian / norms.unsqueeze(-1) / norms.unsqueeze(-2)
    slopes = norms * (units * (weights * norms).unsqueeze(-2)).sum(-1)
    squared = (weights * slopes).sum(-1, keepdim=True)
    theta = squared.clamp(min=0).sqrt() / radius
    slopes = slopes + theta * dots
    mean = (weights * slopes).sum(-1, keepdim=True)
    rounding = 1e-13 * (norms * lengths + theta * dots.abs())
    # Where the mixture cancels but for rounding, nothing is shorter.
    return ((mean - slopes - rounding) / squared).where(squared > 1e-12 * lengths**2, 0.0)


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("n_tasks", SIZES)
def test_the_shortest_mixture_to_the_stated_accuracy(n_tasks: int, spread: float) -> None:
    for jacobian in populations(n_tasks, spread):
        gramian = jacobian @ jacobian.mT
        weights = min_norm_point(gramian, torch.ones(3, n_tasks, dtype=torch.bool))
        assert (weights >= 0).all()
        torch.testing.assert_close(weights.sum(-1), torch.ones(3, dtype=torch.float64))
        zero = torch.zeros(3, n_tasks, dtype=torch.float64)
        assert float(missed(gramian, zero, torch.ones(3, 1, dtype=torch.float64), weights).max()) <= 1e-8


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("n_tasks", SIZES)
def test_the_worst_mixture_to_the_stated_accuracy(n_tasks: int, spread: float) -> None:
    for jacobian in populations(n_tasks, spread):
        gramian = jacobian @ jacobian.mT
        dots = gramian.mean(-1)
        for c in (0.1, 0.4, 2.0):
            radius = c * gramian.mean((-2, -1)).clamp(min=0).sqrt().unsqueeze(-1)
            weights = worst_mixture(gramian, dots, radius, torch.ones(3, n_tasks, dtype=torch.bool))
            assert (weights >= 0).all()
            torch.testing.assert_close(weights.sum(-1), torch.ones(3, dtype=torch.float64))
            assert float(missed(gramian, dots, radius, weights).max()) <= 1e-8


@pytest.mark.parametrize("n_tasks", [3, 7, 8, 12])
@pytest.mark.parametrize("spread", [0, 4])
def test_the_shortest_mixture_is_that_of_nnls(n_tasks: int, spread: float) -> None:
    for seed in range(4):
        jacobian = torch.randn(n_tasks, 30, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.2
        jacobian *= torch.logspace(0, spread, n_tasks, dtype=torch.float64).unsqueeze(-1)
        # min ‖Gᵀu‖² + (1ᵀu - 1)² over u ≥ 0 has the direction of the min-norm point.
        rows = np.vstack([jacobian.T.numpy(), np.ones(n_tasks)])
        found, _ = nnls(rows, np.append(np.zeros(30), 1.0))
        expected = torch.from_numpy(found / found.sum()) @ jacobian
        weights = min_norm_point(jacobian @ jacobian.T, torch.ones(n_tasks, dtype=torch.bool))
        torch.testing.assert_close(weights @ jacobian, expected, rtol=1e-6, atol=1e-6 * float(expected.norm()))


@pytest.mark.parametrize("n_tasks", [3, 7, 8, 11])
def test_the_worst_mixture_is_that_of_a_general_solver(n_tasks: int) -> None:
    for seed in range(3):
        jacobian = torch.randn(n_tasks, 30, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        gramian = (jacobian @ jacobian.T).numpy() / 30
        dots, radius = gramian.mean(1), 0.4 * gramian.mean() ** 0.5
        theirs = minimize(
            lambda w, a=gramian, p=dots, k=radius: float(w @ p + k * (w @ a @ w) ** 0.5),
            np.full(n_tasks, 1 / n_tasks),
            bounds=[(0, 1)] * n_tasks,
            constraints={"type": "eq", "fun": lambda w: 1 - w.sum()},
            options={"ftol": 1e-14, "maxiter": 500},
        )
        weights = worst_mixture(
            torch.from_numpy(gramian),
            torch.from_numpy(dots),
            torch.tensor([radius]),
            torch.ones(n_tasks, dtype=torch.bool),
        ).numpy()
        ours = weights @ dots + radius * (weights @ gramian @ weights) ** 0.5
        assert ours <= theirs.fun + 1e-12
        np.testing.assert_allclose(weights, theirs.x, atol=1e-4)


def test_faces_and_interior_points_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    for jacobian in populations(5, 4, seed=1):
        gramian, active = jacobian @ jacobian.mT, torch.ones(3, 5, dtype=torch.bool)
        active[0, 3] = False
        radius = torch.full((3, 1), 0.3, dtype=torch.float64) * gramian.mean((-2, -1)).clamp(min=0).sqrt().unsqueeze(-1)
        found = []
        for limit in (7, 2):
            monkeypatch.setattr("mtl_runs.balancers.solvers.MAX_FACES_K", limit)
            monkeypatch.setattr("mtl_runs.balancers.worst_mixture.MAX_FACES_K", limit)
            both = min_norm_point(gramian, active), worst_mixture(gramian, gramian.mean(-1), radius, active)
            assert all((weights[0, 3] == 0) for weights in both)
            found.append(torch.stack(both))
        # Relative to the lengths that cancel.
        vectors = (torch.stack(found).unsqueeze(-2) @ jacobian).squeeze(-2)
        sizes = (found[0] * gramian.diagonal(dim1=-2, dim2=-1).sqrt()).sum(-1)[..., None]
        torch.testing.assert_close(vectors[0] / sizes, vectors[1] / sizes, rtol=0, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), n_tasks=st.integers(2, 14), rank=st.integers(1, 16), spread=st.floats(0, 6))
def test_the_shortest_mixture_conflicts_with_no_task(seed: int, n_tasks: int, rank: int, spread: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    jacobian = torch.randn(n_tasks, rank, generator=generator, dtype=torch.float64)
    jacobian *= 10 ** (spread * torch.rand(n_tasks, 1, generator=generator, dtype=torch.float64))
    gramian = (jacobian @ jacobian.T).unsqueeze(0)
    weights = min_norm_point(gramian, torch.ones(1, n_tasks, dtype=torch.bool))
    zero, one = torch.zeros(1, n_tasks, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    assert float(missed(gramian, zero, one, weights).max()) <= 1e-8


def test_eleven_gradients_over_four_decades() -> None:
    # As many tasks as QM9 has, and as different.
    jacobian = torch.randn(11, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    jacobian *= torch.logspace(0, 4, 11, dtype=torch.float64).unsqueeze(-1)
    direction = min_norm_point(jacobian @ jacobian.T, torch.ones(11, dtype=torch.bool)) @ jacobian
    cosines = jacobian @ direction / (jacobian.norm(dim=1) * direction.norm())
    assert float(cosines.min()) > 0
    assert float((jacobian @ direction).min()) == pytest.approx(float(direction @ direction), rel=1e-8)


@pytest.mark.parametrize("n_tasks", [8, 20, 40])
def test_projection_on_the_dual_cone_of_many_gradients(n_tasks: int) -> None:
    for jacobian in populations(n_tasks, 3):
        gramian, active = jacobian @ jacobian.mT, torch.ones(3, n_tasks, dtype=torch.bool)
        norms = gramian.diagonal(dim1=-2, dim2=-1).sqrt()
        cosines, _ = cosines_of(gramian, norms, active)
        floor = norms / n_tasks
        above = minimise_above(cosines, floor, active)
        slopes = (cosines * above.unsqueeze(-2)).sum(-1)
        size = floor.sum(-1, keepdim=True)
        assert (above >= floor).all()
        # No task is hurt, and what was added for a task is added only where it is in the way.
        assert float((slopes / size).min()) >= -1e-9
        assert float(((above - floor) * slopes / size**2).max()) <= 1e-9
