from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.decisions.pareto import front_probability


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([3, 2, 1], [3, 2, 1], [1, 0, 0]),
        ([3, 2, 1], [1, 2, 3], [1, 1, 1]),
        ([2, 2, 1], [2, 1, 1], [1, 0, 0]),
        ([2, 2, 1], [2, 2, 3], [1, 1, 1]),  # equals share their place
        ([1, np.nan, 0], [0, 9, 1], [1, 0, 1]),
        ([np.nan], [1], [0]),
        ([], [], []),
        ([1e308, -1e308, 0], [0, 1e308, -1], [1, 1, 0]),
    ],
)
def test_small_fronts(one: list[float], other: list[float], expected: list[float]) -> None:
    assert front_probability(np.array([one], float), np.array([other], float)).tolist() == expected


@given(st.integers(0, 10_000), st.integers(1, 7), st.booleans())
def test_the_front_is_who_is_dominated_by_nobody(seed: int, runs: int, ties: bool) -> None:
    generator = np.random.default_rng(seed)
    one, other = generator.integers(0, 3, (2, 5, runs)) if ties else generator.standard_normal((2, 5, runs))
    as_good = (one[:, :, None] >= one[:, None]) & (other[:, :, None] >= other[:, None])
    better = as_good & ((one[:, :, None] > one[:, None]) | (other[:, :, None] > other[:, None]))
    np.testing.assert_allclose(front_probability(one.astype(float), other.astype(float)), (~better.any(1)).mean(0))
