from __future__ import annotations

import numpy as np
import pytest

from lcode.decisions import Standings
from lcode.decisions.budget import RegretBudget
from lcode.decisions.regret_rule import RegretRule, stop_rule
from lcode.errors import UsageError

LEVELS = np.linspace(0.001, 0.999, 512)


def standings(*ended: float) -> Standings:
    known = Standings()
    for i, score in enumerate(ended):
        known.finish(f"done{i}", score)
    return known


def test_a_cheap_stop_is_made_and_a_dear_one_is_not() -> None:
    rule = RegretRule(keep=1, regret=RegretBudget(0.1), factor=1.0, pace=0.5, delta=0.9)
    cheap = rule.decide("a", 3, 0.5 * LEVELS, standings(0.9), left=0.8)
    assert cheap.stop and cheap.price == 0.0 and "spent 0 of 0.1" in cheap.reason
    # Expected improvement over 0.6 of a score between 0 and 1: 0.08, more than 0.5 · 0.8 · 0.1.
    dear = rule.decide("a", 3, LEVELS, standings(0.6), left=0.8)
    assert not dear.stop and dear.price == pytest.approx(0.08, rel=0.1) and "stopping costs 0.0" in dear.reason


def test_a_dear_stop_must_save_more() -> None:
    rule = RegretRule(keep=1, regret=RegretBudget(0.2), factor=1.0, pace=0.5, delta=0.9)
    assert rule.decide("a", 3, LEVELS, standings(0.6), left=0.9).stop
    assert not rule.decide("a", 9, LEVELS, standings(0.6), left=0.5).stop


def test_what_was_spent_is_missing_later_and_comes_back_with_a_better_run() -> None:
    rule = RegretRule(keep=1, regret=RegretBudget(0.1), factor=1.0, pace=1.0, delta=1.0)
    known = standings(0.7)
    stop = rule.decide("a", 3, LEVELS, known)
    assert stop.stop
    known.take(stop)
    later = rule.decide("b", 3, LEVELS + 0.2, known)
    assert not later.stop and "spent 0.0" in later.reason
    known.finish("best", 1.1)
    assert rule.decide("b", 3, LEVELS + 0.2, known).stop


def test_a_stopped_run_that_goes_on_is_paid_back() -> None:
    rule = RegretRule(keep=1, regret=RegretBudget(0.1), factor=1.0, pace=1.0, delta=1.0)
    known = standings(0.7)
    known.take(rule.decide("a", 3, LEVELS, known))
    assert "spent 0 of" not in rule.decide("b", 3, LEVELS, known).reason
    known.expect("a", 0.5)
    assert "spent 0 of" in rule.decide("b", 3, LEVELS, known).reason


def test_a_likely_winner_is_never_stopped_however_large_the_budget() -> None:
    rule = RegretRule(keep=1, regret=RegretBudget(100.0), delta=0.5)
    assert rule.decide("a", 3, LEVELS, standings(0.55)).stop
    verdict = rule.decide("a", 3, LEVELS, standings(0.45))
    assert not verdict.stop and "≥ 0.5" in verdict.reason


def test_the_best_runs_are_kept() -> None:
    rule = RegretRule(regret=RegretBudget(100.0), delta=1.0, keep=2)
    verdict = rule.decide("a", 3, 0.1 * LEVELS, standings(0.9))
    assert not verdict.stop and "one of the sweep's best 2" in verdict.reason


def test_a_share_of_the_spread_is_told_as_soon_as_two_runs_are_known() -> None:
    rule = RegretRule(keep=1, regret=RegretBudget(0.1, "spread"), factor=1.0, pace=1.0, delta=1.0)
    # The one run has ended at 0.9, this one is expected to end at 0.1.
    assert "of 0.04" in rule.decide("a", 3, 0.2 * LEVELS, standings(0.9)).reason
    assert "of 0.02" in rule.decide("a", 3, 0.2 * LEVELS, standings(0.9, 0.7)).reason  # the median is 0.7


def test_deviations_between_seeds_must_be_known() -> None:
    rule = RegretRule(keep=1, regret=RegretBudget(0.5, "sd"))
    known = standings(0.9, 0.5)
    assert not rule.decide("a", 3, 0.1 * LEVELS, known).stop
    known.deviation = 0.1
    verdict = rule.decide("a", 3, 0.1 * LEVELS, known)
    assert verdict.stop and "of 0.05" in verdict.reason


def test_decisions_become_rarer() -> None:
    rule = RegretRule(min_epochs=1)
    asked = [epoch for epoch in range(51) if rule.due(epoch)]
    assert asked == [1, 2, 3, 4, 5, 7, 9, 12, 15, 19, 24, 30, 38, 48]
    assert [rule.next_due(epoch) for epoch in asked[:-1]] == asked[1:]
    # Reports every ten epochs are each decided on as long as the grid is finer.
    assert [epoch for epoch in range(10, 60, 10) if rule.due(epoch, epoch - 10)] == [10, 20, 30, 40, 50]
    rarer = RegretRule(min_epochs=4, every=3)
    assert [epoch for epoch in range(30) if rarer.due(epoch)] == [6, 9, 12, 15, 21, 27]


@pytest.mark.parametrize("option", ["factor", "pace"])
def test_what_must_be_positive_is_told(option: str) -> None:
    with pytest.raises(UsageError, match=f"{option} is 0; it is a number above 0"):
        stop_rule(0.1, **{option: 0})


def test_a_larger_factor_lets_the_ledger_run_up() -> None:
    verdicts = [
        RegretRule(keep=1, regret=RegretBudget(0.1), factor=factor, pace=0.5, delta=1.0).decide(
            "a", 3, LEVELS, standings(0.6)
        )
        for factor in (1.0, 10.0)
    ]
    assert [verdict.stop for verdict in verdicts] == [False, True]
    # Prices are told in what they are worth by the factor, so that they can be held against the budget.
    dear, cheap = (verdict.price for verdict in verdicts)
    assert dear is not None and cheap is not None and dear == pytest.approx(10 * cheap)


def test_before_a_run_has_ended_the_budget_is_taken_at_its_word() -> None:
    rule = RegretRule(regret=RegretBudget(0.1), factor=10.0, pace=1.0, delta=1.0, keep=0)
    live = Standings()
    live.take(rule.decide("a", 3, LEVELS + 0.1, live))
    # Of a rival that may end anywhere between 0.1 and 1.1 this run may well be the better one.
    assert not rule.decide("b", 3, LEVELS, live).stop
    assert rule.decide("b", 3, LEVELS, standings(0.6)).stop
