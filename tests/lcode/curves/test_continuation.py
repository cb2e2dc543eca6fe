from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lcode.curves.continuation import BEND, at_epochs, continuation_grid, read_points, share_epochs


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


@given(st.lists(st.integers(1, 400), min_size=1, max_size=4), st.integers(-1, 30), st.integers(2, 48))
def test_a_grid_ends_at_the_horizon_and_holds_no_epoch_twice(ends: list[int], cutoff: int, points: int) -> None:
    horizons = np.array(ends) + max(cutoff, 0)
    grid = continuation_grid(horizons, cutoff, points, BEND)
    assert len(grid) == min(max(ends), points) and grid[-1] == 1
    epochs = share_epochs(horizons.max(keepdims=True), cutoff, grid)[0]
    assert epochs[0] > max(cutoff, 0) and (np.diff(epochs) > 0).all()
    assert (np.diff(grid) > 0).all() and (np.diff(np.diff(grid)) > -1e-9).all()  # close together early
    if max(ends) <= points:
        assert epochs.tolist() == list(range(max(cutoff, 0) + 1, horizons.max() + 1))


def test_a_bent_grid_is_closer_early() -> None:
    # 100 epochs are left, 8 points: (j / 8) ** 1.5 of them.
    epochs = share_epochs(np.array([110]), 10, continuation_grid(np.array([110]), 10, 8, BEND))
    assert epochs.tolist() == [[14, 22, 33, 45, 59, 75, 92, 110]]


def test_between_the_points_forecasts_are_linear() -> None:
    grid, path = np.array([0.25, 1.0]), np.array([[[[1.0], [4.0]]]])
    found = at_epochs(path, grid, np.array([[0.0]]), 0, np.array([8]), np.array([[1, 2, 5, 8, 9]]))
    assert found[0, 0, :, 0].tolist() == [0.5, 1.0, 2.5, 4.0, 4.0]
