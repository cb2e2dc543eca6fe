from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.forecast import LEVELS
from lcode.regressors.extra_trees import QuantileForest, weighted_quantiles


def test_equal_weights_give_the_quantiles_of_the_values() -> None:
    values = np.arange(1.0, 101.0)[::-1, None]
    weights = np.full((2, 100), 0.01)
    expected = np.quantile(values, LEVELS, method="hazen")
    np.testing.assert_allclose(weighted_quantiles(values, weights)[:, 0], [expected, expected], atol=1e-9)


def test_a_single_weight_gives_that_value() -> None:
    values = np.array([[3.0, 30.0], [1.0, 10.0], [2.0, 20.0]])
    result = weighted_quantiles(values, np.array([[0.0, 0.0, 1.0]]))
    np.testing.assert_allclose(result[0, :, 10], [2.0, 20.0])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), size=st.integers(1, 12))
def test_quantiles_ascend_within_the_values_and_follow_shifts(seed: int, size: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.standard_normal((size, 3))
    weights = generator.dirichlet(np.ones(size), size=4)
    result = weighted_quantiles(values, weights)
    assert (np.diff(result, axis=-1) >= 0).all()
    assert (result >= values.min(0)[None, :, None] - 1e-9).all() and (
        result <= values.max(0)[None, :, None] + 1e-9
    ).all()
    np.testing.assert_allclose(weighted_quantiles(2 * values + 1, weights), 2 * result + 1, atol=1e-9)


def test_weights_sum_to_one_and_a_training_run_is_its_own_neighbour() -> None:
    generator = np.random.default_rng(0)
    features = generator.standard_normal((20, 4))
    forest = QuantileForest(features, features[:, :1] ** 2, seed=0)
    weights = forest.weights(features)
    np.testing.assert_allclose(weights.sum(1), 1.0)
    assert np.diag(weights) == pytest.approx(np.ones(20))
