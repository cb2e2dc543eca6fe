from __future__ import annotations

import json

import numpy as np
import pytest

from lcode.decisions import MedianRule, Standings, StopRule, Verdict, diverged_verdict
from lcode.errors import UsageError

STANDINGS = Standings(past={"a": 10.0}, finished={"b": 8.0, "c": 6.0}, expected={"d": 12.0})
LOW, HIGH = np.linspace(0, 4, 512), np.linspace(9, 13, 512)


@pytest.mark.parametrize(
    ("samples", "rule", "action", "says"),
    [
        (LOW, StopRule(), "stop", "P(beats a (ended at 10)) = 0.000 < 0.2; expected 2.0 [0.2, 3.8] Δm %"),
        (HIGH, StopRule(), "continue", "P(beats a (ended at 10)) = 0.750 ≥ 0.2"),
        (LOW, StopRule(keep=4), "continue", "one of the sweep's best 4"),
        (LOW, StopRule(keep=3), "stop", "< 0.2"),
        (HIGH, StopRule(delta=0.8, keep=0), "stop", "< 0.8"),
        (HIGH, StopRule(delta=0.8, keep=2), "continue", "one of the sweep's best 2"),
        (np.full(512, np.nan), StopRule(), "continue", "no forecast of every task"),
    ],
)
def test_forecasts_and_what_becomes_of_them(samples: np.ndarray, rule: StopRule, action: str, says: str) -> None:
    verdict = rule.decide("x", 7, samples, STANDINGS, unit="Δm %")
    assert (verdict.run, verdict.epoch, verdict.action, verdict.stop) == ("x", 7, action, action == "stop")
    assert says in verdict.reason


def test_the_probability_is_the_share_of_samples_above_the_incumbent() -> None:
    verdict = StopRule().decide("x", 7, np.arange(100.0), Standings(finished={"a": 89.0}))
    assert verdict.probability == 0.1
    assert verdict.score == 49.5


def test_without_a_finished_run_the_best_expected_one_is_the_incumbent() -> None:
    verdict = StopRule(keep=0).decide("x", 7, LOW, Standings(expected={"x": 99.0, "d": 12.0}))
    assert verdict.stop and "d (expected at 12)" in verdict.reason
    alone = StopRule(keep=0).decide("x", 7, LOW, Standings(expected={"x": 99.0}))
    assert not alone.stop and alone.probability is None


def test_the_first_epoch_at_which_a_run_may_be_stopped_is_exact() -> None:
    rule = StopRule(min_epochs=3, every=2)
    assert [epoch for epoch in range(10) if rule.due(epoch)] == [4, 6, 8]
    assert [rule.next_due(epoch) for epoch in range(5)] == [4, 4, 4, 4, 6]
    assert [epoch for epoch in range(5) if StopRule(min_epochs=3).due(epoch)] == [3, 4]


def test_runs_that_report_now_and_then_are_decided_on_once_after_each_multiple() -> None:
    rule, reported = StopRule(min_epochs=3, every=5), [3, 8, 9, 13, 25, 26]
    due = [epoch for previous, epoch in zip([-1, *reported], reported, strict=False) if rule.due(epoch, previous)]
    assert due == [8, 13, 25]
    assert StopRule(min_epochs=0).due(0, -1) and not StopRule(min_epochs=3, every=2).due(3, -1)


@pytest.mark.parametrize("option", [{"delta": 1.5}, {"min_epochs": -1}, {"keep": -1}, {"every": 0}])
def test_options_out_of_range_are_refused(option: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(option))):
        StopRule(**option)  # type: ignore[arg-type]


def test_standings_follow_a_run_from_live_to_finished() -> None:
    standings = Standings()
    standings.expect("a", 1.0)
    standings.finish("a", 2.0)
    standings.finish("b", float("nan"))
    assert (standings.finished, standings.expected) == ({"a": 2.0}, {})
    assert standings.incumbent("a") is None and standings.better("x", 1.5) == 1
    standings.drop("a")
    assert standings.incumbent("x") is None


def test_verdicts_are_plain_values() -> None:
    verdict = Verdict("x", 7, "stop", "why", 0.01, 2.0, {"seg/miou": {"median": 0.4, "q05": 0.3, "q95": 0.5}})
    assert Verdict(**json.loads(json.dumps(verdict.to_json()))) == verdict
    assert not Verdict("x", 7, "stop", "why", dry_run=True).stop


def test_divergence_is_said_with_its_epoch() -> None:
    verdict = diverged_verdict("x", 4, "seg/miou", float("nan"))
    assert verdict.stop and verdict.reason == "diverged: seg/miou is nan at epoch 4 and in all reports since, 5 or more"


def test_the_median_rule_compares_the_best_so_far_with_finished_runs() -> None:
    rule, peers = MedianRule(n_startup=3, min_epochs=2), np.array([1.0, 2.0, 3.0, np.nan])
    assert rule.decide("x", 5, 1.9, peers).stop
    assert not rule.decide("x", 5, 2.0, peers).stop
    assert not rule.decide("x", 1, 0.0, peers).stop
    assert not rule.decide("x", 5, 0.0, peers[:2]).stop
