from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lcode.evaluation import metrics
from lcode.forecast import LEVELS

NAN = float("nan")
TRUTH = np.array([[1.0, 2.0], [4.0, NAN], [NAN, NAN]])
PREDICTED = np.array([[1.1, 1.0], [2.0, 9.0], [5.0, 5.0]])


def test_errors_are_averaged_per_curve_then_over_curves() -> None:
    assert metrics.mape(TRUTH, PREDICTED) == pytest.approx(((0.1 + 0.5) / 2 + 0.5) / 2)
    assert metrics.rmse(TRUTH, PREDICTED) == pytest.approx((np.sqrt((0.01 + 1) / 2) + 2) / 2)
    assert metrics.final_mae(np.array([1.0, NAN, 3.0]), np.array([2.0, 2.0, 3.5])) == pytest.approx(0.75)
    assert metrics.usable_curves(TRUTH, PREDICTED).tolist() == [True, True, False]


def test_mape_of_a_zero_truth_is_bounded_by_the_floor() -> None:
    truth, predicted = np.array([[1.0, 0.0]]), np.array([[1.0, 0.01]])
    assert metrics.mape(truth, predicted) == pytest.approx(0.01 / (metrics.MAPE_FLOOR * 0.5) / 2)
    assert metrics.mape(np.zeros((1, 2)), np.zeros((1, 2))) == 0


def test_ranks() -> None:
    truth, predicted = np.array([1.0, 2, 3, 4, NAN]), np.array([1.0, 3, 2, 4, 0])
    assert metrics.kendall(truth, predicted) == pytest.approx(4 / 6)
    assert metrics.spearman(truth, predicted) == pytest.approx(0.8)
    assert np.isnan(metrics.kendall(truth, np.ones(5))) and np.isnan(metrics.spearman(np.ones(5), predicted))


def test_regret_is_in_natural_units_and_knows_the_direction() -> None:
    truth, predicted = np.array([0.3, 0.1, 0.5, NAN]), np.array([0.1, 0.2, 0.3, 0.0])
    assert metrics.top1_regret(truth, predicted, "min") == pytest.approx(0.2)
    assert metrics.top1_regret(truth, predicted, "max") == pytest.approx(0.0)
    many = np.arange(20.0)
    order = np.concatenate([[5.0, 0.0], np.arange(1.0, 19.0)])
    assert metrics.top1_regret(many, order, "min") == 1.0
    assert metrics.top10_regret(many, np.array([3.0, 1, 2, *range(4, 21)]), "min") == 1.0
    assert metrics.top10_regret(many, -many, "max") == 18.0


def test_crps_of_a_point_forecast_is_the_absolute_error() -> None:
    quantiles = np.repeat(PREDICTED[..., None], len(LEVELS), axis=-1)
    expected = ((0.1 + 1.0) / 2 + 2.0) / 2
    assert metrics.crps(TRUTH, quantiles) == pytest.approx(expected)


def test_crps_of_a_normal_forecast() -> None:
    truth = np.array([[-1.0, 0.0, 0.7]])
    quantiles = np.broadcast_to(stats.norm.ppf(LEVELS), (1, 3, len(LEVELS)))
    z = truth[0]
    exact = z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi)
    assert metrics.crps(truth, quantiles) == pytest.approx(exact.mean(), abs=0.005)


def test_coverage() -> None:
    quantiles = np.broadcast_to(LEVELS, (1, 4, len(LEVELS)))
    assert metrics.coverage90(np.array([[0.05, 0.5, 0.96, NAN]]), quantiles) == pytest.approx(2 / 3)


def test_nothing_to_score_is_nan() -> None:
    empty = np.full((2, 3), NAN)
    assert np.isnan(metrics.mape(empty, empty)) and np.isnan(metrics.rmse(empty, empty))
    assert np.isnan(metrics.top1_regret(empty[:, 0], empty[:, 0], "min"))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100))
def test_scores_follow_the_scale_of_the_metric(seed: int, scale: float) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.uniform(0.5, 1.5, (6, 4))
    quantiles = np.sort(generator.uniform(0.5, 1.5, (6, 4, len(LEVELS))), -1)
    point = quantiles[..., 10]
    assert metrics.mape(scale * truth, scale * point) == pytest.approx(metrics.mape(truth, point))
    assert metrics.rmse(scale * truth, scale * point) == pytest.approx(scale * metrics.rmse(truth, point))
    assert metrics.crps(scale * truth, scale * quantiles) == pytest.approx(scale * metrics.crps(truth, quantiles))
    assert metrics.coverage90(scale * truth, scale * quantiles) == metrics.coverage90(truth, quantiles)


def test_standardised_errors_and_likelihoods_count_all_values_alike() -> None:
    truth = np.array([[1.0, np.nan], [3.0, 5.0]])
    mean, std = np.array([[1.0, 9.0], [5.0, 3.0]]), np.full((2, 2), 4.0)
    rmse, nll = metrics.standardised(truth, mean, std, 2.0)  # errors 0, 1 and 1, deviations 2, in units of 2
    assert rmse == pytest.approx(np.sqrt(2 / 3))
    assert nll == pytest.approx(np.log(2) + 0.5 * np.log(2 * np.pi) + (0 + 0.25 + 0.25) / 6)
    assert np.isnan(metrics.standardised(truth, mean, 0 * std, 2.0)[1])
    assert np.isnan(metrics.standardised(truth * np.nan, mean, std, 2.0)).all()


def test_the_absolute_error_of_whole_curves() -> None:
    assert metrics.mae(np.array([[1.0, 2.0], [3.0, np.nan]]), np.array([[1.0, 4.0], [2.0, 0.0]])) == 1.0
