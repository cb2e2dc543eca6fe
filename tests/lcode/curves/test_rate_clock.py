import numpy as np
import pytest

from lcode.curves.rate_clock import PIECES, RateClock
from lcode.table import Schedule

HORIZON = np.array([10])


def clock(rates: list[float]) -> RateClock:
    return RateClock.of({"a": Schedule.of(rates)}, ["a"], HORIZON)


def test_epochs_count_by_their_rate_relative_to_the_highest() -> None:
    passed = clock([0.2] * 5 + [0.1] * 5).passed(np.array([[0, 1, 5, 6, 10]]))
    np.testing.assert_allclose(passed, [[0, 1, 5, 5.5, 7.5]])


def test_a_drop_is_one_fall_at_its_epoch() -> None:
    one = clock([0.2] * 5 + [0.05] * 5)
    np.testing.assert_allclose(one.falls.sum(), 0.75)
    np.testing.assert_allclose(one.after[0, -1], 0.25)
    assert ((one.when[0] >= 5) & (one.when[0] <= 5.25)).all()  # between the fifth epoch and the sixth
    assert one.falls.any()


def test_a_cosine_falls_in_equal_pieces() -> None:
    rates = (0.5 * (1 + np.cos(np.pi * np.arange(10) / 9))).tolist()
    one = clock(rates)
    np.testing.assert_allclose(one.falls, np.full((1, PIECES), 1 / PIECES))
    assert (np.diff(one.when[0]) > 0).all()


def test_a_warm_restart_rises_and_falls() -> None:
    one = clock([1.0, 0.5, 0.0, 1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(one.falls.sum(), 1.0)
    assert (one.falls < 0).any()


@pytest.mark.parametrize("rates", [[0.1] * 10, [0.1] * 4 + [0.01], [float("nan")] * 10])
def test_a_constant_a_short_or_an_undefined_plan_changes_nothing(rates: list[float]) -> None:
    one = clock(rates)
    assert not one.falls.any()
    np.testing.assert_allclose(one.passed(np.array([[3, 7]])), [[3, 7]])


def test_rows_are_the_clock_of_these_runs() -> None:
    plans = {"a": Schedule.of([1.0] * 10), "b": Schedule.of([1.0] * 5 + [0.1] * 5)}
    both = RateClock.of(plans, ["a", "b", "c"], np.array([10, 10, 10]))
    part = both.rows(slice(1, 3))
    assert part.falls.any(1).tolist() == [True, False]
    np.testing.assert_allclose(part.passed(np.array([[10], [10]])), [[5.5], [10.0]])
