from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_runs.balancers.solvers import min_norm_point, project_to_simplex


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


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n_tasks=st.integers(1, 10), rank=st.integers(1, 12))
def test_min_norm_point_satisfies_its_optimality_conditions(seed: int, n_tasks: int, rank: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    jacobian = torch.randn(n_tasks, rank, generator=generator, dtype=torch.float64)
    jacobian *= 10 ** torch.rand(n_tasks, 1, generator=generator, dtype=torch.float64)
    gramian = jacobian @ jacobian.T
    weights = min_norm_point(gramian, torch.ones(n_tasks, dtype=torch.bool))
    assert (weights >= 0).all()
    assert float(weights.sum()) == pytest.approx(1)
    inner = gramian @ weights
    # d·g_k ≥ ‖d‖² for all k characterises the shortest point of the convex hull.
    scale = float(gramian.diagonal().mean())
    assert float(inner.min() - weights @ inner) >= -1e-5 * scale
