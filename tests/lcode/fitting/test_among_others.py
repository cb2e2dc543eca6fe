from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from lcode.fitting.among_others import (
    LAW,
    MIN_OTHERS,
    OWN_SHARE,
    Response,
    among_others,
    first_response,
    learn_response,
)
from lcode.forecast import LEVELS

USUAL = [Response()]
NO_LAW = np.full((1, 1, 1), np.nan)


def forecasts(changes: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One metric, one query: last values 0, 1, 2, … and predicted medians that much above them, ± 1."""
    last = np.arange(len(changes), dtype=float)[:, None]
    scaled = (last[:, 0] + changes)[:, None, None, None] + np.linspace(-1, 1, 21)
    return scaled, last, np.full((len(changes), 1), 50)


def test_changes_are_drawn_towards_the_median_one() -> None:
    scaled, last, asked = forecasts([-3.0, -2.0, -1.0, 0.0, 4.0])
    pulled = among_others(scaled, last, asked, USUAL, NO_LAW)
    expected = OWN_SHARE * np.array([-3.0, -2.0, -1.0, 0.0, 4.0]) + (1 - OWN_SHARE) * -1.0
    np.testing.assert_allclose(pulled[:, 0, 0, 10] - last[:, 0], expected)
    np.testing.assert_allclose(np.diff(pulled), np.diff(scaled))


def test_a_response_scales_the_common_change_the_own_one_and_the_width() -> None:
    scaled, last, asked = forecasts([-3.0, -2.0, -1.0, 0.0, 4.0])
    pulled = among_others(scaled, last, asked, [Response(common=0.5, own=0.1, width=2.0)], NO_LAW)
    np.testing.assert_allclose(pulled[:, 0, 0, 10] - last[:, 0], 0.1 * np.array([-2, -1, 0, 1, 5]) - 0.5)
    np.testing.assert_allclose(np.diff(pulled), 2 * np.diff(scaled))


def test_few_runs_other_queries_and_unobserved_runs_are_left_alone() -> None:
    scaled, last, asked = forecasts([1.0] * (MIN_OTHERS - 1))
    np.testing.assert_array_equal(among_others(scaled, last, asked, USUAL, NO_LAW), scaled)
    scaled, last, asked = forecasts([float(i) for i in range(10)])
    asked[5:] = 60
    both = among_others(scaled, last, asked, USUAL, NO_LAW)
    np.testing.assert_allclose(both[:5], among_others(scaled[:5], last[:5], asked[:5], USUAL, NO_LAW))
    last[2] = np.nan
    np.testing.assert_array_equal(among_others(scaled, last, asked, USUAL, NO_LAW)[2], scaled[2])


@pytest.mark.parametrize("came", [0.0, 0.5, 1.0])
def test_what_came_of_the_predicted_changes_is_found(came: float) -> None:
    generator = np.random.default_rng(0)
    before, predicted = generator.standard_normal(200), -1 + 0.2 * generator.standard_normal(200)
    forecast = (before + predicted)[:, None] + norm.ppf(LEVELS)
    now = before + came * -1 + 0.01 * generator.standard_normal(200)
    found = learn_response(forecast[None], before[None], now, np.full(len(now), np.nan), seen=20)
    assert found.common == pytest.approx(came, abs=0.11)
    assert found.width < 1  # the forecasts were much better than they thought


def test_more_than_predicted_is_believed_only_after_some_epochs() -> None:
    before = np.linspace(0, 3, 50)
    forecast, now = (before - 1)[:, None] + norm.ppf(LEVELS), before - 1.4
    assert learn_response(forecast[None], before[None], now, np.full(len(now), np.nan), seen=4).common == 1
    assert learn_response(
        forecast[None], before[None], now, np.full(len(now), np.nan), seen=40
    ).common == pytest.approx(1.4)


@given(st.integers(0, 20), st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_any_past_gives_a_response_within_bounds(runs: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    before, now = generator.standard_normal((2, runs))
    now[generator.random(runs) < 0.3] = np.nan
    forecast = np.sort(generator.standard_normal((runs, len(LEVELS))))
    found = learn_response(forecast[None], before[None], now, np.full(len(now), np.nan), seen=10)
    assert 0 <= found.common <= 1.5 and 0 <= found.own <= OWN_SHARE and 0.4 < found.width < 1.5
    if np.isfinite(now).sum() < MIN_OTHERS:
        assert found == Response()


@pytest.mark.parametrize("right", [True, False])
def test_a_power_law_counts_where_it_would_have_been_right(right: bool) -> None:
    generator = np.random.default_rng(0)
    before = generator.standard_normal(100)
    forecast, now = before[:, None] - 1 + norm.ppf(LEVELS), before - 1 + 0.1 * generator.standard_normal(100)
    law = now if right else now + 5
    assert learn_response(forecast[None], before[None], now, law, seen=20).law == (0.5 if right else 0.0)
    alone = learn_response(forecast[None, :1], before[None, :1], now[:1], law[:1], seen=20)
    assert alone == Response(law=LAW)


def test_medians_move_towards_the_power_law_where_there_is_one() -> None:
    scaled, last, asked = forecasts([1.0, 1.0])
    laws = np.array([[[5.0]], [[np.nan]]])
    moved = among_others(scaled, last, asked, [Response(law=0.25)], laws)
    np.testing.assert_allclose(moved[..., 10].ravel(), [1 + 0.25 * 4, 2])
    np.testing.assert_allclose(np.diff(moved), np.diff(scaled))


def test_runs_that_have_not_moved_apart_are_not_expected_to_learn() -> None:
    assert first_response(np.linspace(0, 1, 50)) == Response()
    near = first_response(np.linspace(0, 0.02, 50))
    assert near.common < 0.1 and near.width < 0.5
    assert first_response(np.zeros(MIN_OTHERS - 1)) == Response()
