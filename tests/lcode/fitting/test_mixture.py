from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from lcode.fitting.mixture import MASS, crps_terms, mixture_quantiles
from lcode.forecast import LEVELS


def test_masses_put_every_quantile_at_its_level() -> None:
    assert MASS.sum() == pytest.approx(1)
    assert (MASS > 0).all()
    np.testing.assert_allclose(np.cumsum(MASS) - MASS / 2, LEVELS)


def test_two_far_normals_make_a_distribution_with_two_heaps() -> None:
    parts = np.stack([norm.ppf(LEVELS) - 10, norm.ppf(LEVELS) + 10])[:, None]
    mixed = mixture_quantiles(parts, np.array([[0.25], [0.75]]))[0]
    # 1 % of all is 4 % of the quarter on the left; half of all is a third of the three quarters on the right.
    np.testing.assert_allclose(
        mixed[[0, 2, 10, 18]], [norm.ppf(0.04) - 10, norm.ppf(0.4) - 10, norm.ppf(1 / 3) + 10, norm.ppf(0.8667) + 10],
        atol=0.15,
    )  # fmt: skip


@given(st.integers(0, 1000), st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_a_mixture_is_in_order_between_its_parts(seed: int, parts: int) -> None:
    generator = np.random.default_rng(seed)
    quantiles = np.sort(generator.standard_normal((parts, 7, len(LEVELS))), -1)
    weights = generator.random((parts, 7)) + 0.01
    mixed = mixture_quantiles(quantiles, weights)
    assert (np.diff(mixed) >= 0).all()
    assert (mixed >= quantiles.min(0).min(-1, keepdims=True)).all()
    assert (mixed <= quantiles.max(0).max(-1, keepdims=True)).all()
    np.testing.assert_allclose(mixture_quantiles(quantiles[:1], weights[:1]), quantiles[0], atol=1e-9)


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
    assert weights @ to_truth - weights @ between @ weights / 2 == pytest.approx(np.mean(direct))
