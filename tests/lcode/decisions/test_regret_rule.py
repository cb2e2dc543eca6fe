from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.decisions import Standings
from lcode.decisions.budget import RegretBudget
from lcode.decisions.ledger import chance_of_loss
from lcode.decisions.regret_rule import RegretRule, stop_rule
from lcode.errors import UsageError

LEVELS = np.linspace(0.001, 0.999, 512)


def standings(*ended: float) -> Standings:
    known = Standings()
    for i, score in enumerate(ended):
        known.finish(f"done{i}", score)
    return known


def rule(regret: RegretBudget = RegretBudget(0.1), **settings: float) -> RegretRule:  # noqa: B008 (a frozen value)
    return RegretRule(**{"keep": 1, "factor": 1.0, "delta": 1.0, "regret": regret, **settings})  # type: ignore[arg-type]


def test_a_stop_is_made_that_hardly_risks_the_budget_and_a_risky_one_is_not() -> None:
    cheap = rule().decide("a", 3, 0.5 * LEVELS, standings(0.9), left=0.8)
    assert cheap.stop and cheap.price == 0.0 and "P(more than 0.1 is lost): spent 0 of 0.1" in cheap.reason
    # Evenly between 0 and 1 it ends more than 0.1 above 0.6 with a chance of 0.3.
    dear = rule().decide("a", 3, LEVELS, standings(0.6), left=0.8)
    assert not dear.stop and dear.price == pytest.approx(0.3, abs=0.02) and "with this stop 0.29 > 0.08" in dear.reason
    assert rule(alpha=0.5).decide("a", 3, LEVELS, standings(0.6), left=0.8).stop
    assert rule(RegretBudget(0.35)).decide("a", 3, LEVELS, standings(0.6), left=0.8).stop


def test_a_risky_stop_must_save_more() -> None:
    at_risk = rule(alpha=0.4)  # it risks 0.3
    assert at_risk.decide("a", 3, LEVELS, standings(0.6), left=0.9).stop
    assert not at_risk.decide("a", 9, LEVELS, standings(0.6), left=0.5).stop


def test_what_was_spent_is_missing_later_and_comes_back_with_a_better_run() -> None:
    known = standings(0.7)
    stop = rule(alpha=0.25).decide("a", 3, LEVELS, known)
    assert stop.stop and stop.price == pytest.approx(0.2, abs=0.02)
    known.take(stop)
    later = rule(alpha=0.25).decide("b", 3, LEVELS + 0.1, known)
    assert not later.stop and "spent 0.14 of 0.25" in later.reason  # the live one may end above both
    known.finish("best", 0.9)
    again = rule(alpha=0.25).decide("b", 3, LEVELS + 0.1, known)
    assert again.stop and "spent 0" in again.reason


def test_a_stopped_run_that_goes_on_is_paid_back() -> None:
    known = standings(0.7)
    known.take(rule(alpha=0.25).decide("a", 3, LEVELS, known))
    assert "spent 0 of" not in rule().decide("b", 3, LEVELS, known).reason
    known.expect("a", 0.5)
    assert "spent 0 of" in rule().decide("b", 3, LEVELS, known).reason


def test_one_lucky_look_does_not_decide() -> None:
    known = standings(0.9)
    assert not rule().decide("a", 1, LEVELS + 0.3, known).stop  # before min_epochs it is only looked at
    known.take(rule().decide("a", 1, LEVELS + 0.3, known))
    assert rule().decide("a", 2, 0.5 * LEVELS, standings(0.9)).stop
    # Half of what is believed is what the first look said: more than 1.0 with a chance of 0.3.
    verdict = rule().decide("a", 2, 0.5 * LEVELS, known)
    assert not verdict.stop and verdict.price == pytest.approx(0.15, abs=0.02)


def test_a_likely_winner_is_never_stopped_however_large_the_budget() -> None:
    careless = rule(RegretBudget(100.0), delta=0.5)
    assert careless.decide("a", 3, LEVELS, standings(0.55)).stop
    verdict = careless.decide("a", 3, LEVELS, standings(0.45))
    assert not verdict.stop and "≥ 0.5" in verdict.reason


