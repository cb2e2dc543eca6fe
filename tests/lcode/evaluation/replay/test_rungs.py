from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from lcode.errors import UsageError
from lcode.evaluation.replay import RecordedSweep
from lcode.evaluation.replay.rungs import BestAfter, Hyperband, SuccessiveHalving, rung_epochs

Recorded = Callable[..., RecordedSweep]


def flat(levels: Iterable[float], horizon: int = 12) -> list[list[float]]:
    return [[level] * horizon for level in levels]


def test_rungs_are_geometric_and_end_before_the_horizon() -> None:
    assert rung_epochs(3, 3, 52) == [3, 9, 27]
    assert rung_epochs(3, 3, 27) == [3, 9]
    assert rung_epochs(5, 2, 4) == []


def test_halving_lets_the_best_third_through_each_rung(recorded: Recorded) -> None:
    sweep = recorded(flat([0.9, 0.1, 0.2, 0.8, 0.3, 0.7, 0.4, 0.5, 0.6]))
    course = SuccessiveHalving(first=2, eta=3).play(sweep, range(9), workers=1)
    # Three of nine come to epoch 6, and one of these to the end.
    assert course.reports.tolist() == [12, 2, 2, 6, 2, 6, 2, 2, 2]


def test_halving_looks_at_the_rung_alone(recorded: Recorded) -> None:
    crossing = [[0.9, 0.9, 0.1, 0.1], [0.1, 0.2, 0.9, 0.9]]
    sweep = recorded(crossing)
    assert SuccessiveHalving(first=2, eta=2).play(sweep, range(2), 1).reports.tolist() == [4, 2]
    assert SuccessiveHalving(first=3, eta=2).play(sweep, range(2), 1).reports.tolist() == [3, 4]


def test_halving_keeps_as_many_as_it_is_told(recorded: Recorded) -> None:
    sweep = recorded(flat(np.linspace(0.1, 0.9, 9)))
    course = SuccessiveHalving(first=2, eta=3, keep=2).play(sweep, range(9), 1)
    assert course.reports.tolist() == [2, 2, 2, 2, 2, 2, 6, 12, 12]


def test_of_equal_runs_the_one_that_began_first_goes_on(recorded: Recorded) -> None:
    sweep = recorded(flat([0.5, 0.5, 0.5], horizon=4))
    course = SuccessiveHalving(first=2, eta=3).play(sweep, [2, 0, 1], 1)
    assert course.reports.tolist() == [2, 2, 4]


def test_a_run_that_reports_seldom_is_at_a_rung_with_its_next_report(recorded: Recorded) -> None:
    sweep = recorded(flat([0.1, 0.9, 0.2], horizon=4), first=5, step=5)
    course = SuccessiveHalving(first=6, eta=3).play(sweep, range(3), 1)
    assert course.reports.tolist() == [2, 4, 2]  # epoch 10 is the first at or after 6; 18 is the next rung


def test_a_diverged_run_is_behind_all_others_and_ends_when_that_is_known(recorded: Recorded) -> None:
    lost = [0.9, 0.9, *[np.nan] * 10]
    sweep = recorded([lost, *flat([0.1, 0.2])])
    assert SuccessiveHalving(first=2, eta=3).play(sweep, range(3), 1).reports.tolist() == [7, 2, 2]
    assert BestAfter(epochs=8, keep=1).play(sweep, range(3), 1).reports.tolist() == [7, 8, 12]


def test_the_best_after_some_epochs_are_trained_to_the_end(recorded: Recorded) -> None:
    sweep = recorded(flat([0.3, 0.1, 0.5, 0.4, 0.2], horizon=10))
    assert BestAfter(epochs=3, keep=2).play(sweep, range(5), 1).reports.tolist() == [3, 3, 10, 10, 3]
    assert BestAfter(epochs=30, keep=2).play(sweep, range(5), 1).reports.tolist() == [10] * 5


def test_brackets_have_the_sizes_of_the_paper() -> None:
    # Table 1 of Li et al. 2018: R = 81, η = 3.
    assert Hyperband(first=1, eta=3).sizes(81) == [81, 34, 15, 8, 5]
    assert Hyperband(first=3, eta=3).sizes(2) == [1]


def test_hyperband_deals_the_runs_out_to_its_brackets(recorded: Recorded) -> None:
    # Horizon 9, η = 3: brackets of 9 runs from epoch 1, 5 from epoch 3 and 3 that are trained to the end.
    assert Hyperband(first=1, eta=3).sizes(9) == [9, 5, 3]
    sweep = recorded(flat(np.linspace(0.1, 0.9, 18), horizon=9))
    course = Hyperband(first=1, eta=3).play(sweep, range(18), 1)
    assert course.reports.tolist() == [1, 1, 1, 1, 1, 1, 3, 3, 9, 3, 3, 3, 3, 9, 9, 9, 9, 9]


@pytest.mark.parametrize("rule", [SuccessiveHalving, Hyperband])
def test_a_rung_must_be_farther_than_the_one_before(rule: type[SuccessiveHalving] | type[Hyperband]) -> None:
    with pytest.raises(UsageError, match="eta is 1; it must be a whole number, at least 2"):
        rule(eta=1)
