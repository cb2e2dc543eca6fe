"""The process of curves against the same process written out in full."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from lcode.regressors import kronecker_gp
from lcode.regressors.kronecker_gp import KroneckerGP


def matern(a: np.ndarray, b: np.ndarray, length: np.ndarray) -> np.ndarray:
    distance = np.sqrt(5 * (((a[:, None] - b[None]) / length) ** 2).sum(-1))
    return np.asarray((1 + distance + distance**2 / 3) * np.exp(-distance))


def curves(seed: int, inputs: int, count: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    places, times = generator.random((count, inputs)), np.linspace(0, 1, 5)
    level = places.sum(axis=1) if inputs else generator.standard_normal(count)
    return places, times, level[:, None] - times + 0.1 * generator.standard_normal((count, 5))


@pytest.mark.parametrize("inputs", [0, 1, 3])
@pytest.mark.parametrize("seen", [0, 2])
def test_it_is_the_posterior_of_all_points_together(inputs: int, seen: int) -> None:
    places, times, values = curves(0, inputs)
    gp = KroneckerGP(places, times, values)
    place, at, own = np.full(inputs, 0.4), np.array([0.5, 0.9, 1.3]), np.array([0.7, 0.3])[:seen]
    observed = np.array([0.1, 0.35])[:seen]
    mean, variance = gp.predict(place, observed, own, at)

    lengths, (time, amplitude, noise) = np.exp(gp.hyperparameters[:-3]), np.exp(gp.hyperparameters[-3:])
    everywhere = np.r_[np.repeat(np.arange(6), 5), np.full(seen + 3, 6)]
    when = np.r_[np.tile(times, 6), observed, at]
    at_places = np.vstack([places, place])
    over_places = matern(at_places, at_places, lengths) if inputs else np.eye(7)
    over_times = amplitude * matern(when[:, None], when[:, None], np.array([time]))
    joint = over_places[np.ix_(everywhere, everywhere)] * over_times + noise * np.eye(len(when))
    known = len(when) - 3
    gain = np.linalg.solve(joint[:known, :known], joint[:known, known:])
    np.testing.assert_allclose(mean, gain.T @ np.r_[values.ravel(), own], rtol=1e-5, atol=1e-6)
    expected = (joint[known:, known:] - gain.T @ joint[:known, known:]).diagonal()
    np.testing.assert_allclose(variance, expected, rtol=1e-4, atol=1e-7)


def test_the_slope_of_the_marginal_likelihood(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    def keep(function, start, **_):  # type: ignore[no-untyped-def]
        asked["function"], asked["start"] = function, start
        return type("Found", (), {"x": start})

    monkeypatch.setattr(kronecker_gp, "minimize", keep)
    KroneckerGP(*curves(1, 2))
    point = asked["start"] + np.array([0.3, -0.2, 0.1, 0.4, 0.5])
    slope = asked["function"](point)[1]
    np.testing.assert_allclose(slope, approx_fprime(point, lambda x: asked["function"](x)[0], 1e-6), rtol=2e-4)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), inputs=st.integers(0, 3), seen=st.integers(1, 4))
def test_what_was_seen_narrows_the_forecast(seed: int, inputs: int, seen: int) -> None:
    places, times, values = curves(seed, inputs)
    gp = KroneckerGP(places, times, values)
    place, own = np.full(inputs, 0.5), np.linspace(0, 0.5, seen)
    before = gp.predict(place, own[:0], own[:0], times)[1]
    after = gp.predict(place, own, np.zeros(seen), times)[1]
    assert (after <= before * (1 + 1e-6)).all() and (after >= gp.noise * (1 - 1e-9)).all()


def test_equal_curves_at_equal_places_are_no_trouble() -> None:
    mean, variance = KroneckerGP(np.zeros((4, 2)), np.array([0.0, 1.0]), np.full((4, 2), -1.0)).predict(
        np.zeros(2), np.array([0.0]), np.array([-1.0]), np.array([1.0])
    )
    np.testing.assert_allclose(mean, [-1.0], atol=0.05)
    assert np.isfinite(variance).all()
