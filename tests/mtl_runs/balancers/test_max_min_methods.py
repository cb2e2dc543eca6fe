"""IMGrad, exact ConicGrad, SDMGrad with and without sampling, Nash-MTL."""

from __future__ import annotations

from math import cos, pi, sin

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import root
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import (
    MGDA,
    Balancer,
    CAGrad,
    ConicGradExact,
    FairGrad,
    IMGrad,
    NashMTL,
    SDMGrad,
    SDMGradOS,
    TaskStatistics,
)

ORTHONORMAL = [[1.0, 0.0], [0.0, 1.0]]
STRETCHED = [[2.0, 0.0], [0.0, 1.0]]
CONFLICT = [[1.0, 0.0], [-0.5, 1.0]]
DOMINATED = [[10.0, 0.0], [-0.5, 1.0]]


def sampled(seed: int, n_tasks: int, rank: int, scale: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    left = torch.randn(n_tasks, rank, generator=generator, dtype=torch.float64)
    return scale * left @ torch.randn(rank, 12, generator=generator, dtype=torch.float64)


scales = st.sampled_from([1e-6, 1e-3, 1.0, 1e6])
jacobians = st.builds(sampled, st.integers(0, 10**6), st.integers(2, 6), st.integers(1, 8), scales)
independent = st.builds(sampled, st.integers(0, 10**6), st.integers(2, 5), st.just(8), scales)


def test_pinned_inner_products_of_the_cone() -> None:
    jacobian = torch.tensor(DOMINATED, dtype=torch.float64)
    weights, _ = ConicGradExact(0.99).update({}, TaskStatistics(torch.ones(2), jacobian @ jacobian.T))
    # Conflicts with the second task: the cone is too narrow.
    assert (jacobian @ (weights @ jacobian)).tolist() == pytest.approx([46.3, -1.15], abs=0.05)


@settings(max_examples=25, deadline=None)
@given(jacobian=independent, c=st.floats(0.05, 0.95))
def test_imgrad_solves_its_problem(combine, jacobian: Tensor, c: float) -> None:  # type: ignore[no-untyped-def]
    mean, shortest = jacobian.mean(0), combine(MGDA(), jacobian)
    kappa = mean @ shortest / (mean.norm() * shortest.norm())
    combined = combine(IMGrad(c, rescale=0), jacobian)
    radius = c * mean.norm()
    torch.testing.assert_close((combined - mean).norm(), radius, rtol=1e-4, atol=0)
    # Recover g_w up to its length from d, and its length from the mixtures it beats.
    weights, _ = IMGrad(c, rescale=0).update({}, TaskStatistics(torch.ones(len(jacobian)), jacobian @ jacobian.T))
    w = weights - 1 / len(jacobian)
    w = w / w.sum()

    def objective(mixture: Tensor) -> Tensor:
        vector = mixture @ jacobian
        return (1.5 - kappa) * vector @ mean + kappa * radius * vector.norm(dim=-1)

    others = torch.rand(200, len(jacobian), generator=torch.Generator().manual_seed(0), dtype=torch.float64) ** 3
    others = others / others.sum(1, keepdim=True)
    scale = float(jacobian.norm()) ** 2
    assert (w >= -1e-6).all()
    assert float(objective(w)) <= float(objective(others).min()) + 1e-8 * scale


def test_imgrad_at_agreement_three_quarters_is_cagrad(combine, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    jacobian = sampled(1, 3, 8, 1.0)
    monkeypatch.setattr("mtl_runs.balancers.imgrad._agreement", lambda *_: torch.tensor([0.75], dtype=torch.float64))
    torch.testing.assert_close(combine(IMGrad(0.5), jacobian), combine(CAGrad(0.5), jacobian))


@settings(max_examples=25, deadline=None)
@given(jacobian=jacobians, c=st.floats(0.05, 1.0))
def test_conicgrad_stays_in_its_cone(combine, jacobian: Tensor, c: float) -> None:  # type: ignore[no-untyped-def]
    combined, mean = combine(ConicGradExact(c), jacobian), jacobian.mean(0)
    assert float(combined.norm()) == pytest.approx(float(mean.norm()), rel=1e-5)
    assert float(combined @ mean) >= (c - 1e-5) * float(mean.norm()) ** 2


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n_tasks=st.integers(2, 4), c=st.floats(0.1, 0.95))
def test_conicgrad_is_the_best_of_the_cone(combine, seed: int, n_tasks: int, c: float) -> None:  # type: ignore[no-untyped-def]
    jacobian = torch.randn(n_tasks, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    mean = jacobian.mean(0)
    angles = torch.linspace(-pi, pi, 20001, dtype=torch.float64)
    circle = mean.norm() * torch.stack([angles.cos(), angles.sin()], 1)
    circle = circle[circle @ mean >= c * mean.norm() ** 2]
    best = float((circle @ jacobian.T).amin(1).max())
    worst = float((jacobian @ combine(ConicGradExact(c), jacobian)).min())
    # Below zero the smallest maximum may be larger than the largest minimum.
    if best > 0:
        assert worst == pytest.approx(best, abs=1e-3 * float(jacobian.norm()) ** 2)


def test_conicgrad_where_the_cone_does_not_bind_is_the_shortest_direction(combine) -> None:  # type: ignore[no-untyped-def]
    jacobian = torch.tensor([[cos(0.3), sin(0.3)], [cos(-0.5), sin(-0.5)]], dtype=torch.float64)
    combined, shortest = combine(ConicGradExact(0.5), jacobian), combine(MGDA(), jacobian)
    torch.testing.assert_close(combined / combined.norm(), shortest / shortest.norm())


@settings(max_examples=25, deadline=None)
@given(jacobian=independent, regularisation=st.sampled_from([0.0, 0.3, 0.6, 5.0]))
def test_sdmgrad_is_mgda_with_a_floor(combine, jacobian: Tensor, regularisation: float) -> None:  # type: ignore[no-untyped-def]
    gramian = jacobian @ jacobian.T
    weights, _ = SDMGrad(regularisation).update({}, TaskStatistics(torch.ones(len(jacobian)), gramian))
    floor = regularisation / (len(jacobian) * (1 + regularisation))
    assert float(weights.sum()) == pytest.approx(1)
    assert float(weights.min()) >= floor - 1e-9
    # Optimality on the simplex with a floor: the slope is least, and equal, where weights can fall.
    slope = gramian @ weights
    free = weights > floor + 1e-6
    assert float((slope[free] - slope.min()).max()) <= 1e-6 * float(gramian.diagonal().mean())
    if free.all():
        torch.testing.assert_close(weights @ jacobian, combine(MGDA(), jacobian), rtol=1e-6, atol=0)


def test_objective_sampling_balances_the_sampled_tasks_only() -> None:
    jacobian = sampled(2, 5, 9, 1.0)
    gramian = (jacobian @ jacobian.T).expand(4000, 5, 5)
    generator = torch.Generator().manual_seed(0)
    weights, _ = SDMGradOS(2, regularisation=1.0).update({}, TaskStatistics(torch.ones(4000, 5), gramian), generator)
    chosen = weights > 0
    assert chosen.any(1).all()
    # Bernoulli(2/5) given that not all five are out.
    assert float(chosen.double().mean()) == pytest.approx(0.4 / (1 - 0.6**5), abs=0.01)
    torch.testing.assert_close(
        chosen.double().mean(0), torch.full((5,), 0.4 / (1 - 0.6**5)).double(), rtol=0, atol=0.03
    )
    for i in range(20):
        among = chosen[i].nonzero().squeeze(1)
        own, _ = SDMGrad(1.0).update({}, TaskStatistics(torch.ones(len(among)), gramian[i][among][:, among]))
        torch.testing.assert_close(weights[i, among], own)


def test_objective_sampling_is_unbiased_where_the_mean_rules() -> None:
    gramian = torch.eye(4, dtype=torch.float64).expand(20000, 4, 4)
    weights, _ = SDMGradOS(2, regularisation=1e6).update(
        {}, TaskStatistics(torch.ones(20000, 4), gramian), torch.Generator().manual_seed(1)
    )
    torch.testing.assert_close(weights.mean(0), torch.full((4,), 0.25).double(), rtol=0, atol=0.01)


def test_sampling_all_tasks_is_sdmgrad(combine) -> None:  # type: ignore[no-untyped-def]
    jacobian = sampled(4, 3, 6, 1.0)
    torch.testing.assert_close(combine(SDMGradOS(3), jacobian), combine(SDMGrad(), jacobian))


@pytest.mark.parametrize("scales", [[1, 1, 1], [1, 1, 100], [1e-3, 1, 1e3]])
@pytest.mark.parametrize("n_parameters", [2, 20])
def test_nash_has_the_length_of_the_paper(combine, n_parameters: int, scales: list[float]) -> None:  # type: ignore[no-untyped-def]
    for seed in range(4):
        jacobian = torch.randn(3, n_parameters, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        # All to one side: with more gradients than parameters, some may have no solution.
        jacobian[:, 0] = jacobian[:, 0].abs() + 0.5
        jacobian *= torch.tensor(scales, dtype=torch.float64).unsqueeze(-1)
        gramian = jacobian @ jacobian.T
        weights, _ = NashMTL().update({}, TaskStatistics(torch.ones(3), gramian))
        alpha = 3 * weights
        assert float((gramian @ alpha * alpha - 1).abs().max()) <= 1e-9
        # A general solver, for the logarithms of α, which are free.
        products = gramian.numpy()
        solved = root(lambda z, a=products: np.exp(z) * (a @ np.exp(z)) - 1, -np.log(np.diag(products)) / 2)
        assert solved.success
        np.testing.assert_allclose(alpha.numpy(), np.exp(solved.x), rtol=1e-6)
        assert float(combine(NashMTL(), jacobian).norm()) == pytest.approx(3**0.5 / 3)


def test_nash_of_a_gradient_a_hundred_times_as_long() -> None:
    gramian = torch.tensor([[1.0, 0.1, 6.0], [0.1, 1.0, 8.0], [6.0, 8.0, 1e4]], dtype=torch.float64)
    weights, _ = NashMTL().update({}, TaskStatistics(torch.ones(3), gramian))
    alpha = 3 * weights
    torch.testing.assert_close(gramian @ alpha, 1 / alpha)
    assert alpha.tolist() == pytest.approx([0.93, 0.91, 0.01], abs=0.02)


@settings(max_examples=25, deadline=None)
@given(jacobian=independent)
def test_nash_is_fairgrad_with_alpha_one_and_helps_all(combine, jacobian: Tensor) -> None:  # type: ignore[no-untyped-def]
    nash, fair = combine(NashMTL(), jacobian), combine(FairGrad(1), jacobian)
    torch.testing.assert_close(len(jacobian) * nash, fair)
    assert (jacobian @ nash > 0).all()


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_tasks=st.integers(1, 12),
    alpha=st.sampled_from([0.5, 1, 2, 5]),
    spread=st.floats(0, 6),
)
def test_fairgrad_solves_its_equation_for_any_spread_of_norms(
    seed: int, n_tasks: int, alpha: float, spread: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    jacobian = torch.randn(n_tasks, 2 * n_tasks, generator=generator, dtype=torch.float64)
    jacobian *= 10 ** (spread * torch.rand(n_tasks, 1, generator=generator, dtype=torch.float64))
    gramian = jacobian @ jacobian.T
    weights, _ = FairGrad(alpha).update({}, TaskStatistics(torch.ones(n_tasks), gramian))
    assert float((gramian @ weights * weights ** (1 / alpha) - 1).abs().max()) <= 1e-8


@pytest.mark.parametrize("balancer", [IMGrad(), ConicGradExact(0.8), SDMGrad()])
def test_many_tasks_agree_with_the_exact_solver(combine, monkeypatch: pytest.MonkeyPatch, balancer: Balancer) -> None:  # type: ignore[no-untyped-def]
    jacobian = sampled(6, 4, 20, 1.0)
    exact = combine(balancer, jacobian)
    monkeypatch.setattr("mtl_runs.balancers.worst_mixture.MAX_FACES_K", 2)
    monkeypatch.setattr("mtl_runs.balancers.solvers.MAX_FACES_K", 2)
    torch.testing.assert_close(combine(balancer, jacobian), exact, rtol=1e-6, atol=1e-6 * float(exact.norm()))


def test_settings_out_of_range() -> None:
    with pytest.raises(UsageError, match="c must be above 0 and at most 1; found 0"):
        ConicGradExact(0)
    with pytest.raises(UsageError, match="regularisation must not be negative; found -1"):
        SDMGrad(-1)
    with pytest.raises(UsageError, match="n_sampled must be at least 1; found 0"):
        SDMGradOS(0)
