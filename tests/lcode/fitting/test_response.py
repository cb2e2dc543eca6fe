from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from lcode.fitting.progress import Progress
from lcode.fitting.response import LAW, MIN_OTHERS, OWN_SHARE, Response, first_responses, learn_responses
from lcode.forecast import LEVELS


def learned(
    forecast: np.ndarray,
    before: np.ndarray,
    now: np.ndarray,
    *,
    seen: int = 20,
    laws: np.ndarray | None = None,
    dips: np.ndarray | None = None,
) -> Response:
    """The response of one metric with one look back, [R, 21], [R], [R]."""
    nothing = np.full(len(before), np.nan)
    then = Progress(
        before[:, None],
        (np.zeros(len(before)) if dips is None else dips)[:, None],
        (nothing if laws is None else laws)[:, None, None],
    )
    (found,) = learn_responses(forecast[None, :, None], [then], now[:, None], seen)
    return found


@pytest.mark.parametrize("right", [True, False])
def test_the_spread_is_the_predicted_one_unless_it_would_have_been_wrong(right: bool) -> None:
    generator = np.random.default_rng(0)
    before = generator.standard_normal(100)
    forecast = 0.2 * before[:, None] + norm.ppf(LEVELS)  # runs will be nearer to each other
    now = (0.2 if right else 1.0) * before + 0.01 * generator.standard_normal(100)
    assert learned(forecast, before, now).spread == (1.0 if right else 0.0)


@pytest.mark.parametrize("came", [0.0, 0.5, 1.0])
def test_what_came_of_the_predicted_changes_is_found(came: float) -> None:
    generator = np.random.default_rng(0)
    before, predicted = generator.standard_normal(200), -1 + 0.2 * generator.standard_normal(200)
    forecast = (before + predicted)[:, None] + norm.ppf(LEVELS)
    now = before + came * -1 + 0.01 * generator.standard_normal(200)
    found = learned(forecast, before, now, seen=20)
    assert found.common == pytest.approx(came, abs=0.11)
    assert found.width < 1  # the forecasts were much better than they thought


def test_more_than_predicted_is_believed_only_after_some_epochs() -> None:
    before = np.linspace(0, 3, 50)
    forecast, now = (before - 1)[:, None] + norm.ppf(LEVELS), before - 1.4
    assert learned(forecast, before, now, seen=4).common == 1
    assert learned(forecast, before, now, seen=40).common == pytest.approx(1.4)


@given(st.integers(0, 20), st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_any_past_gives_a_response_within_bounds(runs: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    before, now = generator.standard_normal((2, runs))
    now[generator.random(runs) < 0.3] = np.nan
    forecast = np.sort(generator.standard_normal((runs, len(LEVELS))))
    found = learned(forecast, before, now, seen=10)
    assert found.law == 0 and 0 <= found.spread <= 1
    assert 0 <= found.common <= 1.5 and 0 <= found.own <= OWN_SHARE and 0.4 < found.width < 1.5
    if np.isfinite(now).sum() < MIN_OTHERS:
        assert found == Response()


@pytest.mark.parametrize("right", [True, False])
def test_a_power_law_counts_where_it_would_have_been_right(right: bool) -> None:
    generator = np.random.default_rng(0)
    before = generator.standard_normal(100)
    forecast, now = before[:, None] - 1 + norm.ppf(LEVELS), before - 1 + 0.1 * generator.standard_normal(100)
    law = now if right else now + 5
    assert learned(forecast, before, now, laws=law).law == (0.5 if right else 0.0)
    alone = learned(forecast[:1], before[:1], now[:1], laws=law[:1])
    assert alone == Response(law=LAW)


def test_runs_that_have_not_moved_apart_are_not_expected_to_learn() -> None:
    apart, near = first_responses(np.stack([np.linspace(0, 1, 50), np.linspace(0, 0.02, 50)], axis=1))
    assert apart == Response()
    assert near.common < 0.1 and near.width < 0.5
    assert first_responses(np.zeros((MIN_OTHERS - 1, 1))) == [Response()]


def test_a_run_stands_at_its_best_value_where_that_ranks_better() -> None:
    generator = np.random.default_rng(0)
    level, dips = generator.standard_normal(100), -np.abs(generator.standard_normal(100))
    before = level - dips  # a bad last epoch hides what the run can do
    forecast = before[:, None] - 1 + norm.ppf(LEVELS)
    assert learned(forecast, before, level - 1, dips=dips).best == 1
    assert learned(forecast, before, before - 1, dips=dips).best == 0
