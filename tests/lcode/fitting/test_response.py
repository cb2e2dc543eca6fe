from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from lcode.fitting.progress import Progress
from lcode.fitting.response import (
    LAW,
    MIN_OTHERS,
    OWN_SHARE,
    SURE_FROM,
    Response,
    first_responses,
    learn_responses,
)
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


def moved_alike(came: float, scale: float, *, seen: int = 40, runs: int = 30) -> Response:
    """Of runs that were all to fall by 1 ± `scale`, and fell by `came` of that."""
    before = np.linspace(0, 3, runs)
    return learned((before - 1)[:, None] + scale * norm.ppf(LEVELS), before, before - came, seen=seen)


@pytest.mark.parametrize(("came", "seen", "common"), [(3, 40, 1.5), (3, 4, 1), (-3, 40, 0), (-3, 4, 0)])
def test_no_past_is_believed_beyond_the_shares_that_are_tried(came: float, seen: int, common: float) -> None:
    assert moved_alike(came, 1.0, seen=seen).common == common


def test_intervals_that_were_far_too_narrow_or_wide_are_changed_by_so_much_at_most() -> None:
    widths = [moved_alike(50, scale).width for scale in (1e-6, 1e-3, 1.0)]
    assert widths[0] == widths[1] == widths[2] == pytest.approx(np.sqrt(2), rel=1e-3)
    widths = [moved_alike(1, scale).width for scale in (1e6, 1e3)]
    assert widths[0] == widths[1] and 0.1 < widths[0] < 0.2


@given(
    st.integers(0, 20), st.integers(0, 10_000), st.floats(-4, 4), st.floats(-4, 4), st.sampled_from([1, 7, 8, 100])
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_past_gives_a_response_within_bounds(runs: int, seed: int, size: float, wide: float, seen: int) -> None:
    generator = np.random.default_rng(seed)
    before, predicted, came, laws = generator.standard_normal((4, runs))
    now = before + 10**size * came
    now[generator.random(runs) < 0.3] = np.nan
    forecast = (before + predicted)[:, None] + 10**wide * norm.ppf(LEVELS)
    lawful, dips = bool(generator.random() < 0.5), -np.abs(generator.standard_normal(runs))
    found = learned(forecast, before, now, seen=seen, laws=laws if lawful else None, dips=dips)
    assert 0 <= found.common <= (1.5 if seen >= SURE_FROM else 1)
    assert 0 <= found.own <= OWN_SHARE and 0.1 < found.width < 1.5
    assert 0 <= found.law <= (0.5 if lawful else 0) and 0 <= found.best <= 1 and 0 <= found.spread <= 1
    if np.isfinite(now).sum() < MIN_OTHERS:
        assert found == Response(law=LAW if lawful and runs else 0.0)


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
