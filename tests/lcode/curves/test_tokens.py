"""Runs as tokens: of no unit, each by itself, and silent where nothing is known."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lcode.curves.common_settings import COMMON_SETTINGS
from lcode.curves.tokens import FEATURES, POINTS, ExampleScale, Prefixes

LEADS = np.array([0.5, 1.0])


def prefixes(points: np.ndarray, settings: np.ndarray | None = None) -> Prefixes:
    seen = np.isfinite(points).sum(1)
    places = np.zeros((len(points), len(COMMON_SETTINGS))) if settings is None else settings
    return Prefixes.thinned(points, seen, np.full(len(points), 0.25), places)


def examples(seed: int = 0, runs: int = 12) -> tuple[Prefixes, np.ndarray]:
    draw = np.random.default_rng(seed)
    points = np.cumsum(draw.standard_normal((runs, 5)), axis=1)
    return prefixes(points, draw.standard_normal((runs, len(COMMON_SETTINGS)))), draw.standard_normal((runs, 2))


@given(
    arrays(np.float64, (3, 5), elements=st.floats(-5, 5, width=32)),
    st.floats(0.5, 1e4),
    st.floats(-1e3, 1e3),
)
def test_tokens_do_not_depend_on_the_unit_of_the_metric(points: np.ndarray, unit: float, shift: float) -> None:
    known, came = examples()
    told = ExampleScale.of(known, came, LEADS).tokens(prefixes(points))
    other = prefixes(unit * known.points + shift, known.settings)
    again = ExampleScale.of(other, unit * came + shift, LEADS).tokens(prefixes(unit * points + shift))
    np.testing.assert_allclose(again.features, told.features, atol=0.05)
    np.testing.assert_allclose(again.last, told.last, atol=0.02)


def test_a_token_depends_on_its_run_and_the_examples_alone() -> None:
    known, came = examples()
    scale, runs = ExampleScale.of(known, came, LEADS), examples(1)[0]
    together = scale.tokens(runs)
    for row in range(len(runs)):
        alone = scale.tokens(runs.rows(np.array([row])))
        np.testing.assert_array_equal(alone.features[:, 0], together.features[:, row])
    assert together.features.shape == (2, len(runs), FEATURES)


def test_of_a_run_that_has_not_begun_only_its_settings_are_told() -> None:
    known, came = examples()
    settings = np.full((1, len(COMMON_SETTINGS)), 0.7)
    told = ExampleScale.of(known, came, LEADS).tokens(prefixes(np.full((1, 5), np.nan), settings))
    curve = told.features[..., : 2 * POINTS + 7]
    assert not curve.any() and not told.last.any()
    assert told.features[..., 2 * POINTS + 7 :].any()


def test_a_setting_that_does_not_vary_among_the_examples_says_nothing() -> None:
    known, came = examples()
    same = Prefixes(known.points, known.seen, known.shares, np.ones_like(known.settings))
    scale = ExampleScale.of(same, came, LEADS)
    low, high = (scale.tokens(prefixes(known.points[:1], np.full((1, len(COMMON_SETTINGS)), at))) for at in (-1.0, 3.0))
    np.testing.assert_array_equal(low.features, high.features)


def test_the_scale_is_undone_exactly() -> None:
    known, came = examples()
    scale = ExampleScale.of(known, came, LEADS)
    np.testing.assert_allclose(scale.unscaled(scale.scaled(came).T).T, came)
