from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lcode.curves.continuation import at_epochs, continuation_grid, read_points


@given(
    st.lists(st.integers(5, 200), min_size=1, max_size=4),
    st.integers(-1, 4),
    st.lists(st.floats(0, 1), min_size=1, max_size=3),
    st.booleans(),
)
def test_other_points_of_the_grid_do_not_matter(
    ends: list[int], cutoff: int, shares: list[float], started: bool
) -> None:
    horizons = np.array(ends)
    grid = continuation_grid(horizons, cutoff)
    epochs = np.rint(max(cutoff, 0) + 1 + np.array(shares) * (horizons[:, None] - max(cutoff, 0) - 1))
    start = np.full((len(ends), 1), 0.0 if started else np.nan)
    path = np.cos(np.arange(len(grid)))[None, None, :, None] * np.ones((len(ends), 1, 1, 2))
    read = read_points(grid, cutoff, horizons, epochs)
    left = np.where(read[:, None], path, np.nan)
    whole = at_epochs(path, grid, start, cutoff, horizons, epochs)
    np.testing.assert_array_equal(at_epochs(left, grid, start, cutoff, horizons, epochs), whole)


def test_for_the_horizon_alone_few_points_are_read() -> None:
    horizons = np.array([50, 80])
    grid = continuation_grid(horizons, 5)
    assert np.flatnonzero(read_points(grid, 5, horizons, horizons[:, None])).tolist() == [0, 46, 47]
