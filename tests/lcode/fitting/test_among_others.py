from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from lcode.fitting.among_others import (
    LAW,
    LAW_POINTS,
    MIN_OTHERS,
    OWN_SHARE,
    Progress,
    Response,
    among_others,
    first_responses,
    learn_responses,
)
from lcode.forecast import LEVELS
from lcode.table import RunTable
from lcode.tensors.arrays import curve_arrays
from lcode.tensors.scaling import ValueScaler

USUAL = [Response(spread=0.0)]


def progress(last: np.ndarray, *, laws: np.ndarray | None = None, dips: np.ndarray | None = None) -> Progress:
    """Of one metric, [R, 1]; without laws and with the last value as the best one unless they are given, [R]."""
    nothing = np.full(len(last), np.nan)
    return Progress(
        last,
        (np.zeros(len(last)) if dips is None else dips)[:, None],
        (nothing if laws is None else laws)[:, None, None],
    )


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
    then = progress(before[:, None], laws=laws, dips=dips)
    (found,) = learn_responses(forecast[None, :, None], [then], now[:, None], seen)
    return found


def forecasts(changes: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One metric, one query: last values 0, 1, 2, … and predicted medians that much above them, ± 1."""
    last = np.arange(len(changes), dtype=float)[:, None]
    scaled = (last[:, 0] + changes)[:, None, None, None] + np.linspace(-1, 1, 21)
    return scaled, last, np.full((len(changes), 1), 50)


def test_changes_are_drawn_towards_the_median_one() -> None:
    scaled, last, asked = forecasts([-3.0, -2.0, -1.0, 0.0, 4.0])
    pulled = among_others(scaled, progress(last), asked, USUAL)
    expected = OWN_SHARE * np.array([-3.0, -2.0, -1.0, 0.0, 4.0]) + (1 - OWN_SHARE) * -1.0
    np.testing.assert_allclose(pulled[:, 0, 0, 10] - last[:, 0], expected)
    np.testing.assert_allclose(np.diff(pulled), np.diff(scaled))


def test_a_response_scales_the_common_change_the_own_one_and_the_width() -> None:
    scaled, last, asked = forecasts([-3.0, -2.0, -1.0, 0.0, 4.0])
    pulled = among_others(scaled, progress(last), asked, [Response(common=0.5, own=0.1, width=2.0, spread=0.0)])
    np.testing.assert_allclose(pulled[:, 0, 0, 10] - last[:, 0], 0.1 * np.array([-2, -1, 0, 1, 5]) - 0.5)
    np.testing.assert_allclose(np.diff(pulled), 2 * np.diff(scaled))


def test_the_predicted_values_go_to_the_runs_in_order_of_their_drawn_ones() -> None:
    scaled, last, asked = forecasts([0.0, 1.0, -4.0, -5.0, -2.0])  # medians 0, 2, -2, -2, 2 of runs at 0, 1, 2, 3, 4
    placed = among_others(scaled, progress(last), asked, [Response(own=0.0)])
    np.testing.assert_allclose(placed[:, 0, 0, 10], [-2, -2, 0, 2, 2])
    half = among_others(scaled, progress(last), asked, [Response(own=0.0, spread=0.5)])
    np.testing.assert_allclose(half[:, 0, 0, 10], (np.array([-2, -2, 0, 2, 2]) + last[:, 0] - 2) / 2)


@pytest.mark.parametrize("right", [True, False])
def test_the_spread_is_the_predicted_one_unless_it_would_have_been_wrong(right: bool) -> None:
    generator = np.random.default_rng(0)
    before = generator.standard_normal(100)
    forecast = 0.2 * before[:, None] + norm.ppf(LEVELS)  # runs will be nearer to each other
    now = (0.2 if right else 1.0) * before + 0.01 * generator.standard_normal(100)
    assert learned(forecast, before, now).spread == (1.0 if right else 0.0)


def test_few_runs_other_queries_and_unobserved_runs_are_left_alone() -> None:
    scaled, last, asked = forecasts([1.0] * (MIN_OTHERS - 1))
    np.testing.assert_array_equal(among_others(scaled, progress(last), asked, USUAL), scaled)
    scaled, last, asked = forecasts([float(i) for i in range(10)])
    asked[5:] = 60
    both = among_others(scaled, progress(last), asked, USUAL)
    np.testing.assert_allclose(both[:5], among_others(scaled[:5], progress(last[:5]), asked[:5], USUAL))
    last[2] = np.nan
    np.testing.assert_array_equal(among_others(scaled, progress(last), asked, USUAL)[2], scaled[2])


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


def test_medians_move_towards_the_power_law_where_there_is_one() -> None:
    scaled, last, asked = forecasts([1.0, 1.0])
    moved = among_others(scaled, progress(last, laws=np.array([5, np.nan])), asked, [Response(law=0.25)])
    np.testing.assert_allclose(moved[..., 10].ravel(), [1 + 0.25 * 4, 2])
    np.testing.assert_allclose(np.diff(moved), np.diff(scaled))


def test_a_run_stands_at_its_best_value_where_that_ranks_better() -> None:
    generator = np.random.default_rng(0)
    level, dips = generator.standard_normal(100), -np.abs(generator.standard_normal(100))
    before = level - dips  # a bad last epoch hides what the run can do
    forecast = before[:, None] - 1 + norm.ppf(LEVELS)
    assert learned(forecast, before, level - 1, dips=dips).best == 1
    assert learned(forecast, before, before - 1, dips=dips).best == 0
    scaled, last, asked = forecasts([1.0] * MIN_OTHERS)
    fallen = np.array([0.0, 0.0, 0.0, 0.0, -2.0])
    placed = among_others(scaled, progress(last, dips=fallen), asked, [Response(best=0.5, spread=0.0)])
    np.testing.assert_allclose((placed - scaled)[:, 0, 0, 10], fallen / 2)


def test_what_runs_have_come_to(history: RunTable) -> None:
    arrays = curve_arrays(history)
    scaler = ValueScaler.fit(arrays)
    at = np.full((len(history), 1), 50)
    found = Progress.of(arrays, scaler, at)
    scaled = scaler.scale(arrays.values)
    np.testing.assert_array_equal(found.last, scaler.scale(arrays.last_values))
    np.testing.assert_allclose(found.last + found.dips, np.nanmin(scaled, axis=-1))
    assert (found.dips <= 0).all()
    short = Progress.of(arrays.before(arrays.epochs[:, 0, LAW_POINTS - 2]), scaler, at)
    assert np.isfinite(found.laws).all() and np.isnan(short.laws).all()


def test_runs_that_have_not_moved_apart_are_not_expected_to_learn() -> None:
    apart, near = first_responses(np.stack([np.linspace(0, 1, 50), np.linspace(0, 0.02, 50)], axis=1))
    assert apart == Response()
    assert near.common < 0.1 and near.width < 0.5
    assert first_responses(np.zeros((MIN_OTHERS - 1, 1))) == [Response()]
