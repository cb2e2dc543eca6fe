from __future__ import annotations

import numpy as np
import pytest

from lcode.forecasters import empirical_gp
from lcode.forecasters.empirical_gp import CurvePrior


def test_a_curve_that_was_seen_once_is_a_conditional_normal() -> None:
    prior = CurvePrior(np.log1p([0.0, 3.0]), np.array([1.0, 2.0]), np.array([[1.0, 0.8], [0.8, 2.0]]), 0.25)
    mean, variance = prior.posterior(np.array([0]), np.array([3.0]), np.array([3, 0, 1]))
    gain = np.array([0.8, 1.0, 0.9]) / 1.25  # epoch 1 is half-way on the logarithmic axis
    np.testing.assert_allclose(mean, [2.0, 1.0, 1.5] + gain * 2)
    before = np.array([2.0, 1.0, (1 + 2 + 2 * 0.8) / 4])
    np.testing.assert_allclose(variance, before - 1.25 * gain**2 + 0.25)


def test_without_a_point_it_is_the_prior_and_beyond_the_last_place_it_stays() -> None:
    prior = CurvePrior(np.log1p([0.0, 3.0]), np.array([1.0, 2.0]), np.diag([1.0, 2.0]), 0.25)
    mean, variance = prior.posterior(np.array([], dtype=np.int64), np.array([]), np.array([0, 3, 99]))
    np.testing.assert_allclose(mean, [1.0, 2.0, 2.0])
    np.testing.assert_allclose(variance, [1.25, 2.25, 2.25])


def test_mean_and_covariance_of_whole_curves_are_those_of_the_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(empirical_gp, "PRIOR_RUNS", 0.0)
    monkeypatch.setattr(empirical_gp, "LEAST_NOISE", 1e-9)
    monkeypatch.setattr(empirical_gp, "ROUNDS", 300)
    epochs = np.array([1, 4, 20])
    values = np.random.default_rng(0).normal(size=(6, 3)) @ np.array([[1.0, 0.9, 0.8], [0, 0.5, 0.6], [0, 0, 0.3]])
    # Each twice, a little apart, so that there is noise to be told from the curves.
    prior = CurvePrior.learned(
        [(np.repeat(epochs, 2), np.repeat(curve, 2) + 1e-3 * (-1) ** np.arange(6)) for curve in values]
    )
    np.testing.assert_allclose(prior.mean, values.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(prior.covariance, np.cov(values.T, bias=True) * 7 / 6, atol=1e-4)
    assert prior.noise == pytest.approx(2e-6, rel=0.01)  # of two values 1e-3 from their mean


def test_curves_may_be_seen_at_other_epochs_each() -> None:
    rng = np.random.default_rng(1)
    curves = []
    for level in rng.normal(size=200):
        epochs = np.sort(rng.choice(np.arange(1, 31), 4, replace=False))
        curves.append((epochs, level * np.log1p(epochs) / np.log(31) + rng.normal(scale=0.05, size=4)))
    prior = CurvePrior.learned(curves)
    asked = np.arange(1, 31)
    mean, variance = prior.posterior(np.array([5, 10]), 2 * np.log1p([5, 10]) / np.log(31), asked)
    np.testing.assert_allclose(mean, 2 * np.log1p(asked) / np.log(31), atol=0.2)
    assert variance[-1] < 0.1  # of 1 before anything is seen
