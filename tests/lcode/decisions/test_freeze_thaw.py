from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.decisions import Suggestions, earlier_looks, suggest, thaw_rule
from lcode.decisions.freeze_thaw import must_go_on
from lcode.decisions.ledger import Outlook
from lcode.decisions.standings import Standings
from lcode.errors import UsageError
from lcode.forecast import LEVELS, Forecast
from lcode.table import Metric, RunTable

ACC = Metric("main", "acc", "max")


def outlook(low: float, high: float) -> Outlook:
    return Outlook.of(np.linspace(low, high, 2001))


def standings(*finished: float) -> Standings:
    known = Standings()
    for i, score in enumerate(finished):
        known.finish(f"done{i}", score)
    return known


def test_the_chance_to_end_above_the_best_by_more_than_the_budget_decides() -> None:
    rule = thaw_rule(0.1, alpha=0.4)  # half of it is allowed
    paused = {"low": outlook(0.0, 0.85), "even": outlook(0.4, 1.2), "high": outlook(0.7, 1.3), "new": None}
    found = must_go_on(rule, paused, dict.fromkeys(paused, 0.5), standings(0.8))
    # Uniform: P(> 0.9) = 0.3 / 0.8 and 0.4 / 0.6; both above 0.2 · 0.5.
    assert found.runs == ("new", "high", "even") and found.allowed == 0.1
    assert found.chances == pytest.approx({"low": 0, "even": 0.375, "high": 2 / 3}, abs=0.03)
    assert found.over >= found.chances["high"]
    assert must_go_on(rule, {"low": paused["low"]}, {"low": 0.5}, standings(0.8)).runs == ()


def test_a_chance_is_worth_more_epochs_the_nearer_the_end_is() -> None:
    rule = replace(thaw_rule(0.1, alpha=0.4), factor=1.0)
    paused = {"run": outlook(0.4, 1.2)}  # P(> 0.9) = 0.375
    far, near = (must_go_on(rule, paused, {"run": left}, standings(0.8)).runs for left in (1.0, 0.5))
    assert far == () and near == ("run",)


def test_where_each_may_be_left_but_not_all_the_likeliest_goes_on() -> None:
    rule = replace(thaw_rule(0.1, alpha=0.12), factor=1.0)
    paused = {f"r{i}": outlook(0.0, 1 + i / 10_000) for i in range(50)}  # each ends above 0.9 with a chance of 0.1
    found = must_go_on(rule, paused, dict.fromkeys(paused, 1.0), standings(0.8))
    assert max(found.chances.values()) < 0.12 < found.over and found.runs == ("r49",)


def test_without_a_finished_run_or_a_spread_nothing_can_be_left() -> None:
    paused = {"a": outlook(0.1, 0.2), "b": outlook(0.5, 0.9)}
    left = dict.fromkeys(paused, 0.9)
    assert must_go_on(thaw_rule(0.1), paused, left, standings()).runs == ("b", "a")
    assert must_go_on(thaw_rule("1 sd"), paused, left, standings(0.8)).allowed is None


@given(
    ends=st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 1)), min_size=1, max_size=6),
    alphas=st.tuples(st.floats(0.01, 0.9), st.floats(0.01, 0.9)),
    amount=st.floats(0.001, 0.5),
)
def test_a_larger_alpha_or_budget_never_asks_more_runs(
    ends: list[tuple[float, float]], alphas: tuple[float, float], amount: float
) -> None:
    paused: Mapping[str, Outlook] = {f"r{i}": outlook(low, low + width) for i, (low, width) in enumerate(ends)}
    left, known = dict.fromkeys(paused, 0.8), standings(0.5)
    careful, bold = (must_go_on(thaw_rule(amount, alpha=alpha), paused, left, known) for alpha in sorted(alphas))
    assert set(bold.runs) <= set(careful.runs)
    assert must_go_on(thaw_rule(2 * amount, alpha=min(alphas)), paused, left, known).over <= careful.over


def table(seen: Mapping[str, int], *, every: int = 1, unit: float = 1.0, horizon: int = 20) -> RunTable:
    rows = [
        (run, epoch, ACC.key, 0.5 + epoch / 100)
        for run, last in seen.items()
        for epoch in range(every, last + 1, every)
    ]
    status = ["finished" if last == horizon else "stopped" for last in seen.values()]
    runs = pd.DataFrame({"horizon": horizon, "status": status}, index=list(seen))
    points = pd.DataFrame(rows, columns=["run", "epoch", "metric", "value"])
    return RunTable.from_points(points, (ACC,), runs=runs, epoch_unit=unit)


def test_looks_before_now_are_those_at_which_a_run_was_looked_at() -> None:
    looks = earlier_looks(table({"done": 20, "new": 0, "one": 1, "two": 2, "six": 6, "long": 11}), thaw_rule())
    # Due at 1, 2, 3, 4, 5, 7, 9, 12 …
    assert [dict(look.last_epochs) for look in looks] == [{"two": 1, "six": 5, "long": 9}, {"six": 4, "long": 7}]
    assert set(looks[0].runs["status"]) == {"running"}


