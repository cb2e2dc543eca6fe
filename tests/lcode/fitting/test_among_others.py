from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from lcode.fitting.among_others import MIN_OTHERS, OWN_SHARE, Response, among_others, learn_response
from lcode.forecast import LEVELS

USUAL = [Response()]


def forecasts(changes: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One metric, one query: last values 0, 1, 2, … and predicted medians that much above them, ± 1."""
    last = np.arange(len(changes), dtype=float)[:, None]
    scaled = (last[:, 0] + changes)[:, None, None, None] + np.linspace(-1, 1, 21)
    return scaled, last, np.full((len(changes), 1), 50)


def test_changes_are_drawn_towards_the_median_one() -> None:
    scaled, last, asked = forecasts([-3.0, -2.0, -1.0, 0.0, 4.0])
    pulled = among_others(scaled, last, asked, USUAL)
    expected = OWN_SHARE * np.array([-3.0, -2.0, -1.0, 0.0, 4.0]) + (1 - OWN_SHARE) * -1.0
    np.testing.assert_allclose(pulled[:, 0, 0, 10] - last[:, 0], expected)
    np.testing.assert_allclose(np.diff(pulled), np.diff(scaled))


def test_a_response_scales_the_common_change_the_own_one_and_the_width() -> None:
    scaled, last, asked = forecasts([-3.0, -2.0, -1.0, 0.0, 4.0])
    pulled = among_others(scaled, last, asked, [Response(common=0.5, own=0.1, width=2.0)])
    np.testing.assert_allclose(pulled[:, 0, 0, 10] - last[:, 0], 0.1 * np.array([-2, -1, 0, 1, 5]) - 0.5)
    np.testing.assert_allclose(np.diff(pulled), 2 * np.diff(scaled))


def test_few_runs_other_queries_and_unobserved_runs_are_left_alone() -> None:
    scaled, last, asked = forecasts([1.0] * (MIN_OTHERS - 1))
    np.testing.assert_array_equal(among_others(scaled, last, asked, USUAL), scaled)
    scaled, last, asked = forecasts([float(i) for i in range(10)])
    asked[5:] = 60
    both = among_others(scaled, last, asked, USUAL)
    np.testing.assert_allclose(both[:5], among_others(scaled[:5], last[:5], asked[:5], USUAL))
    last[2] = np.nan
    np.testing.assert_array_equal(among_others(scaled, last, asked, USUAL)[2], scaled[2])


@pytest.mark.parametrize("came", [0.0, 0.5, 1.0])
def test_what_came_of_the_predicted_changes_is_found(came: float) -> None:
    generator = np.random.default_rng(0)
    before, predicted = generator.standard_normal(200), -1 + 0.2 * generator.standard_normal(200)
    forecast = (before + predicted)[:, None] + norm.ppf(LEVELS)
    now = before + came * -1 + 0.01 * generator.standard_normal(200)
    found = learn_response(forecast[None], before[None], now, seen=20)
    assert found.common == pytest.approx(came, abs=0.11)
    assert found.width < 1  # the forecasts were much better than they thought


def test_more_than_predicted_is_believed_only_after_some_epochs() -> None:
    before = np.linspace(0, 3, 50)
    forecast, now = (before - 1)[:, None] + norm.ppf(LEVELS), before - 1.4
    assert learn_response(forecast[None], before[None], now, seen=4).common == 1
    assert learn_response(forecast[None], before[None], now, seen=40).common == pytest.approx(1.4)


@given(st.integers(0, 20), st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_any_past_gives_a_response_within_bounds(runs: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    before, now = generator.standard_normal((2, runs))
    now[generator.random(runs) < 0.3] = np.nan
    forecast = np.sort(generator.standard_normal((runs, len(LEVELS))))
    found = learn_response(forecast[None], before[None], now, seen=10)
    assert 0 <= found.common <= 1.5 and 0 <= found.own <= OWN_SHARE and 0.4 < found.width < 1.5
    if np.isfinite(now).sum() < MIN_OTHERS:
        assert found == Response()
