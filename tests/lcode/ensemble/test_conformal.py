from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from lcode.ensemble.conformal import Conformal, persistence
from lcode.forecast import LEVELS, Q05, Q50, Q95

Array = np.ndarray
LEADS = np.array([0.05, 0.2, 0.5, 0.8, 1.0])


def left_out(
    spread: float, *, rho: float = 0.0, lasting: float = 0.5, runs: int = 400, seed: int = 0
) -> tuple[Array, Array, Array]:
    """Leads, quantiles and truths: normal, of two metrics at five queries, forecast `spread` times as wide."""
    generator = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.array([[1, rho], [rho, 1]]))
    trend = generator.standard_normal((runs, 2, 1))
    score = np.sqrt(lasting) * trend + np.sqrt(1 - lasting) * generator.standard_normal((runs, 2, 5))
    truth = np.einsum("jk,rkq->rjq", root, score)
    quantiles = np.broadcast_to(spread * norm.ppf(LEVELS), (runs, 2, 5, len(LEVELS))).copy()
    return np.tile(LEADS, (runs, 1)), quantiles, truth


def coverage(quantiles: Array, truth: Array) -> float:
    return float(((truth >= quantiles[..., Q05]) & (truth <= quantiles[..., Q95])).mean())


@pytest.mark.parametrize("spread", [0.5, 2.0])
def test_widening_brings_the_coverage_nearer_to_what_it_says(spread: float) -> None:
    leads, quantiles, truth = left_out(spread)
    found = Conformal.of(leads, quantiles, truth)
    after = coverage(found.widen(quantiles, leads), truth)
    assert abs(after - 0.9) < abs(coverage(quantiles, truth) - 0.9)
    # Too narrow: half the way, as a factor, for left-out forecasts are worse than those of all members together.
    expected = np.log(1 / spread) / 2 if spread < 1 else np.log(max(1 / spread, 0.6))
    np.testing.assert_allclose(found.factors, expected, atol=0.12)


def test_of_few_runs_the_whole_factor_is_taken_where_intervals_are_too_narrow() -> None:
    factors = [Conformal.of(*left_out(0.5, runs=runs)).factors.mean() for runs in (25, 400)]
    assert factors[0] == pytest.approx(np.log(2), abs=0.25) and factors[0] > factors[1] + 0.15


def test_few_runs_hardly_narrow_the_intervals() -> None:
    few, many = (Conformal.of(*left_out(2.0, runs=runs)).factors.mean() for runs in (12, 400))
    assert many < few < 0


def test_right_intervals_are_left_alone() -> None:
    np.testing.assert_allclose(Conformal.of(*left_out(1.0)).factors, 0, atol=0.12)


def test_widening_keeps_the_median_and_the_order() -> None:
    quantiles = np.sort(np.random.default_rng(0).standard_normal((4, 2, 3, len(LEVELS))), -1)
    leads, zero = np.tile([0.0, 0.5, 1.0], (4, 1)), np.zeros((2, 2, 1))
    wide = Conformal(zero, zero + np.log(2), np.eye(2), np.zeros((0, 2, 3))).widen(quantiles, leads)
    np.testing.assert_array_equal(wide[..., Q50], quantiles[..., Q50])
    np.testing.assert_allclose(np.diff(wide), 2 * np.diff(quantiles))
    same = Conformal(zero, zero, np.eye(2), np.zeros((0, 2, 3))).widen(quantiles, leads)
    np.testing.assert_allclose(same, quantiles, rtol=1e-12)


def test_the_factor_is_that_of_the_metric_and_the_lead() -> None:
    factors = np.log([[[1.0], [2.0]], [[10.0], [20.0]]])
    quantiles = np.broadcast_to(norm.ppf(LEVELS), (1, 2, 3, len(LEVELS)))
    wide = Conformal(np.zeros_like(factors), factors, np.eye(2), np.zeros((0, 2, 3))).widen(
        quantiles, np.array([[0.0, 0.5, 1.0]])
    )
    expected = np.array([1, 10])[:, None] * np.array([1, np.sqrt(2), 2])
    np.testing.assert_allclose(wide[0, ..., Q05] / norm.ppf(0.05), expected)


def test_between_two_widths_the_factor_is_interpolated_and_beyond_them_it_stays() -> None:
    widths, factors = np.broadcast_to([0.0, 2.0], (1, 2, 2)), np.broadcast_to([0.0, 1.0], (1, 2, 2))
    log = np.array([-1.0, 0.0, 1.0, 2.0, 3.0])
    unit = norm.ppf(LEVELS) / (norm.ppf(0.95) - norm.ppf(0.05))
    quantiles = (np.exp(log)[:, None] * unit)[None, None]
    wide = Conformal(widths, factors, np.eye(1), np.zeros((0, 1, 5))).widen(quantiles, np.zeros((1, 5)))
    np.testing.assert_allclose(np.log(wide[..., Q95] - wide[..., Q05])[0, 0] - log, [0, 0, 0.5, 1, 1], atol=1e-9)


def test_a_metric_that_needs_more_gets_more() -> None:
    leads, quantiles, truth = left_out(1.0)
    truth[:, 1] *= 3
    log = Conformal.of(leads, quantiles, truth).factors.mean(-1)
    assert (log[1] > log[0] + 0.2).all()


def test_what_is_far_ahead_has_a_factor_of_its_own() -> None:
    leads, quantiles, truth = left_out(1.0)
    truth[:, :, -1] *= 4
    truth[:, :, -2] *= 4
    near, far = Conformal.of(leads, quantiles, truth).factors.mean((0, 2))
    assert near == pytest.approx(0, abs=0.12) and far > 0.4


def test_wide_intervals_have_a_factor_of_their_own() -> None:
    leads, quantiles, truth = left_out(1.0, runs=800)
    truth[::4] *= 30  # every fourth run is far off, and its interval is wide, but not wide enough
    quantiles[::4] *= 10
    widened = Conformal.of(leads, quantiles, truth).widen(quantiles, leads)
    assert coverage(quantiles[::4], truth[::4]) < 0.45
    assert coverage(widened[::4], truth[::4]) > 0.55
    narrow = np.arange(len(truth)) % 4 > 0
    assert coverage(widened[narrow], truth[narrow]) == pytest.approx(0.9, abs=0.04)


@pytest.mark.parametrize(("rho", "lasting"), [(0.8, 0.2), (-0.5, 0.9)])
def test_what_hangs_together_is_found(rho: float, lasting: float) -> None:
    found = Conformal.of(*left_out(1.0, rho=rho, lasting=lasting))
    np.testing.assert_allclose(found.correlation, [[1, rho], [rho, 1]], atol=0.1)
    assert np.linalg.eigvalsh(found.correlation).min() > 0
    assert persistence(found.scores) == pytest.approx(lasting, abs=0.1)


def test_a_metric_of_which_nothing_was_left_out_breaks_nothing() -> None:
    leads, quantiles, truth = left_out(1.0, runs=12)
    truth[:, 1] = np.nan
    found = Conformal.of(leads, quantiles, truth)
    assert np.isfinite(found.correlation).all() and np.isfinite(found.factors).all()
    assert abs(found.correlation[0, 1]) < 1e-9
    assert np.isfinite(found.widen(quantiles, leads)).all()


def test_of_few_or_constant_scores_no_persistence_can_be_read() -> None:
    scores = np.random.default_rng(0).standard_normal((9, 1, 4))
    assert persistence(scores) == persistence(np.zeros((30, 1, 4))) == persistence(scores[..., :1]) == 0.9
