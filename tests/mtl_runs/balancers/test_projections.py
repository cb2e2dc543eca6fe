"""IMTL-G, ConFIG, Aligned-MTL, UPGrad, DualProj, GradVac."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import (
    IMTLG,
    AlignedMTL,
    ConFIG,
    DualProj,
    GradVac,
    NGDiff,
    State,
    TaskStatistics,
    UPGrad,
)
from mtl_runs.balancers.dual_cone import RIDGE

ORTHONORMAL = [[1.0, 0.0], [0.0, 1.0]]
STRETCHED = [[2.0, 0.0], [0.0, 1.0]]
CONFLICT = [[1.0, 0.0], [-0.5, 1.0]]
README = [[-4.0, 1.0, 1.0], [6.0, 1.0, 1.0]]


def sampled(seed: int, n_tasks: int, rank: int, scale: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(n_tasks, rank, generator=generator, dtype=torch.float64)
    return scale * left @ torch.randn(rank, 12, generator=generator, dtype=torch.float64)


scales = st.sampled_from([1e-6, 1e-3, 1.0, 1e6])
jacobians = st.builds(sampled, st.integers(0, 10**6), st.integers(2, 6), st.integers(1, 8), scales)
independent = st.builds(sampled, st.integers(0, 10**6), st.integers(2, 5), st.just(8), scales)


def test_ngdiff_helps_the_one_and_undoes_the_other(direction) -> None:  # type: ignore[no-untyped-def]
    # Learn (3, 4), unlearn (0, 2), given as the negated loss: d·g = 1.0 and -0.4 for the paper's sum.
    combined = torch.tensor(direction(NGDiff(), [[3.0, 4.0], [0.0, -2.0]])[1])
    assert 2 * float(combined @ torch.tensor([3.0, 4.0])) == pytest.approx(1.0)
    assert 2 * float(combined @ torch.tensor([0.0, 2.0])) == pytest.approx(-0.4)


@settings(max_examples=25, deadline=None)
@given(jacobian=independent, factor=st.sampled_from([1e-4, 1e4]))
def test_equal_angles_whatever_the_size_of_a_loss(combine, jacobian: Tensor, factor: float) -> None:  # type: ignore[no-untyped-def]
    scaled = jacobian.clone()
    scaled[0] *= factor
    units = jacobian / jacobian.norm(dim=1, keepdim=True)
    for balancer in (IMTLG(), ConFIG()):
        combined = combine(balancer, jacobian)
        products = units @ combined
        torch.testing.assert_close(products, products.mean().expand_as(products), rtol=1e-5, atol=1e-9)
        other = combine(balancer, scaled)
        cosine = combined @ other / (combined.norm() * other.norm())
        assert abs(float(cosine)) == pytest.approx(1, abs=1e-6)
    assert (units @ combine(ConFIG(), jacobian) > 0).all()


def test_aligned_mtl_makes_the_condition_number_one(combine) -> None:  # type: ignore[no-untyped-def]
    # Orthogonal gradients: every one gets the length of the shortest, then they are averaged.
    jacobian = torch.diag(torch.tensor([4.0, 2.0, 0.5], dtype=torch.float64))
    torch.testing.assert_close(combine(AlignedMTL(), jacobian), torch.full((3,), 0.5 / 3, dtype=torch.float64))
    rms = ((16 + 4 + 0.25) / 3) ** 0.5
    torch.testing.assert_close(combine(AlignedMTL("rmse"), jacobian), torch.full((3,), rms / 3, dtype=torch.float64))


def nearest_in_dual_cone(jacobian: Tensor, start: Tensor) -> tuple[Tensor, float]:
    """The projection of `start @ jacobian` by another algorithm, and how far from it ours may lie.

    Non-negative least squares tells what has to be added. With a ridge r on the cosines ours minimises
    `|vᵀJ|² + r·|v|²` for unit rows J, so that `|d - d*|² ≤ |d|² - |d*|² ≤ r·|v*|²`.
    """
    norms = jacobian.norm(dim=1)
    units, start = jacobian / norms[:, None], start * norms
    added, _ = nnls(units.T.numpy(), -(start @ units).numpy(), maxiter=1000)
    optimum = start + torch.from_numpy(added)
    return optimum @ units, RIDGE**0.5 * float(optimum.norm())


@settings(max_examples=25, deadline=None)
@given(jacobian=jacobians)
def test_dual_cone_methods_project(combine, jacobian: Tensor) -> None:  # type: ignore[no-untyped-def]
    scale = float(jacobian.norm())
    jacobian = jacobian / scale
    tasks = len(jacobian)
    of_mean = nearest_in_dual_cone(jacobian, torch.full((tasks,), 1 / tasks, dtype=torch.float64))
    of_each, apart = zip(*(nearest_in_dual_cone(jacobian, row) for row in torch.eye(tasks).double()), strict=True)
    for balancer, (expected, bound) in (
        (DualProj(), of_mean),
        (UPGrad(), (torch.stack(of_each).mean(0), sum(apart) / tasks)),
    ):
        combined = combine(balancer, scale * jacobian) / scale
        assert float((combined - expected).norm()) <= bound + 1e-6
        norms = jacobian.norm(dim=1)
        assert float((jacobian @ combined / norms).min()) >= -(RIDGE**0.5) * bound - 1e-6


def test_many_tasks_agree_with_the_exact_projection(combine, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    jacobian = sampled(3, 5, 20, 1.0)
    exact = combine(UPGrad(), jacobian)
    monkeypatch.setattr("mtl_runs.balancers.dual_cone.MAX_FACES_K", 2)
    torch.testing.assert_close(combine(UPGrad(), jacobian), exact, rtol=1e-5, atol=1e-6)


def test_gradvac_carries_out_the_algorithm_on_vectors() -> None:
    """Against the same steps on the gradients themselves, in the drawn order."""
    balancer = GradVac(beta=0.4)
    state: State = balancer.init(4)
    targets = torch.zeros(4, 4, dtype=torch.float64)
    ours, draws = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    for seed in range(5):
        jacobian = sampled(seed, 4, 3, 1.0)
        parts = jacobian.clone()
        for i, order in enumerate(torch.rand(4, 4, generator=draws).argsort(-1).tolist()):
            for j in order:
                if i == j:
                    continue
                length, norm = parts[i].norm(), jacobian[j].norm()
                cosine, target = parts[i] @ jacobian[j] / (length * norm), targets[i, j].clone()
                if cosine < target:
                    sines = (1 - cosine**2).sqrt(), (1 - target**2).sqrt()
                    parts[i] += length * (target * sines[0] - cosine * sines[1]) / (norm * sines[1]) * jacobian[j]
                targets[i, j] = 0.6 * target + 0.4 * cosine
        weights, state = balancer.update(state, TaskStatistics(torch.ones(4), jacobian @ jacobian.T), ours)
        torch.testing.assert_close(weights @ jacobian, parts.mean(0))
        torch.testing.assert_close(state["target"], targets)


def test_gradvac_turns_a_gradient_to_its_target() -> None:
    balancer = GradVac(beta=0.0)
    jacobian = sampled(1, 2, 6, 1.0)
    state = {"target": torch.tensor([[0.0, 0.9], [-1.0, 0.0]], dtype=torch.float64)}
    weights, new = balancer.update(state, TaskStatistics(torch.ones(2), jacobian @ jacobian.T), torch.Generator())
    # The second is below no target: it is untouched, so what remains is the first, turned.
    turned = 2 * weights @ jacobian - jacobian[1]
    assert float(turned @ jacobian[1] / (turned.norm() * jacobian[1].norm())) == pytest.approx(0.9)
    assert torch.equal(new["target"], state["target"])


def test_gradvac_keeps_the_targets_of_an_inactive_task() -> None:
    balancer = GradVac()
    state = {"target": torch.full((3, 3), 0.2, dtype=torch.float64)}
    jacobian = sampled(1, 3, 6, 1.0)
    jacobian[1] = 0
    _, new = balancer.update(state, TaskStatistics(torch.ones(3), jacobian @ jacobian.T), torch.Generator())
    changed = new["target"] != state["target"]
    assert np.argwhere(changed.numpy()).tolist() == [[0, 2], [2, 0]]


def test_settings_out_of_range() -> None:
    with pytest.raises(UsageError, match=r"beta must be in 0..1; found 2"):
        GradVac(2)
    with pytest.raises(UsageError, match="scale must be one of min, rmse; found 'max'"):
        AlignedMTL("max")  # type: ignore[arg-type]
