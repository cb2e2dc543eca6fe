from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm

from lcode.curves.arrays import curve_arrays
from lcode.curves.prefix import Known, PrefixReader
from lcode.curves.scaling import ValueScaler
from lcode.ensemble.novelty import BELIEF, MOST, Novelty, belief
from lcode.forecast import LEVELS
from lcode.table import RunTable

CUTOFF = 6


@pytest.fixture(scope="module")
def finished(family: Callable[..., RunTable]) -> RunTable:
    """Thirty runs that all learn."""
    return family(30)


@pytest.fixture(scope="module")
def read(finished: RunTable) -> Callable[[RunTable], Known]:
    """What is known of runs at the cutoff."""
    reader = PrefixReader(finished, ValueScaler.fit(curve_arrays(finished)))
    return lambda table: reader.at(table, curve_arrays(table), CUTOFF)


@pytest.fixture(scope="module")
def novelty(finished: RunTable, read: Callable[[RunTable], Known]) -> Novelty:
    return Novelty(read(finished), np.arange(30) % 5)


def standing_at(table: RunTable, error: float, share: float) -> RunTable:
    """One run that stands still at these values of both metrics."""
    one = table.select(table.run_ids[:1])
    values = np.where(one.points["metric"] == "seg/err", error, share)
    return RunTable(**{**vars(one), "points": one.points.assign(value=values)})


def test_a_run_that_stands_still_is_unlike_runs_that_all_learn(
    finished: RunTable, read: Callable[[RunTable], Known], novelty: Novelty
) -> None:
    assert novelty.of(read(standing_at(finished, 0.99, 0.01))) == pytest.approx(MOST)


def test_a_run_ahead_of_all_goes_on_as_the_others(
    finished: RunTable, read: Callable[[RunTable], Known], novelty: Novelty
) -> None:
    assert novelty.of(read(standing_at(finished, 1e-3, 0.999))).max() == 0


def test_finished_runs_are_alike(finished: RunTable, read: Callable[[RunTable], Known], novelty: Novelty) -> None:
    assert novelty.of(read(finished)).max() == 0
    assert (novelty.out_of_fold() > 0).mean() < 0.25


def test_a_finished_run_is_not_compared_with_itself(finished: RunTable, read: Callable[[RunTable], Known]) -> None:
    others = finished.select(finished.run_ids[1:])
    known = read(others.concat(standing_at(finished, 0.99, 0.01)))
    assert Novelty(known, np.arange(30) % 5).out_of_fold()[-1] == pytest.approx(MOST)


def test_where_nothing_was_observed_no_run_is_unlike(
    finished: RunTable, read: Callable[[RunTable], Known], novelty: Novelty
) -> None:
    nothing = read(finished.prefix(0))
    assert novelty.of(nothing).max() == 0
    assert Novelty(nothing, np.arange(30) % 5).of(read(finished)).max() == 0


def test_left_out_runs_say_whether_to_lean() -> None:
    truth, near, far = np.zeros((4, 1, 2)), norm.ppf(LEVELS) * np.ones((4, 1, 2, 1)), 5 + norm.ppf(LEVELS)
    far = np.broadcast_to(far, near.shape)
    some = np.array([[0.9], [0.0], [0.5], [0.9]])
    assert belief(some, near, near, truth) == pytest.approx(BELIEF)
    assert belief(some, near, far, truth) < 0.05 and belief(some, far, near, truth) > 0.95
    assert belief(np.zeros((4, 1)), near, far, truth) == pytest.approx(BELIEF)
    assert belief(some, near, far, truth * np.nan) == pytest.approx(BELIEF)
