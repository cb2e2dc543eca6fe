from __future__ import annotations

import numpy as np
import pytest

from lcode.decisions import rank
from lcode.decisions.regret_rule import RegretRule
from lcode.decisions.within_budget import stopped_within_budget
from lcode.errors import UsageError
from lcode.forecast import LEVELS, Forecast
from lcode.table import Metric

METRICS = (Metric("main", "acc", "max"),)


def forecast(medians: list[float], widths: list[float], finished: int = 0) -> Forecast:
    """Runs that end uniformly around their medians, the first of them finished."""
    runs = len(medians)
    status = np.array(["finished"] * finished + ["ok"] * (runs - finished), dtype="<U9")[:, None]
    seen = np.where(status == "finished", 20, 5)
    return Forecast(
        run_ids=tuple(f"r{i:02d}" for i in range(runs)),
        metrics=METRICS,
        epochs=np.full((runs, 1), 20),
        quantiles=(np.array(medians)[:, None] + np.outer(widths, 2 * LEVELS - 1))[:, None, None],
        status=status,
        observed=seen,
        horizons=np.full(runs, 20),
    )


def stopped(known: Forecast, regret: float | str, **settings: float) -> set[str]:
    ranking = rank(known, "weights:main=1", regret=regret, **settings)  # type: ignore[arg-type]
    assert ranking.stopping is None
    return {run for run, action in zip(ranking.runs, ranking.action, strict=True) if action == "stop"}


def test_those_are_stopped_that_hardly_risk_the_budget() -> None:
    known = forecast([0.8, 0.79, 0.5, 0.4, 0.6], [0.0, 0.1, 0.05, 0.05, 0.4], finished=1)
    assert stopped(known, 0.02) == {"r02", "r03"}  # r04 may end at 1.0, r01 near the best
    assert stopped(known, 0.3) >= {"r02", "r03", "r04"}


def test_the_more_may_be_lost_the_more_often_the_more_are_stopped() -> None:
    generator = np.random.default_rng(0)
    medians = [0.9, *generator.uniform(0.3, 0.9, 30)]
    known = forecast(medians, [0.0] + [0.15] * 30, finished=1)
    by_alpha = [stopped(known, "0.05 spread", alpha=alpha) for alpha in (0.01, 0.1, 0.5)]
    assert by_alpha[0] <= by_alpha[1] <= by_alpha[2] and len(by_alpha[0]) < len(by_alpha[2])
    by_budget = [stopped(known, regret) for regret in (0.01, 0.1, 0.5)]
    assert by_budget[0] <= by_budget[1] <= by_budget[2] and len(by_budget[0]) < len(by_budget[2])


def test_the_worst_are_weighed_first_and_without_a_forecast_none() -> None:
    samples = np.random.default_rng(0).uniform(-0.1, 0.1, (512, 4)) + np.array([0.0, 0.3, 0.35, 2.0])
    samples[:, 0] = np.nan
    finished, seen = np.array([False, False, False, True]), np.full(4, 5.0)
    rule = RegretRule(keep=0)
    chosen = stopped_within_budget(rule, list("abcd"), samples, finished, seen, np.full(4, 0.8), None)
    np.testing.assert_array_equal(chosen, [False, True, True, False])


def test_a_budget_in_deviations_between_seeds_needs_repeats_and_stops_nobody_without() -> None:
    told = forecast([0.9, 0.1, 0.2], [0.0, 0.01, 0.01], finished=1)
    assert stopped(told, "1 sd") == set()
    assert any("a regret of 1 sd cannot be told" in note for note in rank(told, "mean", regret="1 sd").notes)
    assert not any("cannot be told" in note for note in rank(told, "mean", regret="1 spread").notes)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"regret": "much"}, "0.1 spread"),
        ({"alpha": 0.2}, "give regret as well"),
        ({"regret": 0.1, "alpha": 2.0}, "alpha"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        rank(forecast([0.9, 0.1], [0.1, 0.1]), "weights:main=1", **settings)  # type: ignore[arg-type]


def test_nothing_can_be_added_up_of_ranks() -> None:
    with pytest.raises(UsageError, match="scores them against one another"):
        rank(forecast([0.9, 0.1], [0.1, 0.1]), "mean_rank", regret=0.1)
