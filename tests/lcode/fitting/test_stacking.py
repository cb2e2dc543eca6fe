from __future__ import annotations

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from lcode.fitting.stacking import Stacking, learn_stacking
from lcode.forecast import LEVELS

SHARES = (0.0, 0.2)
NOW, THEN = 0.0, 1.0
"""Leads of near and of far queries."""


def both(rows: tuple[tuple[float, ...], ...]) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """The same weights of the metrics for near and for far queries."""
    return rows, rows


def at(lead: float, quantiles: np.ndarray) -> np.ndarray:
    """The same lead for every run and query of forecasts [E, R, K, Q, 21]."""
    return np.full((quantiles.shape[1], quantiles.shape[3]), lead)


def parts_of(errors: tuple[float, ...], runs: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts of two metrics at three epochs whose medians are off by normal errors of these sizes, and the truth."""
    generator = np.random.default_rng(seed)
    truth = generator.standard_normal((runs, 2, 3))
    medians = np.stack([truth + size * generator.standard_normal(truth.shape) for size in errors])
    return medians[..., None] + 0.5 * norm.ppf(LEVELS), truth


def learned(errors: tuple[float, ...], runs: int) -> Stacking:
    quantiles, truth = parts_of(errors, runs)
    leads = [at(THEN, quantiles)] * 2
    return learn_stacking(("a", "b"), [(1, 1), (1, 1)], SHARES, leads, [quantiles, quantiles], [truth, truth])


def test_the_better_part_counts_more_and_with_many_runs_nearly_alone() -> None:
    few, many = (learned((0.3, 3.0), runs).mean_weights()["a"] for runs in (8, 800))
    assert 0.5 < few < many
    assert many > 0.9


def test_equal_parts_keep_the_prior_weights() -> None:
    quantiles, truth = parts_of((1.0,), 50)
    twice = np.concatenate([quantiles, quantiles])
    stacking = learn_stacking(("a", "b"), [(3, 1)], (0.1,), [at(THEN, twice)], [twice], [truth])
    np.testing.assert_allclose(stacking.weights, [[[[0.75, 0.25]] * 2] * 2], atol=1e-4)


def test_a_part_that_gains_more_than_left_out_runs_say_counts_more() -> None:
    quantiles, truth = parts_of((1.0, 1.0), 200)
    arguments = ("a", "b"), [(1, 1)], (0.1,), [at(THEN, quantiles)], [quantiles], [truth]
    usual, better = (learn_stacking(*arguments, gains).mean_weights()["a"] for gains in (None, (0.8, 1.0)))
    assert better > usual + 0.05


def test_weights_are_interpolated_between_prefixes() -> None:
    stacking = Stacking(("a", "b"), (0.0, 0.25), (both(((1.0, 0.0),)), both(((0.0, 1.0),))))
    quantiles = np.stack([np.zeros((3, 1, 2, len(LEVELS))), np.ones((3, 1, 2, len(LEVELS)))])
    mixed = stacking.mix(quantiles, np.array([0.0, 0.0625, 0.9]), at(THEN, quantiles))
    np.testing.assert_allclose(mixed[0], 0, atol=1e-9)
    np.testing.assert_allclose(mixed[1, 0, 0, [0, 9, 10, 11, 20]], [0, 0, 0.5, 1, 1])  # either, with equal chance
    np.testing.assert_allclose(mixed[2], 1)


def test_a_part_without_a_forecast_has_no_say() -> None:
    quantiles, _ = parts_of((1.0, 1.0), 2)
    two = Stacking(("a", "b"), (0.0,), (both(((0.5, 0.25),)),))
    three = Stacking(("a", "b", "c"), (0.0,), (both(((0.5, 0.25, 0.25),)),))
    without = np.concatenate([quantiles, quantiles[:1] * np.nan])
    runs = np.zeros(2), at(THEN, quantiles)
    np.testing.assert_allclose(three.mix(without, *runs), two.mix(quantiles, *runs), rtol=0, atol=1e-12)
    assert np.isnan(three.mix(without * np.nan, *runs)).all()


def test_weight_moves_to_the_last_part_unless_it_has_none() -> None:
    quantiles, _ = parts_of((1.0, 1.0), 6)
    moved = np.array([[0.0, 0.0], [1.0, 0.0]] + [[0.5, 0.5]] * 4)
    runs = np.full(6, 0.1), at(THEN, quantiles)
    two = Stacking(("a", "b"), (0.1,), (both(((0.5, 0.5), (0.5, 0.5))),))
    mixed, usual = two.mix(quantiles, *runs, moved), two.mix(quantiles, *runs)
    np.testing.assert_allclose(mixed[0], usual[0])
    np.testing.assert_allclose(mixed[1, 0], quantiles[1, 1, 0], atol=1e-6)
    alone = Stacking(("a", "b"), (0.1,), (both(((1.0, 0.0), (1.0, 0.0))),))
    np.testing.assert_allclose(alone.mix(quantiles, *runs, moved), quantiles[0], atol=1e-6)


@given(st.integers(0, 1000), st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_a_mixture_lies_between_its_parts_and_is_in_order(seed: int, share: float) -> None:
    quantiles, _ = parts_of((0.5, 2.0), 4, seed)
    stacking = Stacking(("a", "b"), (0.1, 0.5), (both(((0.3, 0.7),) * 2), both(((0.9, 0.1),) * 2)))
    mixed = stacking.mix(quantiles, np.full(4, share), at(share, quantiles))
    assert (mixed >= quantiles.min(0) - 1e-9).all() and (mixed <= quantiles.max(0) + 1e-9).all()
    assert (np.diff(mixed) >= 0).all()


def test_one_part_alone_is_itself_whatever_the_number_of_queries() -> None:
    quantiles = norm.ppf(LEVELS) * np.linspace(1, 3, 100)[:, None] + np.sin(np.arange(100))[:, None]
    stacking = Stacking(("a",), (0.0,), (both(((1.0,),)),))
    mixed = stacking.mix(quantiles[None, None, None], np.zeros(1), np.linspace(0, 1, 100)[None])
    np.testing.assert_allclose(mixed[0, 0], quantiles, atol=1e-9)


def test_between_the_nodes_a_mixture_is_nearly_exact() -> None:
    slow = np.linspace(0, 1, 120)[:, None]
    parts = np.stack([slow + norm.ppf(LEVELS), 3 * slow + (0.5 + slow) * norm.ppf(LEVELS)])[:, None, None]
    stacking, leads = Stacking(("a", "b"), (0.0,), ((((0.4, 0.6),), ((0.7, 0.3),)),)), np.linspace(0, 1, 120)[None]
    one_by_one = [stacking.mix(parts[:, :, :, [q]], np.zeros(1), leads[:, [q]])[0, 0, 0] for q in range(120)]
    np.testing.assert_allclose(stacking.mix(parts, np.zeros(1), leads)[0, 0], one_by_one, atol=0.15)


def test_a_part_that_is_better_far_ahead_counts_more_there() -> None:
    near, truth = parts_of((0.3, 2.0), 60)
    later, _ = parts_of((2.0, 0.3), 60)
    queries = np.concatenate([near[..., :1, :], later[..., :1, :]], axis=-2)
    came = np.repeat(truth[..., :1], 2, axis=-1)
    leads = np.tile([NOW, THEN], (60, 1))
    stacking = learn_stacking(("a", "b"), [(1, 1)], (0.1,), [leads], [queries], [came])
    weights = np.array(stacking.weights)[0]
    assert (weights[0, :, 0] > 0.8).all() and (weights[1, :, 1] > 0.8).all()
    mixed = stacking.mix(
        np.stack([np.zeros((1, 2, 5, 21)), np.ones((1, 2, 5, 21))]), np.array([0.1]), np.array([[0, 0.3, 0.5, 0.7, 1]])
    )
    of_b = (mixed[0, 0] > 0.5).mean(-1)
    assert of_b[0] == of_b[1] < of_b[2] < of_b[3] == of_b[4]


def test_a_query_counts_the_same_whatever_the_size_of_its_errors() -> None:
    quantiles, truth = parts_of((0.5, 1.0), 40)
    leads, sizes = at(THEN, quantiles), np.array([1e-9, 1.0, 1e6])
    arguments = ("a", "b"), [(1, 1)], (0.1,), [leads]
    plain = learn_stacking(*arguments, [quantiles], [truth])
    sized = learn_stacking(*arguments, [quantiles * sizes[:, None]], [truth * sizes])
    np.testing.assert_allclose(sized.weights, plain.weights, rtol=1e-6)


def test_where_every_part_is_exact_the_prior_weights_stay() -> None:
    truth = np.zeros((9, 1, 2))
    quantiles = np.zeros((2, 9, 1, 2, len(LEVELS)))
    stacking = learn_stacking(("a", "b"), [(3, 1)], (0.1,), [at(THEN, quantiles)], [quantiles], [truth])
    np.testing.assert_allclose(stacking.weights, [[[[0.75, 0.25]]] * 2], atol=1e-9)


def test_weights_of_a_former_version_hold_at_all_leads() -> None:
    stacking = Stacking.from_json({"parts": ["a", "b"], "shares": [0.0], "weights": [[[0.5, 0.5]]]})
    assert stacking.weights == (both(((0.5, 0.5),)),)


def test_json_round_trip() -> None:
    stacking = learned((0.5, 1.0), 20)
    assert Stacking.from_json(json.loads(json.dumps(stacking.to_json()))) == stacking
