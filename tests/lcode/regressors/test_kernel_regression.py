"""Regression with a kernel that is not fitted: leave-one-out in closed form, blocks that count alike, honest widths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.regressors.kernel_regression import Columns, KernelRegression


def each(count: int) -> Columns:
    return Columns(np.arange(count), np.zeros(count, dtype=np.int64))


def problem(rows: int, seed: int = 0, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    features = draw.standard_normal((rows, 3))
    outputs = np.stack([np.sin(features[:, 0]) + features[:, 1], features[:, 2] ** 2], axis=1)
    return features, outputs + noise * draw.standard_normal(outputs.shape)


def test_one_row_left_out_is_as_if_learned_without_it() -> None:
    features, outputs = problem(12)
    fitted = KernelRegression.fit(features, each(3), outputs)
    kernel = fitted.vectors @ np.diag(1 / fitted.inverse[:, 0] - fitted.noise[0]) @ fitted.vectors.T
    mean, deviation = fitted.out_of_fold()
    for row in range(12):
        rest = np.delete(np.arange(12), row)
        inverse = np.linalg.inv(kernel[np.ix_(rest, rest)] + fitted.noise[0] * np.eye(11))
        to_rest = kernel[row, rest]
        assert mean[row, 0] == pytest.approx(to_rest @ inverse @ outputs[rest, 0], abs=1e-6)
        variance = kernel[row, row] + fitted.noise[0] - to_rest @ inverse @ to_rest
        assert deviation[row, 0] == pytest.approx(fitted.amplitude[0] * np.sqrt(variance), rel=1e-5)


def test_it_learns_and_knows_how_well() -> None:
    features, outputs = problem(160)
    asked, truth = problem(400, seed=1)
    mean, deviation = KernelRegression.fit(features, each(3), outputs).predict(asked)
    assert (np.abs(mean - truth).mean(0) < 0.35 * truth.std(0)).all()
    within = (np.abs(mean - truth) < 1.645 * deviation).mean(0)
    assert ((within > 0.8) & (within < 0.98)).all()


@given(st.floats(0.01, 1e3), st.floats(-1e3, 1e3))
def test_the_unit_of_a_feature_does_not_matter(unit: float, shift: float) -> None:
    features, outputs = problem(20)
    asked = problem(5, seed=2)[0]
    told = KernelRegression.fit(features, each(3), outputs).predict(asked)
    again = KernelRegression.fit(unit * features + shift, each(3), outputs).predict(unit * asked + shift)
    for one, other in zip(told, again, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6)


def test_a_block_of_many_columns_counts_as_one_of_one() -> None:
    features, outputs = problem(20)
    one = Columns(np.array([0, 1]), np.array([0, 1]))
    wide = np.concatenate([features[:, :1], np.tile(features[:, 1:2], 7)], axis=1)
    for groups in (np.r_[0, np.arange(7)], np.r_[0, np.zeros(7, dtype=np.int64)]):
        many = Columns(groups, np.r_[0, np.ones(7, dtype=np.int64)])
        told = KernelRegression.fit(features[:, :2], one, outputs).out_of_fold()
        again = KernelRegression.fit(wide, many, outputs).out_of_fold()
        np.testing.assert_allclose(again, told, atol=1e-8)


def test_where_nothing_is_known_or_nothing_varies_it_says_the_mean() -> None:
    outputs = np.array([[1.0], [2.0], [3.0], [6.0]])
    for features in (np.zeros((4, 0)), np.full((4, 2), 5.0)):
        mean, deviation = KernelRegression.fit(features, each(features.shape[1]), outputs).predict(features[:1] + 1)
        assert mean[0, 0] == pytest.approx(3.0, abs=0.3) and 1.0 < deviation[0, 0] < 4.0


def test_outputs_that_are_all_alike_are_no_error() -> None:
    features, _ = problem(6)
    mean, deviation = KernelRegression.fit(features, each(3), np.zeros((6, 1))).predict(features)
    assert np.abs(mean).max() < 1e-6 and np.isfinite(deviation).all() and (deviation > 0).all()
