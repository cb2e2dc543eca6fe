from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from scipy.optimize import approx_fprime

from lcode.regressors import multi_output_gp
from lcode.regressors.multi_output_gp import GaussianProcess


def data(runs: int = 60, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Three features of which the first decides the first output and none the second."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(-1, 1, (runs, 3))
    y = np.stack([np.sin(3 * x[:, 0]), generator.standard_normal(runs)], 1)
    return torch.from_numpy(x), torch.from_numpy(y + 0.05 * generator.standard_normal(y.shape))


GROUPS = torch.tensor([0, 1, 1])


def test_it_finds_a_smooth_function_and_admits_noise() -> None:
    x, y = data()
    process = GaussianProcess(x, y, GROUPS)
    new, truth = data(seed=1)
    mean, variance = process.predict(new)
    assert float((mean[:, 0] - truth[:, 0]).abs().mean()) < 0.1
    assert float(variance[:, 0].mean()) < 0.1 * float(variance[:, 1].mean())
    inside = ((mean - truth).abs() < 1.645 * variance.sqrt()).double().mean(0)
    assert ((inside > 0.78) & (inside <= 1)).all()
    lengths = process.hyperparameters.length
    assert lengths[1] > lengths[0]  # the group that decides nothing is stretched away


def test_the_slope_of_the_marginal_likelihood(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    def keep(function, start, **_):  # type: ignore[no-untyped-def]
        asked["function"], asked["start"] = function, start
        return type("Found", (), {"x": start})

    monkeypatch.setattr(multi_output_gp, "minimize", keep)
    GaussianProcess(*data(20), GROUPS)
    point = asked["start"] + np.linspace(-0.4, 0.5, len(asked["start"]))
    slope = asked["function"](point)[1]
    np.testing.assert_allclose(slope, approx_fprime(point, lambda x: asked["function"](x)[0], 1e-6), rtol=2e-4)


def test_left_out_folds_are_what_a_fit_without_them_forecasts() -> None:
    x, y = data(40)
    folds = torch.arange(40) % 4
    process = GaussianProcess(x, y, GROUPS)
    mean, variance = process.out_of_fold(folds)
    kept = folds != 2
    # The same standardisation and hyper-parameters, but not the rows.
    other = copy.copy(process)
    other._x, other._y = other._x[kept], other._y[:, kept]
    covariance = other._covariance(other.hyperparameters, other._x)
    other._root = torch.linalg.cholesky(covariance)
    other._alpha = torch.cholesky_solve(other._y[..., None], other._root)[..., 0]
    expected_mean, expected_variance = other.predict(x[~kept])
    torch.testing.assert_close(mean[~kept], expected_mean)
    torch.testing.assert_close(variance[~kept], expected_variance)


def test_two_rows_and_constant_columns_are_enough() -> None:
    x = torch.ones(3, 2, dtype=torch.float64)
    process = GaussianProcess(x, torch.tensor([[1.0], [1.0], [1.0]], dtype=torch.float64), torch.tensor([0, 1]))
    mean, variance = process.predict(x)
    assert torch.isfinite(variance).all()
    torch.testing.assert_close(mean, torch.ones_like(mean))