def test_looks_are_at_evaluations() -> None:
    looks = earlier_looks(table({"run": 15}, every=5), thaw_rule())
    assert [dict(look.last_epochs) for look in looks] == [{"run": 10}, {"run": 5}]
    halves = earlier_looks(table({"run": 8}, unit=0.5), thaw_rule())  # 4 epochs: looks at 3 and 2
    assert [dict(look.last_epochs) for look in halves] == [{"run": 6}, {"run": 4}]


def forecast(seen: Mapping[str, int], ends: Mapping[str, tuple[float, float]], horizon: int = 20) -> Forecast:
    """Runs that end uniformly between two values."""
    low, high = (np.array([ends[run][side] for run in seen]) for side in (0, 1))
    last = np.array(list(seen.values()))
    return Forecast(
        run_ids=tuple(seen),
        metrics=(ACC,),
        epochs=np.full((len(seen), 1), horizon),
        quantiles=(low[:, None] + np.outer(high - low, LEVELS))[:, None, None],
        status=np.where(last == horizon, "finished", "ok")[:, None],
        observed=np.where(last == 0, -1, last)[:, None],
        horizons=np.full(len(seen), horizon),
    )


ENDS = {
    "d0": (0.8, 0.8), "d1": (0.7, 0.7), "d2": (0.6, 0.6),
    "best": (0.6, 1.2), "even": (0.4, 1.0), "bad": (0.1, 0.5),
}  # fmt: skip


def suggested(seen: Mapping[str, int], **settings: object) -> Suggestions:
    runs = table(seen)
    settings = {"regret": 10, "alpha": 0.2, "baseline": {ACC.key: 1.0}, **settings}
    return suggest(forecast(seen, ENDS), table=runs, **settings)  # type: ignore[arg-type]


def granted(found: Suggestions) -> dict[str, float]:
    return {step.run: step.granted for step in found.steps if step.granted}


def test_first_every_run_is_seen_then_the_best_end_then_those_go_on_that_must() -> None:
    done = {"d0": 20, "d1": 20, "d2": 20}
    begun = suggested(done | {"best": 0, "even": 1, "bad": 4})
    assert granted(begun) == {"best": 2, "even": 1} and begun.p_loss is None
    few = suggested({"d0": 20, "best": 4, "even": 4, "bad": 4})
    assert granted(few) == {"best": 16, "even": 16} and "the best 3 are trained to their ends" in few.steps[0].reason
    then = suggested(done | {"best": 4, "even": 4, "bad": 4})
    assert granted(then) == {"best": 1, "even": 1}  # to 5, the next look
    assert then.p_loss is not None and then.p_loss > 0.2 and then.allowed == 10 and then.p_allowed == 0.1
    assert {step.run: step.p_loss for step in then.steps}["bad"] == 0
    assert "P(more than 10 is lost without it) 0.5 > 0.08" in then.steps[0].reason
    assert all(step.p_loss is not None and step.p_loss <= step.p_better for step in then.steps)
    over = suggested({**done, "bad": 4})
    assert granted(over) == {} and over.p_loss == 0 and len(over) == 1
    assert over.to_json()["p_loss"] == 0 and over.to_json()["allowed"] == 10


def test_a_budget_of_epochs_goes_to_the_best_first() -> None:
    seen = {"d0": 20, "d1": 20, "d2": 20, "best": 9, "even": 9}
    assert granted(suggested(seen)) == {"best": 3, "even": 3}  # to 12
    assert granted(suggested(seen, budget=4)) == {"best": 3, "even": 1}


def test_what_was_forecast_before_has_a_say() -> None:
    seen = {"d0": 20, "d1": 20, "d2": 20, "bad": 5}
    assert granted(suggested(seen)) == {}
    lucky = forecast({"bad": 4}, {"bad": (0.8, 1.4)})
    assert granted(suggested(seen, earlier=[lucky])) == {"bad": 2}  # half of what is believed lies above


def test_forecasts_from_before_are_a_list_of_forecasts() -> None:
    seen = {"d0": 20, "d1": 20, "d2": 20, "bad": 5}
    with pytest.raises(UsageError, match="earlier is of type Forecast; give a list of forecasts"):
        suggested(seen, earlier=forecast({"bad": 4}, {"bad": (0.8, 1.4)}))
    with pytest.raises(UsageError, match=r"earlier\[0\] is 'bad' \(str\); give a forecast"):
        suggested(seen, earlier=["bad"])


def test_settings_of_a_budget_need_one() -> None:
    for settings in ({"alpha": 0.2}, {"keep": 2}, {"min_epochs": 1}, {"earlier": [forecast({"d0": 20}, ENDS)]}):
        with pytest.raises(UsageError, match="give regret as well"):
            suggested({"d0": 20}, **{"regret": None, "alpha": None, **settings})
    with pytest.raises(UsageError, match="alpha"):
        suggested({"d0": 20}, alpha=-1)


def test_an_end_outside_of_a_bound_is_nobodys_rival() -> None:
    seen = {"d0": 20, "d1": 20, "d2": 20, "bad": 5}
    bounded = suggested(seen, constraints=["acc<=0.65"])  # d0 and d1 are outside
    assert "the best 3 are trained to their ends" in bounded.steps[0].reason and granted(bounded) == {"bad": 15}
