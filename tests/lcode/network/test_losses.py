from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm

from lcode.forecast import LEVELS
from lcode.network.losses import gaussian_nll, masked_mean, pinball

LEVELS_TENSOR = torch.tensor(LEVELS)


def test_pinball_by_hand() -> None:
    quantiles = torch.zeros(1, 1, len(LEVELS), dtype=torch.float64)
    # Above all quantiles the error 2 is weighted by the level, below by what is missing to 1.
    assert pinball(quantiles, torch.tensor([2.0])).item() == pytest.approx(2 * LEVELS.mean())
    assert pinball(quantiles, torch.tensor([-2.0])).item() == pytest.approx(2 * (1 - LEVELS).mean())
    assert pinball(quantiles, torch.tensor([0.0])).item() == 0


def test_the_gradient_of_pinball_is_that_of_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    quantiles = torch.randn(2, 3, len(LEVELS), generator=generator, dtype=torch.float64, requires_grad=True)
    target = torch.randn(3, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda q: pinball(q, target), (quantiles,))


def test_pinball_is_least_at_the_true_quantiles() -> None:
    target = torch.tensor(norm.ppf((np.arange(4000) + 0.5) / 4000))
    true = torch.tensor(norm.ppf(LEVELS))

    def loss(quantiles: torch.Tensor) -> float:
        return float(pinball(quantiles.expand(1, len(target), -1), target).mean())

    best = loss(true)
    for other in (true + 0.1, true - 0.1, 1.2 * true, 0.8 * true, true + 0.05 * torch.sin(7 * true)):
        assert loss(other) > best
    # Half the continuous ranked probability score of a standard normal, 1 / sqrt(pi), up to the levels' spacing.
    assert 2 * best == pytest.approx(1 / np.sqrt(np.pi), rel=0.05)


def test_gaussian_nll_is_that_of_the_normal_with_this_median_and_spread() -> None:
    quantiles = torch.tensor(1 + 0.5 * norm.ppf(LEVELS))[None, None]
    target = torch.tensor([1.7], dtype=torch.float64)
    expected = -torch.distributions.Normal(1.0, 0.5).log_prob(target) - 0.5 * np.log(2 * np.pi)
    torch.testing.assert_close(gaussian_nll(quantiles, target)[0], expected, rtol=1e-4, atol=1e-6)


def test_means_are_taken_where_the_mask_is_set() -> None:
    loss = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    mask = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    assert masked_mean(loss, mask).tolist() == [2.0, 0.0]
