"""Gramians that were computed in float32, as a trainer has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from mtl_runs.balancers import (
    AlignedMTL,
    Balancer,
    CAGrad,
    ConicGradExact,
    FairGrad,
    IMGrad,
    NashMTL,
    TaskStatistics,
)
from mtl_runs.balancers.solvers import ROUNDING, mixture_norm

SCALES = [1e-6, 1e-3, 1.0, 1e3, 1e6]


def gradients(n_parameters: int, scale: float) -> Iterator[Tensor]:
    """Opposed or dependent gradients, float32, of which some mixture is zero but for rounding."""
    for seed in range(3):
        a, b, c = scale * torch.randn(3, n_parameters, generator=torch.Generator().manual_seed(seed))
        yield torch.stack([a, -3 * a])
        yield torch.stack([a, -0.7 * a])
        yield torch.stack([a, b, -(a + b)])
        yield torch.stack([a, 0.01 * b, -(0.3 * a + 0.2 * b)])
        yield torch.stack([a, b, -(a + b), c])


def direction(balancer: Balancer, jacobian: Tensor, gramian: Tensor) -> Tensor:
    statistics = TaskStatistics(torch.ones(len(jacobian)), gramian)
    return balancer.update(balancer.init(len(jacobian)), statistics)[0] @ jacobian.double()


@pytest.mark.parametrize("n_parameters", [30, 3000])
@pytest.mark.parametrize("scale", SCALES)
def test_cancelled_gradients_are_stationary(scale: float, n_parameters: int) -> None:
    # With a c this large the worst mixture is zero: the second term of CAGrad's d has no direction and is left out.
    for seed in range(3):
        a, b = scale * torch.randn(2, n_parameters, generator=torch.Generator().manual_seed(seed))
        for jacobian in (torch.stack([a, -0.7 * a]), torch.stack([a, b, -0.6 * (a + b)])):
            found = direction(CAGrad(2, rescale=0), jacobian, jacobian @ jacobian.T)
            torch.testing.assert_close(found, jacobian.double().mean(0), rtol=0, atol=2e-3 * float(jacobian.norm()))


@pytest.mark.parametrize("balancer", [CAGrad(), IMGrad(), ConicGradExact(), AlignedMTL()])
@pytest.mark.parametrize("scale", SCALES)
def test_rounding_errors_do_not_decide(balancer: Balancer, scale: float) -> None:
    for jacobian in gradients(3000, scale):
        exact = jacobian.double()
        found = direction(balancer, jacobian, jacobian @ jacobian.T)
        expected = direction(balancer, jacobian, exact @ exact.T)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-2 * float(jacobian.norm()))


@pytest.mark.parametrize("balancer", [CAGrad(), IMGrad(), ConicGradExact(), FairGrad(), NashMTL(), AlignedMTL()])
@pytest.mark.parametrize("scale", SCALES)
def test_opposed_gradients_cancel(balancer: Balancer, scale: float) -> None:
    a = scale * torch.randn(3000, generator=torch.Generator().manual_seed(0))
    jacobian = torch.stack([a, -a])
    found = direction(balancer, jacobian, jacobian @ jacobian.T)
    degree = {FairGrad: -1 / 3, NashMTL: 0}.get(type(balancer), 1)
    assert float(found.norm()) <= 1e-4 * float(a.norm()) ** degree


@pytest.mark.parametrize("balancer", [FairGrad(), NashMTL()])
def test_fair_weights_of_opposed_gradients_stay_small(balancer: Balancer) -> None:
    for jacobian in gradients(3000, 1.0):
        exact = jacobian.double()
        found = direction(balancer, jacobian, jacobian @ jacobian.T)
        expected = direction(balancer, jacobian, exact @ exact.T)
        assert float((found - expected).norm()) <= 0.05 * float(jacobian.norm())


def test_a_small_gradient_among_large_ones_does_not_vanish() -> None:
    gramian = torch.diag(torch.tensor([1e10, 1.0], dtype=torch.float64))
    weights = torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert mixture_norm(gramian, weights).item() == 1
    opposed = torch.tensor([[1.0, -1.0 + ROUNDING], [-1.0 + ROUNDING, 1.0]], dtype=torch.float64)
    assert mixture_norm(opposed, torch.full((2,), 0.5, dtype=torch.float64)).item() == 0
    jacobian = torch.diag(torch.tensor([1e4, 1.0]))
    found = direction(CAGrad(0.4, rescale=0), jacobian, jacobian @ jacobian.T)
    # The pull goes to the small gradient: 0.4 ‖g_0‖ of its length.
    assert found.tolist() == pytest.approx([5000, 2000.5], rel=1e-3)
