from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lcode.regressors.half_ranks import HalfRanks

FINITE = st.floats(-1e6, 1e6)


def test_half_of_it_is_the_standardised_value_and_half_the_standardised_rank() -> None:
    rows = np.array([[1.0, 5.0], [2.0, 5.0], [2.0, 5.0], [7.0, 5.0]])
    scaled = HalfRanks(rows)(rows)
    values = (rows[:, 0] - 3) / np.sqrt(5.5)
    ranks = np.sqrt(12) * (np.array([1, 4, 4, 7]) / 8 - 0.5)  # half of the equals count as below
    np.testing.assert_allclose(scaled[:, 0], (values + ranks) / 2)
    np.testing.assert_array_equal(scaled[:, 1], 0.0)


def test_beyond_the_training_rows_it_goes_on_by_the_value() -> None:
    even = HalfRanks(np.array([[0.0], [1.0], [2.0]]))
    far = even(np.array([[2.0], [3.0], [4.0]]))
    np.testing.assert_allclose(np.diff(far, axis=0), 0.5 / np.sqrt(2 / 3))


@given(st.lists(FINITE, min_size=2, max_size=12), st.lists(FINITE, min_size=2, max_size=6))
def test_it_keeps_the_order(known: list[float], asked: list[float]) -> None:
    scaled = HalfRanks(np.array(known)[:, None])(np.sort(asked)[:, None])
    assert (np.diff(scaled[:, 0]) >= 0).all()
