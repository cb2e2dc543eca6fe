from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from lcode.ensemble.names import PRETRAINED, RELATED
from lcode.ensemble.settings import SETTINGS
from lcode.ensemble.stacking import Stacking
from lcode.forecast import LEVELS

Array = np.ndarray
NOW, THEN = 0.0, 1.0
"""Leads of near and of far queries."""


def of(*weights: float, metrics: int = 1) -> Stacking:
    """The same weights for all metrics and leads."""
    return Stacking(np.broadcast_to(np.array(weights), (2, metrics, len(weights))))


def alike(models: int, *, metrics: int = 1) -> Stacking:
    return of(*[1 / models] * models, metrics=metrics)


def at(lead: float, quantiles: Array) -> Array:
    """The same lead for every run and query of forecasts [E, R, K, Q, 21]."""
    return np.full((quantiles.shape[1], quantiles.shape[3]), lead)


def parts_of(errors: tuple[float, ...], runs: int, seed: int = 0) -> tuple[Array, Array]:
    """Forecasts of two metrics at three epochs whose medians are off by normal errors of these sizes, and the truth."""
    generator = np.random.default_rng(seed)
    truth = generator.standard_normal((runs, 2, 3))
    medians = np.stack([truth + size * generator.standard_normal(truth.shape) for size in errors])
    return medians[..., None] + 0.5 * norm.ppf(LEVELS), truth


def learned(errors: tuple[float, ...], runs: int) -> Array:
    quantiles, truth = parts_of(errors, runs)
    return alike(len(errors), metrics=2).learned(at(THEN, quantiles), quantiles, truth).weights


def test_without_evidence_weights_stay() -> None:
    quantiles, truth = parts_of((0.3, 3.0), 9)
    found = alike(2, metrics=2).learned(at(THEN, quantiles), quantiles, np.full_like(truth, np.nan))
    np.testing.assert_allclose(found.weights, 0.5, rtol=1e-9)


def test_the_better_model_counts_more_and_with_many_runs_nearly_alone() -> None:
    few, many = (learned((0.3, 3.0), runs) for runs in (3, 800))
    np.testing.assert_allclose(many.sum(-1), 1)
    assert 0.5 < few[..., 0].mean() < many[..., 0].mean() and many[..., 0].min() > 0.9


def test_equal_models_keep_the_weights_that_they_had() -> None:
    quantiles, truth = parts_of((1.0,), 50)
    twice = np.concatenate([quantiles, quantiles])
    found = of(0.75, 0.25, metrics=2).learned(at(THEN, twice), twice, truth)
    np.testing.assert_allclose(found.weights, of(0.75, 0.25, metrics=2).weights, atol=1e-4)


def test_few_runs_of_a_metric_go_by_those_of_all_metrics() -> None:
    quantiles, truth = parts_of((0.3, 3.0), 60)
    truth[2:, 1] = np.nan
    found = alike(2, metrics=2).learned(at(THEN, quantiles), quantiles, truth).weights
    truth[:, 1] = np.nan
    none = alike(2, metrics=2).learned(at(THEN, quantiles), quantiles, truth).weights
    assert (found[:, 1, 0] > 0.6).all() and (none[:, 1, 0] > 0.6).all()


def test_a_model_without_a_forecast_has_no_say() -> None:
    quantiles, truth = parts_of((1.0, 1.0), 12)
    without, leads = np.concatenate([quantiles, quantiles[:1] * np.nan]), at(THEN, quantiles)
    two, three = of(2 / 3, 1 / 3, metrics=2), of(0.5, 0.25, 0.25, metrics=2)
    np.testing.assert_allclose(three.mix(without, leads), two.mix(quantiles, leads), rtol=0, atol=1e-12)
    assert np.isnan(three.mix(without * np.nan, leads)).all()
    assert np.isfinite(three.learned(leads, without, truth).weights).all()


def test_where_only_models_without_weight_have_a_forecast_there_is_none() -> None:
    quantiles, _ = parts_of((1.0, 1.0), 4)
    quantiles[0, 1] = np.nan
    mixed = of(1.0, 0.0, metrics=2).mix(quantiles, at(THEN, quantiles))
    assert np.isnan(mixed[1]).all() and np.isfinite(np.delete(mixed, 1, axis=0)).all()


@given(st.integers(0, 1000), st.floats(0, 1))
@settings(max_examples=20)
def test_a_mixture_lies_between_its_parts_and_is_in_order(seed: int, lead: float) -> None:
    quantiles, _ = parts_of((0.5, 2.0), 4, seed)
    stacking = Stacking(np.array([[[0.3, 0.7]] * 2, [[0.9, 0.1]] * 2]))
    mixed = stacking.mix(quantiles, at(lead, quantiles))
    assert (mixed >= quantiles.min(0) - 1e-9).all() and (mixed <= quantiles.max(0) + 1e-9).all()
    assert (np.diff(mixed) >= 0).all()


