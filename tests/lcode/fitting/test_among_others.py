from __future__ import annotations

import numpy as np

from lcode.fitting.among_others import MIN_OTHERS, OWN_SHARE, among_others


def forecasts(changes: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One metric, one query: last values 0, 1, 2, … and predicted medians that much above them, ± 1."""
    last = np.arange(len(changes), dtype=float)[:, None]
    scaled = (last[:, 0] + changes)[:, None, None, None] + np.linspace(-1, 1, 21)
    return scaled, last, np.full((len(changes), 1), 50)


def test_changes_are_drawn_towards_the_median_one() -> None:
    scaled, last, asked = forecasts([-3.0, -2.0, -1.0, 0.0, 4.0])
    pulled = among_others(scaled, last, asked)
    expected = OWN_SHARE * np.array([-3.0, -2.0, -1.0, 0.0, 4.0]) + (1 - OWN_SHARE) * -1.0
    np.testing.assert_allclose(pulled[:, 0, 0, 10] - last[:, 0], expected)
    np.testing.assert_allclose(np.diff(pulled), np.diff(scaled))


def test_few_runs_other_queries_and_unobserved_runs_are_left_alone() -> None:
    scaled, last, asked = forecasts([1.0] * (MIN_OTHERS - 1))
    np.testing.assert_array_equal(among_others(scaled, last, asked), scaled)
    scaled, last, asked = forecasts([float(i) for i in range(10)])
    asked[5:] = 60
    both = among_others(scaled, last, asked)
    np.testing.assert_allclose(both[:5], among_others(scaled[:5], last[:5], asked[:5]))
    last[2] = np.nan
    np.testing.assert_array_equal(among_others(scaled, last, asked)[2], scaled[2])
