from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.curves.lead_grid import NODES, at_queries, node_epochs

Array = np.ndarray


def curve(epochs: Array) -> Array:
    """A value that falls like a learning curve, and its width, [R, K = 1, D, L = 2]."""
    return np.stack([0.2 + epochs**-0.5, 0.01 * epochs**0.25], axis=-1)[:, None]


@pytest.mark.parametrize("queries", [1, 2, NODES])
def test_up_to_24_queries_are_forecast_themselves(queries: int) -> None:
    asked = np.sort(np.random.default_rng(0).uniform(1, 100, (3, queries)), axis=1)
    nodes = node_epochs(asked)
    np.testing.assert_array_equal(nodes, asked)
    np.testing.assert_array_equal(at_queries(curve(nodes), nodes, asked), curve(asked))


@given(st.integers(1, 50), st.integers(NODES + 1, 3000))
def test_a_long_future_is_forecast_at_24_epochs_of_which_the_first_and_the_last_are_exact(
    first: int, queries: int
) -> None:
    asked = np.arange(first, first + queries, dtype=float)[None]
    nodes = node_epochs(asked)
    assert nodes.shape == (1, NODES) and (np.diff(nodes, n=2) > 0).all()  # close together early
    values = at_queries(curve(nodes), nodes, asked)
    np.testing.assert_allclose(values[:, :, [0, -1]], curve(asked)[:, :, [0, -1]], rtol=1e-9)


def test_in_between_it_is_interpolated() -> None:
    asked = np.stack([np.arange(6.0, 301), np.arange(100.0, 395)])
    nodes = node_epochs(asked)
    away = np.abs(at_queries(curve(nodes), nodes, asked) - curve(asked))
    assert away.max() < 5e-3
    root = np.sqrt(nodes)[:, None, :, None]
    np.testing.assert_allclose(at_queries(root, nodes, asked)[:, 0, :, 0], np.sqrt(asked), rtol=1e-9)


def test_equal_queries_are_no_long_future() -> None:
    asked = np.full((2, NODES + 5), 9.0)
    nodes = node_epochs(asked)
    np.testing.assert_allclose(at_queries(curve(nodes), nodes, asked), curve(asked), rtol=1e-9)
