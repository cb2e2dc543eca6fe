"""Runs as tokens: of no unit, each by itself, and silent where nothing is known."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lcode.curves.common_settings import COMMON_SETTINGS
from lcode.curves.prefix import CURVE, SIDE, Evidence
from lcode.curves.tokens import ANCHORS, FEATURES, POINTS, VIEWS, ExampleScale, Prefixes
from lcode.regressors.kernel_regression import Columns

LEADS = np.array([0.5, 1.0])


def prefixes(points: np.ndarray, settings: np.ndarray | None = None) -> Prefixes:
    """Runs whose curves are all that is known beside their settings."""
    seen = np.isfinite(points).sum(1)
    places = np.zeros((len(points), len(COMMON_SETTINGS))) if settings is None else settings
    sides = [np.nan_to_num(points[:, -1:]), places]
    kinds = np.r_[CURVE, np.full(places.shape[1], SIDE)]
    evidence = Evidence(np.concatenate(sides, axis=1), Columns(np.arange(len(kinds)), kinds))
    return Prefixes.thinned(points, seen, np.full(len(points), 0.25), places, evidence)


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
    np.testing.assert_allclose(again.anchors, told.anchors, atol=0.05)


def test_a_token_depends_on_its_run_and_the_examples_alone() -> None:
    known, came = examples()
    scale, runs = ExampleScale.of(known, came, LEADS), examples(1)[0]
    together = scale.tokens(runs)
    for row in range(len(runs)):
        alone = scale.tokens(runs.rows(np.array([row])))
        np.testing.assert_allclose(alone.features[:, 0], together.features[:, row], atol=1e-9)
    assert together.features.shape == (2, len(runs), FEATURES) and together.anchors.shape == (2, len(runs), ANCHORS)


def test_of_a_run_that_has_not_begun_only_its_settings_are_told() -> None:
    known, came = examples()
    settings = np.full((1, len(COMMON_SETTINGS)), 0.7)
    told = ExampleScale.of(known, came, LEADS).tokens(prefixes(np.full((1, 5), np.nan), settings))
    curve = told.features[..., : 2 * POINTS + 7]
    assert not curve.any() and not told.anchors[..., 0].any()
    assert told.features[..., 2 * POINTS + 7 :].any()


def test_a_setting_that_does_not_vary_among_the_examples_says_nothing() -> None:
    known, came = examples()
    scale = ExampleScale.of(prefixes(known.points, np.ones_like(known.settings)), came, LEADS)
    low, high = (scale.tokens(prefixes(known.points[:1], np.full((1, len(COMMON_SETTINGS)), at))) for at in (-1.0, 3.0))
    np.testing.assert_array_equal(low.features, high.features)


def test_the_scale_is_undone_exactly() -> None:
    known, came = examples()
    scale = ExampleScale.of(known, came, LEADS)
    np.testing.assert_allclose(scale.unscaled(scale.scaled(came).T).T, came)


def test_processes_tell_what_follows_from_what_is_known() -> None:
    draw = np.random.default_rng(0)
    settings = draw.standard_normal((60, len(COMMON_SETTINGS)))
    points = draw.standard_normal((60, 5))
    ends = points[:, -1:] + 2 * settings[:, :1] + 0.01 * draw.standard_normal((60, 1))
    known, asked = (prefixes(points[rows], settings[rows]) for rows in (slice(40), slice(40, 60)))
    scale = ExampleScale.of(known, ends[:40], np.ones(1))
    for told, came in ((scale.example_tokens(), ends[:40]), (scale.tokens(asked), ends[40:])):
        truth = scale.scaled(came)[:, 0]
        errors = np.abs(told.anchors[0] - truth[:, None]).mean(0)  # of the last value, and of what each view expects
        assert errors[1 + VIEWS.index((CURVE, SIDE))] < 0.5 * min(errors[0], errors[1 + VIEWS.index((SIDE,))])


def test_from_a_run_that_has_not_begun_no_change_is_counted() -> None:
    draw = np.random.default_rng(1)
    points, settings = draw.standard_normal((30, 5)), draw.standard_normal((31, len(COMMON_SETTINGS)))
    scale = ExampleScale.of(prefixes(points, settings[:30]), points[:, -1:] - 5, np.ones(1))
    told = scale.tokens(prefixes(np.full((1, 5), np.nan), settings[30:])).anchors[0, 0]
    assert (told[1:] == told[1 + VIEWS.index((SIDE,))]).all() and abs(told[1]) < 1  # all ended five lower