def test_the_best_runs_are_kept() -> None:
    verdict = rule(RegretBudget(100.0), keep=2).decide("a", 3, 0.1 * LEVELS, standings(0.9))
    assert not verdict.stop and "one of the sweep's best 2" in verdict.reason


def test_a_share_of_the_spread_is_told_as_soon_as_two_runs_are_known() -> None:
    share = rule(RegretBudget(0.1, "spread"))
    # The one run has ended at 0.9, this one is expected to end at 0.1.
    assert "more than 0.04 is lost" in share.decide("a", 3, 0.2 * LEVELS, standings(0.9)).reason
    # The median is 0.7.
    assert "more than 0.02 is lost" in share.decide("a", 3, 0.2 * LEVELS, standings(0.9, 0.7)).reason


def test_deviations_between_seeds_must_be_known() -> None:
    seeds, known = rule(RegretBudget(0.5, "sd")), standings(0.9, 0.5)
    assert not seeds.decide("a", 3, 0.1 * LEVELS, known).stop
    known.deviation = 0.1
    verdict = seeds.decide("a", 3, 0.1 * LEVELS, known)
    assert verdict.stop and "more than 0.05 is lost" in verdict.reason


def test_decisions_become_rarer() -> None:
    usual = RegretRule()
    asked = [epoch for epoch in range(51) if usual.due(epoch)]
    assert asked == [1, 2, 3, 4, 5, 7, 9, 12, 15, 19, 24, 30, 38, 48]
    assert [usual.next_due(epoch) for epoch in asked[:-1]] == asked[1:]
    # Reports every ten epochs are each decided on as long as the grid is finer.
    assert [epoch for epoch in range(10, 60, 10) if usual.due(epoch, epoch - 10)] == [10, 20, 30, 40, 50]
    rarer = RegretRule(min_epochs=4, every=3)  # looked at from 3 on, stopped from 6 on
    assert [epoch for epoch in range(30) if rarer.due(epoch)] == [3, 6, 9, 12, 15, 21, 27]


@pytest.mark.parametrize("option", ["factor", "alpha"])
def test_what_must_be_positive_is_told(option: str) -> None:
    with pytest.raises(UsageError, match=f"{option} is 0; it is a number above 0"):
        stop_rule(0.1, **{option: 0})


def test_the_factor_corrects_the_chance() -> None:
    verdicts = [
        rule(factor=factor, alpha=0.2).decide("a", 3, LEVELS, standings(0.6), left=1.0) for factor in (1.0, 2.0)
    ]
    assert [verdict.stop for verdict in verdicts] == [False, True]
    # Chances are told corrected, so that they can be held against α.
    assert [verdict.price for verdict in verdicts] == pytest.approx([0.3, 0.15], abs=0.02)


def test_before_a_run_has_ended_it_is_held_against_the_live_ones() -> None:
    live = Standings()
    live.take(rule(keep=0).decide("a", 3, LEVELS + 0.1, live))
    # Of a rival that may end anywhere between 0.1 and 1.1 this run may well be the better one.
    assert not rule(keep=0, alpha=0.2).decide("b", 3, LEVELS, live).stop
    assert rule(keep=0, alpha=0.2).decide("b", 3, LEVELS, standings(0.75)).stop


@given(st.lists(st.floats(0, 1), min_size=8, max_size=8), st.floats(0.02, 0.4))
def test_calibrated_forecasts_keep_the_promise_in_the_mean(finals: list[float], alpha: float) -> None:
    """Forecasts that know nothing but the range: whoever is stopped risks no more than α."""
    known, careful = standings(), rule(RegretBudget(0.05), alpha=alpha)
    for i, final in enumerate(finals):
        verdict = careful.decide(f"r{i}", 3, LEVELS, known)
        known.take(verdict)
        if not verdict.stop:
            known.finish(f"r{i}", final)
    best = max(known.finished.values())
    assert chance_of_loss(list(known.stopped.values()), [], best, 0.05) <= alpha + 1e-9