def test_one_part_alone_is_itself() -> None:
    quantiles = norm.ppf(LEVELS) * np.linspace(1, 3, 100)[:, None] + np.sin(np.arange(100))[:, None]
    mixed = of(1.0).mix(quantiles[None, None, None], np.linspace(0, 1, 100)[None])
    np.testing.assert_allclose(mixed[0, 0], quantiles, atol=1e-9)


def test_a_model_that_is_better_far_ahead_counts_more_there() -> None:
    near, truth = parts_of((0.3, 2.0), 60)
    later, _ = parts_of((2.0, 0.3), 60)
    queries = np.concatenate([near[..., :1, :], later[..., :1, :]], axis=-2)
    came = np.repeat(truth[..., :1], 2, axis=-1)
    stacking = alike(2, metrics=2).learned(np.tile([NOW, THEN], (60, 1)), queries, came)
    assert (stacking.weights[0, :, 0] > 0.8).all() and (stacking.weights[1, :, 1] > 0.8).all()
    ends = np.stack([np.zeros((1, 2, 5, 21)), np.ones((1, 2, 5, 21))])
    of_b = (stacking.mix(ends, np.array([[0, 0.3, 0.5, 0.7, 1]]))[0, 0] > 0.5).mean(-1)
    assert of_b[0] == of_b[1] < of_b[2] < of_b[3] == of_b[4]


def test_where_no_query_is_near_the_far_ones_speak_for_them() -> None:
    weights = learned((0.3, 3.0), 60)
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-4)


def test_a_query_counts_the_same_whatever_the_size_of_its_errors() -> None:
    quantiles, truth = parts_of((0.5, 1.0), 40)
    leads, sizes = at(THEN, quantiles), np.array([1e-9, 1.0, 1e6])
    plain = alike(2, metrics=2).learned(leads, quantiles, truth)
    sized = alike(2, metrics=2).learned(leads, quantiles * sizes[:, None], truth * sizes)
    np.testing.assert_allclose(sized.weights, plain.weights, rtol=1e-5)


def test_a_run_that_nobody_foresaw_does_not_decide_alone() -> None:
    quantiles, truth = parts_of((0.3, 3.0), 40)
    truth[7] += 5000.0
    quantiles[1, 7] += 500.0  # the worse model is nearer to this one run
    found = alike(2, metrics=2).learned(at(THEN, quantiles), quantiles, truth)
    assert (found.weights[..., 0] > 0.75).all()


@pytest.mark.parametrize("size", [0.0, 1e-300])
def test_where_every_model_is_exact_the_weights_stay(size: float) -> None:
    truth = np.full((9, 1, 2), size)
    quantiles = np.full((2, 9, 1, 2, len(LEVELS)), size)
    found = of(0.75, 0.25).learned(at(THEN, quantiles), quantiles, truth)
    np.testing.assert_allclose(found.weights, of(0.75, 0.25).weights, atol=1e-9)


def test_exact_weights_stay_whatever_a_model_without_weight_says() -> None:
    truth = np.full((9, 1, 2), 3.0)
    quantiles = np.full((2, 9, 1, 2, len(LEVELS)), 3.0)
    quantiles[1] += 1e6
    found = of(1.0, 0.0).learned(at(THEN, quantiles), quantiles, truth)
    np.testing.assert_allclose(found.weights, of(1.0, 0.0).weights, atol=1e-9)


def test_an_exact_model_needs_few_runs_to_be_believed() -> None:
    quantiles, truth = parts_of((1.0, 1.0, 1.0), 8)
    quantiles[1] = truth[..., None]
    found = alike(3, metrics=2).learned(at(THEN, quantiles), quantiles, truth)
    assert (found.weights[..., 1] > 0.8).all()


def test_before_the_left_out_runs_have_spoken_the_network_that_reads_curves_counts_more_once_there_is_one() -> None:
    names = ("gaussian process", PRETRAINED, "forest of values")
    first, later, last = (Stacking.prior(names, np.zeros(2), share).weights for share in (0.0, SETTINGS.ripe, 1.0))
    for weights, counts in ((first, 1 / SETTINGS.seasoned), (later, SETTINGS.seasoned)):
        expected = of(1 / (2 + counts), counts / (2 + counts), 1 / (2 + counts), metrics=2)
        np.testing.assert_allclose(weights, expected.weights)
    np.testing.assert_allclose(Stacking.prior(names, np.zeros(2), SETTINGS.ripe / 2).weights, 1 / 3)
    np.testing.assert_array_equal(last, later)
    np.testing.assert_array_equal(Stacking.prior((PRETRAINED,), np.zeros(1), 0.5).weights, [[[1]], [[1]]])


def test_related_runs_count_by_how_many_own_ones_end_among_them() -> None:
    names = ("gaussian process", RELATED)
    weights = Stacking.prior(names, np.array([1.0, 0.25]), 0.5).weights
    counts = SETTINGS.alike * np.array([1.0, 0.25**4])
    np.testing.assert_allclose(weights[..., 1], np.broadcast_to(counts / (1 + counts), (2, 2)))
