from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm

from lcode.ensemble.mixture import MASS, crps_terms, mixture_quantiles
from lcode.forecast import LEVELS

Array = NDArray[np.float64]


def test_masses_put_every_quantile_at_its_level() -> None:
    assert MASS.sum() == pytest.approx(1)
    assert (MASS > 0).all()
    np.testing.assert_allclose(np.cumsum(MASS) - MASS / 2, LEVELS)


def parts_of(seed: int, parts: int, cells: int = 7) -> tuple[Array, Array]:
    """Random parts that lie apart, some of them with equal quantiles, and their weights."""
    generator = np.random.default_rng(seed)
    size, middle = 10 ** generator.uniform(-2, 1, (parts, cells, 1)), generator.normal(0, 3, (parts, cells, 1))
    quantiles = middle + size * np.sort(generator.standard_normal((parts, cells, len(LEVELS))), -1)
    flat = generator.random((parts, cells, 1)) < 0.2
    return np.where(flat, np.round(quantiles), quantiles), generator.random((parts, cells)) + 0.01


def levels_of(values: Array, quantiles: Array, weights: Array, side: Literal["left", "right"]) -> Array:
    """The mixture's distribution function, from one side, at values [L] of parts [E, 21] with weights [E].

    A part is linear between its quantiles, and constant beyond the outer ones.
    """
    total = np.zeros(len(values))
    for part, weight in zip(quantiles, weights / weights.sum(), strict=True):
        at = np.searchsorted(part, values, side=side)
        below, above = np.clip(at - 1, 0, None), np.clip(at, None, len(part) - 1)
        width = part[above] - part[below]
        share = np.divide(values - part[below], width, out=np.zeros(len(values)), where=width > 0)
        inner = LEVELS[below] + share * (LEVELS[above] - LEVELS[below])
        total += weight * np.select([at == 0, at == len(part)], [0.0, 1.0], inner)
    return total


def test_two_far_normals_make_a_distribution_with_two_heaps() -> None:
    parts = np.stack([norm.ppf(LEVELS) - 10, norm.ppf(LEVELS) + 10])[:, None]
    mixed = mixture_quantiles(parts, np.array([[0.25], [0.75]]))[0]
    # 5 % of all is 20 % of the quarter on the left; 70 % of all is 60 % of the three quarters on the right.
    np.testing.assert_allclose(
        mixed[[1, 2, 14, 17]],
        [norm.ppf(0.2) - 10, norm.ppf(0.4) - 10, norm.ppf(0.6) + 10, norm.ppf(0.8) + 10],
        atol=1e-9,
    )


@given(st.integers(0, 10_000), st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_it_is_the_inverse_of_the_mixed_distribution_function(seed: int, parts: int) -> None:
    quantiles, weights = parts_of(seed, parts)
    mixed = mixture_quantiles(quantiles, weights)
    for cell, values in enumerate(mixed):
        a, b = quantiles[:, cell], weights[:, cell]
        assert (levels_of(values - 1e-9, a, b, "left") <= LEVELS + 1e-9).all()
        assert (levels_of(values + 1e-9, a, b, "right") >= LEVELS - 1e-9).all()


@given(st.integers(0, 10_000), st.integers(2, 6), st.data())
@settings(max_examples=60, deadline=None)
def test_a_part_without_weight_changes_nothing(seed: int, parts: int, data: st.DataObject) -> None:
    quantiles, weights = parts_of(seed, parts)
    silent = data.draw(st.integers(0, parts - 1))
    weights[silent] = 0
    others = np.arange(parts) != silent
    expected = mixture_quantiles(quantiles[others], weights[others])
    np.testing.assert_allclose(mixture_quantiles(quantiles, weights), expected, rtol=0, atol=1e-12)


@given(st.integers(0, 10_000), st.integers(2, 6), st.floats(1e-14, 1e-3))
@settings(max_examples=60, deadline=None)
def test_a_part_of_little_weight_moves_no_level_by_more_than_that(seed: int, parts: int, little: float) -> None:
    quantiles, weights = parts_of(seed, parts)
    weights[0] = little * weights[1:].sum(0)
    mixed = mixture_quantiles(quantiles, weights)
    for cell, values in enumerate(mixed):
        a, b = quantiles[1:, cell], weights[1:, cell]
        assert (levels_of(values - 1e-9, a, b, "left") <= LEVELS + little + 1e-9).all()
        assert (levels_of(values + 1e-9, a, b, "right") >= LEVELS - little - 1e-9).all()


def test_point_masses_and_the_gaps_between_them() -> None:
    points = np.array([0.0, 1.0, 5.0])[:, None, None].repeat(len(LEVELS), axis=-1)
    mixed = mixture_quantiles(points, np.array([[0.5], [0.3], [0.2]]))[0]
    # Between 0 and 1 no value is more likely to be passed than another: the quantile is the middle.
    expected = np.select([LEVELS < 0.5, LEVELS == 0.5, LEVELS < 0.8, LEVELS == 0.8], [0.0, 0.5, 1.0, 3.0], 5.0)
    np.testing.assert_allclose(mixed, expected, atol=1e-9)


@given(st.integers(0, 1000), st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_a_mixture_is_in_order_between_its_parts(seed: int, parts: int) -> None:
    generator = np.random.default_rng(seed)
    quantiles = np.sort(generator.standard_normal((parts, 7, len(LEVELS))), -1)
    weights = generator.random((parts, 7)) + 0.01
    mixed = mixture_quantiles(quantiles, weights)
    assert (np.diff(mixed) >= 0).all()
    rounding = 1e-12
    assert (mixed >= quantiles.min(0).min(-1, keepdims=True) - rounding).all()
    assert (mixed <= quantiles.max(0).max(-1, keepdims=True) + rounding).all()
    np.testing.assert_allclose(mixture_quantiles(quantiles[:1], weights[:1]), quantiles[0], atol=1e-12)


def test_the_terms_give_the_crps_of_the_mixture() -> None:
    generator = np.random.default_rng(0)
    quantiles = np.stack([norm.ppf(LEVELS), 2 + 0.5 * norm.ppf(LEVELS)])[:, None].repeat(3, axis=1)
    truth = generator.standard_normal(3)
    weights = np.array([0.3, 0.7])
    to_truth, between = crps_terms(quantiles, truth)
    # The same from samples of the mixture: E|X - y| - E|X - X'| / 2.
    atoms, mass = quantiles[:, 0].ravel(), np.outer(weights, MASS).ravel()
    direct = [
        mass @ np.abs(atoms - y) - mass @ np.abs(atoms[:, None] - atoms) @ mass / 2 for y in truth
    ]  # fmt: skip
    np.testing.assert_allclose(to_truth @ weights - np.einsum("e,nef,f->n", weights, between, weights) / 2, direct)
