from __future__ import annotations

import numpy as np

from lcode.fitting.among_others import among_others
from lcode.fitting.progress import Progress
from lcode.fitting.response import MIN_OTHERS, OWN_SHARE, Response

USUAL = [Response(spread=0.0)]


def progress(last: np.ndarray, *, laws: np.ndarray | None = None, dips: np.ndarray | None = None) -> Progress:
    """Of one metric, [R, 1]; without laws and with the last value as the best one unless they are given, [R]."""
    nothing = np.full(len(last), np.nan)
    return Progress(
        last,
        (np.zeros(len(last)) if dips is None else dips)[:, None],
        (nothing if laws is None else laws)[:, None, None],
    )


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


def test_few_runs_other_queries_and_unobserved_runs_are_left_alone() -> None:
    scaled, last, asked = forecasts([1.0] * (MIN_OTHERS - 1))
    np.testing.assert_array_equal(among_others(scaled, progress(last), asked, USUAL), scaled)
    scaled, last, asked = forecasts([float(i) for i in range(10)])
    asked[5:] = 60
    both = among_others(scaled, progress(last), asked, USUAL)
    np.testing.assert_allclose(both[:5], among_others(scaled[:5], progress(last[:5]), asked[:5], USUAL))
    last[2] = np.nan
    np.testing.assert_array_equal(among_others(scaled, progress(last), asked, USUAL)[2], scaled[2])


def test_medians_move_towards_the_power_law_where_there_is_one() -> None:
    scaled, last, asked = forecasts([1.0, 1.0])
    moved = among_others(scaled, progress(last, laws=np.array([5, np.nan])), asked, [Response(law=0.25)])
    np.testing.assert_allclose(moved[..., 10].ravel(), [1 + 0.25 * 4, 2])
    np.testing.assert_allclose(np.diff(moved), np.diff(scaled))


def test_a_run_stands_among_the_others_between_its_last_and_its_best_value() -> None:
    scaled, last, asked = forecasts([1.0] * MIN_OTHERS)
    fallen = np.array([0.0, 0.0, 0.0, 0.0, -2.0])
    placed = among_others(scaled, progress(last, dips=fallen), asked, [Response(best=0.5, spread=0.0)])
    np.testing.assert_allclose((placed - scaled)[:, 0, 0, 10], fallen / 2)
