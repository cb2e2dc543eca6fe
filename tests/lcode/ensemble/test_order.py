from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from lcode.ensemble.order import FEWEST, in_careful_order, moved_by
from lcode.ensemble.settings import SETTINGS
from lcode.forecast import LEVELS, Q05, Q50, Q95

LAST = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
PREDICTED = np.array([[-1.0], [0.0], [-1.5], [2.0], [3.0]])
"""The third one is expected to overtake two others."""


def test_runs_take_the_predicted_values_in_the_order_of_half_of_their_own_changes() -> None:
    moved = in_careful_order(PREDICTED, LAST, PREDICTED, LAST)
    # The median change is -1; half of the third run's further -2.5 leaves it at 0.75 beside 0, 1, 3 and 4.
    assert SETTINGS.departure == 0.5
    np.testing.assert_allclose((PREDICTED + moved)[:, 0], [-1.5, 0.0, -1.0, 2.0, 3.0])


def test_what_a_run_is_given_depends_on_the_others_not_on_which_runs_are_asked_for() -> None:
    generator = np.random.default_rng(0)
    others_last, asked_last = generator.standard_normal(12), generator.standard_normal(6)
    others = others_last[:, None] + generator.standard_normal((12, 3)) - 1
    asked = asked_last[:, None] + generator.standard_normal((6, 3)) - 1
    together = in_careful_order(asked, asked_last, others, others_last)
    assert (together != 0).any()
    for row in range(6):
        alone = in_careful_order(asked[[row]], asked_last[[row]], others, others_last)
        np.testing.assert_array_equal(alone[0], together[row])
    shuffled = generator.permutation(12)
    turned = in_careful_order(asked, asked_last, others[shuffled], others_last[shuffled])
    np.testing.assert_allclose(turned, together, rtol=1e-12)


def test_a_run_beyond_all_others_stays_ahead_by_as_much_as_its_careful_value() -> None:
    """All others fall by 1; a run that stands 3 above the last of them and falls by 3 is, carefully, 2 above it."""
    moved = in_careful_order(np.array([[4.0]]), np.array([7.0]), LAST[:, None] - 1, LAST)
    np.testing.assert_allclose(4.0 + moved, 3.0 + 2.0)
    moved = in_careful_order(np.array([[-6.0]]), np.array([-3.0]), LAST[:, None] - 1, LAST)
    np.testing.assert_allclose(-6.0 + moved, -1.0 - 4.0)


def test_few_others_leave_runs_as_they_are() -> None:
    assert FEWEST == 5
    assert (in_careful_order(PREDICTED, LAST, PREDICTED[:4], LAST[:4]) == 0).all()
    for unknown in (np.where(LAST == 2, np.nan, LAST), LAST):
        predicted = np.where(np.isnan(unknown) | (LAST == 2), np.nan, PREDICTED[:, 0])[:, None]
        assert (in_careful_order(PREDICTED, LAST, predicted, unknown) == 0).all()


def test_a_run_without_a_value_is_left_as_it_is() -> None:
    last = np.where(LAST == 2, np.nan, LAST)
    moved = in_careful_order(PREDICTED, last, PREDICTED, LAST)
    assert moved[2, 0] == 0 and moved[0, 0] != 0


def test_moved_forecasts_have_the_moved_median_and_are_as_wide_as_both_views_together() -> None:
    quantiles = np.stack([norm.ppf(LEVELS), 2 * norm.ppf(LEVELS), np.full(21, np.nan)])
    moved = moved_by(quantiles, np.array([2.0, 0.0, 1.0]))
    assert moved[0, Q50] == pytest.approx(2.0)
    # Half of N(0, 1) and half of N(2, 1), about the moved median: 90 % lie within 4.6, where each has 3.3.
    assert moved[0, Q95] - moved[0, Q05] == pytest.approx(4.6, abs=0.1)
    np.testing.assert_array_equal(moved[1], quantiles[1])
    assert np.isnan(moved[2]).all()
