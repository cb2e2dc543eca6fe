from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.decisions import MedianRule, StopRule
from lcode.decisions.budget import RegretBudget
from lcode.decisions.regret_rule import RegretRule
from lcode.errors import UsageError
from lcode.evaluation.replay import ForecastPolicy, RecordedSweep
from lcode.evaluation.replay.asha import Asha
from lcode.evaluation.replay.rules import RULES, make_rule, own_forecaster, parse_rules
from lcode.evaluation.replay.thaw import FreezeThaw
from lcode.forecasters.last_value import LastValueForecaster
from lcode.table import Metric, RunTable

LAST = LastValueForecaster()
ACC = Metric("main", "acc", "max")


def forecaster(name: str) -> LastValueForecaster:
    return LAST


def test_a_rule_is_named_with_its_settings() -> None:
    assert make_rule("asha:first=5:eta=2", forecaster) == Asha(first=5, eta=2)
    assert make_rule("percentile", forecaster) == MedianRule(top=0.25)
    policy = make_rule("last:delta=0.2", forecaster)
    assert isinstance(policy, ForecastPolicy) and policy.rule == StopRule(delta=0.2) and policy.model is LAST


def test_the_budget_goes_to_the_rules_that_take_one() -> None:
    budget = RegretBudget(0.5)
    policy = make_rule("regret:keep=2", forecaster, regret=budget)
    assert isinstance(policy, ForecastPolicy) and policy.rule == RegretRule(regret=budget, keep=2)
    own = make_rule("regret:regret=0.1 spread", forecaster, regret=budget)
    assert isinstance(own, ForecastPolicy) and own.rule == RegretRule(regret=RegretBudget(0.1, "spread"))
    risky = make_rule("thaw", forecaster, alpha=0.2)
    assert isinstance(risky, FreezeThaw) and risky.rule == RegretRule(alpha=0.2, keep=3)
    assert make_rule("asha", forecaster, regret=budget, alpha=0.2) == Asha()


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("ashes", "no rule 'ashes'; there are: patience, median"),
        ("asha:r=5", "no setting 'r=5'; 'asha' has: first, eta"),
        ("asha:first", "no setting 'first'"),
        ("asha:first=few", "first is 'few'; write a number"),
        ("asha:eta=1", "eta is 1; it must be a whole number, at least 2"),
        ("asha:eta=2.5", "eta is 2.5"),
    ],
)
def test_what_is_no_rule_is_told(spec: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        make_rule(spec, forecaster)


def test_rules_that_forecast_come_last() -> None:
    assert parse_rules("last, asha ,median,asha") == ("asha", "median", "last")
    with pytest.raises(UsageError, match="--rules names none"):
        parse_rules(" , ")


def table_of(scores: np.ndarray) -> RunTable:
    import pandas as pd

    runs, epochs = scores.shape
    rows = [(f"r{i}", j + 1, ACC.key, float(scores[i, j])) for i in range(runs) for j in range(epochs)]
    return RunTable.from_points(pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"]), [ACC])


QUICK = [name for name in RULES if own_forecaster(name) is not None or not RULES[name].forecasts]


@pytest.mark.parametrize("name", [*(name for name in QUICK if name != "trees"), "regret", "thaw"])
@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, 2, 8, 64]), st.integers(4, 16))
def test_no_rule_sees_what_it_has_not_trained(name: str, seed: int, workers: int, runs: int) -> None:
    generator = np.random.default_rng(seed)
    ends = generator.uniform(0.2, 0.9, (runs, 1))
    scores = ends * (1 - np.exp(-generator.uniform(0.05, 0.8, (runs, 1)) * np.arange(1, 13)))
    scores += generator.normal(0, 0.02, scores.shape)
    scores[generator.random(runs) < 0.1, 5:] = np.nan
    rule = make_rule(name, lambda rule: own_forecaster(rule) or LAST)
    result = RecordedSweep(table_of(scores), baseline={ACC.key: 0.5}).replay(rule, order_seed=seed, workers=workers)

    assert result.regret >= 0 and 0 < result.epochs_trained <= result.epochs_total
    assert len(result.stopped) < runs or np.isnan(scores[:, -1]).any() or name == "patience"
    other = scores.copy()
    for run, epoch in result.stopped.items():
        later = other[int(run[1:]), int(epoch) :]
        other[int(run[1:]), int(epoch) :] = generator.uniform(0, 2, later.shape)
    again = RecordedSweep(table_of(other), baseline={ACC.key: 0.5}).replay(rule, order_seed=seed, workers=workers)
    assert again.stopped == result.stopped and again.order == result.order


def test_forests_have_no_say_before_runs_have_finished() -> None:
    own = own_forecaster("trees")
    assert own is not None and own.learns_in_context and own.min_finished == 3
    table = table_of(np.random.default_rng(0).uniform(0, 1, (6, 8)))
    assert np.isnan(own.predict(table.prefix(3)).quantiles).all()
    known = own.in_context(table)
    assert np.isfinite(known.predict(table.prefix(3)).quantiles).all()
