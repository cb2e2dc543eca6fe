"""The arithmetic of an exchange, on numbers that can be checked by hand."""

from __future__ import annotations

from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcode.table import Metric
from mtl_runs.sweeps.selection import choose_parents, mean_rank, perturb

METRICS = (Metric("a", "err", "min"), Metric("b", "acc", "max"))


def pairs(scores: list[float], quantile: float = 0.25, seed: int = 0) -> list[tuple[int, int]]:
    return choose_parents(np.array(scores), quantile, np.random.default_rng(seed))


def test_mean_ranks() -> None:
    values = np.array([[0.1, 0.5], [0.3, 0.9], [0.2, 0.5], [nan, 1.0], [0.0, np.inf]])
    # Ranks of err among three: 1, 3, 2; of acc: 2.5, 1, 2.5. Who has not all values has no rank and takes none.
    assert mean_rank(values, METRICS) == pytest.approx([-1.75, -2, -2.25, nan, nan], nan_ok=True)


def test_the_worst_quarter_takes_over_from_the_best_quarter() -> None:
    scores = [3.0, 8, 1, 5, 6, 7, 2, 4]
    found = {pair for seed in range(50) for pair in pairs(scores, seed=seed)}
    assert found == {(2, 1), (2, 5), (6, 1), (6, 5)}
    assert all([member for member, _ in pairs(scores, seed=seed)] == [2, 6] for seed in range(50))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([1.0], []),
        ([nan], []),
        ([1.0, 2.0], [(0, 1)]),
        ([2.0, 2.0], []),
        ([nan, -9.0], [(0, 1)]),
        ([nan, nan], []),
        ([1.0, 2.0, 3.0], [(0, 2)]),
        ([5.0, 5.0, 5.0, 5.0], []),
        ([4.0, nan, nan, nan], [(1, 0), (2, 0), (3, 0)]),  # more than a quarter: all of them are replaced
        ([3.0, 1.0, 1.0, 2.0], [(2, 0)]),  # of two that are equally bad, the later
        ([np.inf, 1.0, 0.0, 2.0], [(0, 3)]),  # infinity is no score
    ],
)
def test_small_populations(scores: list[float], expected: list[tuple[int, int]]) -> None:
    assert pairs(scores) == expected


@given(
    st.lists(st.floats(-3, 3) | st.just(nan) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=20),
    st.floats(0.01, 0.5),
    st.integers(0, 99),
)
def test_nobody_is_replaced_by_a_worse_one(scores: list[float], quantile: float, seed: int) -> None:
    found = pairs(scores, quantile, seed)
    replaced, copied = {member for member, _ in found}, {parent for _, parent in found}
    assert len(replaced) == len(found)
    assert not replaced & copied
    for member, parent in found:
        assert np.isfinite(scores[parent])
        assert np.isnan(scores[member]) or scores[parent] > scores[member]
    lost = {i for i, score in enumerate(scores) if np.isnan(score)}
    assert lost <= replaced or len(lost) == len(scores)
    assert len(replaced - lost) <= len(scores) / 2


@pytest.mark.parametrize(
    ("weights", "possible"),
    [
        ([1.0, 1.0], [(1.2, 0.8), (0.8, 1.2)]),
        ([0.5, 1.5], [(2 / 3, 4 / 3), (4 / 11, 18 / 11)]),
        ([2.0], [(2.0,)]),
        ([0.0, 0.0], [(0.0, 0.0)]),
        ([0.0, 2.0], [(0.0, 2.0)]),
    ],
)
def test_perturbed_weights(weights: list[float], possible: list[tuple[float, ...]]) -> None:
    seen = set()
    for seed in range(30):
        found = tuple(perturb(np.array(weights), 0.2, np.random.default_rng(seed)))
        (which,) = {i for i, want in enumerate(possible) if found == pytest.approx(want)}
        seen.add(which)
    assert len(seen) == len(possible)


@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=12), st.floats(0.01, 0.9), st.integers(0, 99))
def test_perturbed_weights_keep_their_sum_and_have_two_factors(weights: list[float], share: float, seed: int) -> None:
    before = np.array(weights)
    after = perturb(before, share, np.random.default_rng(seed))
    assert after.sum() == pytest.approx(before.sum())
    factors = after / before
    low, high = factors.min(), factors.max()
    assert high / low == pytest.approx((1 + share) / (1 - share))
    assert all(np.isclose(factor, low) or np.isclose(factor, high) for factor in factors)
