from __future__ import annotations

import numpy as np

from lcode.fitting.order import OWN, in_careful_order
from lcode.forecast import LEVELS, Q50


def forecasts(medians: list[float]) -> np.ndarray:
    """Quantiles of one metric at one query epoch, 1 wide, around these medians, [R, 1, 1, 21]."""
    return np.array(medians)[:, None, None, None] + np.linspace(-0.5, 0.5, len(LEVELS))


def test_runs_take_the_predicted_values_in_the_order_of_half_of_their_own_changes() -> None:
    last = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    predicted = [-1.0, 0.0, -1.5, 2.0, 3.0]  # the third one is expected to overtake two others
    ordered = in_careful_order(forecasts(predicted), last[:, None], np.full(5, 3), np.full((5, 1), 9))
    # The median change is -1; half of the third run's further -2.5 leaves it at 0.75 beside 0, 1, 3 and 4.
    assert OWN == 0.5
    np.testing.assert_allclose(ordered[:, 0, 0, Q50], [-1.5, 0.0, -1.0, 2.0, 3.0])
    np.testing.assert_allclose(np.ptp(ordered, axis=-1), 1)


def test_runs_of_other_cutoffs_and_few_runs_are_left_as_they_are() -> None:
    last = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    predicted = forecasts([-1.0, 0.0, -1.5, 2.0, 3.0])
    apart = in_careful_order(predicted, last, np.array([3, 3, 3, 3, 4]), np.full((5, 1), 9))
    np.testing.assert_array_equal(apart, predicted)


def test_a_run_without_a_value_leaves_all_as_they_are() -> None:
    last = np.array([[0.0], [1.0], [np.nan], [3.0], [4.0]])
    predicted = forecasts([-1.0, 0.0, -1.5, 2.0, 3.0])
    np.testing.assert_array_equal(in_careful_order(predicted, last, np.full(5, 3), np.full((5, 1), 9)), predicted)
