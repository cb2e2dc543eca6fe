from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from lcode.fitting.calibration import Calibration, Judged, calibrate, calibrate_for_all
from lcode.fitting.out_of_fold import SHARES
from lcode.forecast import LEVELS

LEADS = np.array([0.05, 0.2, 0.5, 0.8, 1.0])


def out_of_fold(spread: float, *, rho: float = 0.0, persistence: float = 0.5, runs: int = 400) -> list[Judged]:
    """Normal truths of two metrics at five epochs, forecast with the right median and `spread` times their width."""
    generator = np.random.default_rng(0)
    root = np.linalg.cholesky(np.array([[1, rho], [rho, 1]]))
    parts = []
    for share in SHARES:
        trend = generator.standard_normal((runs, 2, 1))
        score = np.sqrt(persistence) * trend + np.sqrt(1 - persistence) * generator.standard_normal((runs, 2, 5))
        truth = np.einsum("jk,rkq->rjq", root, score)
        quantiles = np.broadcast_to(spread * norm.ppf(LEVELS), (runs, 2, 5, len(LEVELS)))
        parts.append(Judged(share, np.tile(LEADS, (runs, 1)), quantiles, truth))
    return parts


def tuples(rows: Any) -> Any:
    """Nested tuples, as a calibration keeps them."""
    return tuple(map(tuples, rows)) if np.ndim(rows) else float(rows)


def coverage(quantiles: np.ndarray, truth: np.ndarray) -> float:
    return float(((truth >= quantiles[..., 1]) & (truth <= quantiles[..., -2])).mean())


@pytest.mark.parametrize("spread", [0.5, 2.0])
def test_widening_brings_the_coverage_nearer_to_what_it_says(spread: float) -> None:
    parts = out_of_fold(spread)
    calibration = calibrate(parts)
    for part in parts:
        shares = np.full(len(part.truth), part.share)
        before = coverage(part.quantiles, part.truth)
        after = coverage(calibration.widen(part.quantiles, shares, part.leads), part.truth)
        assert abs(after - 0.9) < abs(before - 0.9)
    # Too narrow: half the way, as a factor, for left-out forecasts are worse than those of all members together.
    expected = np.log(1 / spread) / 2 if spread < 1 else np.log(max(1 / spread, 0.6))
    assert np.allclose(calibration.factors, expected, atol=0.1)


def test_right_intervals_are_left_alone() -> None:
    assert np.allclose(calibrate(out_of_fold(1.0)).factors, 0, atol=0.12)


def test_widening_keeps_the_median_and_the_order() -> None:
    quantiles = np.sort(np.random.default_rng(0).standard_normal((4, 2, 3, len(LEVELS))), -1)
    calibration = Calibration.same_for_all((0.1,), [(np.log(2), np.log(2))], 0.9)
    leads = np.tile([0.0, 0.5, 1.0], (4, 1))
    wide = calibration.widen(quantiles, np.array([0.0, 0.1, 0.5, 1.0]), leads)
    np.testing.assert_array_equal(wide[..., 10], quantiles[..., 10])
    np.testing.assert_allclose(np.diff(wide), 2 * np.diff(quantiles))
    np.testing.assert_allclose(Calibration.none().widen(quantiles, np.zeros(4), leads), quantiles, rtol=1e-12)


def test_the_factor_is_that_of_the_prefix_the_metric_and_the_lead() -> None:
    factors = [[[[i], [2 * i]], [[10 * i], [20 * i]]] for i in range(1, len(SHARES) + 1)]
    calibration = Calibration(SHARES, tuples(np.zeros_like(factors)), tuples(np.log(factors)), (), 0.9)
    quantiles = np.broadcast_to(norm.ppf(LEVELS), (len(SHARES) + 1, 2, 3, len(LEVELS)))
    wide = calibration.widen(quantiles, np.array([*SHARES, 1.0]), np.tile([0.0, 0.5, 1.0], (len(quantiles), 1)))
    own = np.array([*range(1, len(SHARES) + 1), len(SHARES)])
    expected = own[:, None, None] * np.array([1, 10])[:, None] * np.array([1, np.sqrt(2), 2])
    np.testing.assert_allclose(wide[..., 1] / norm.ppf(0.05), expected)


def test_a_metric_that_needs_more_gets_more() -> None:
    parts = out_of_fold(1.0)
    for part in parts:
        part.truth[:, 1] *= 3
    log = np.array(calibrate(parts).factors).mean(-1)
    assert (log[:, 1] > log[:, 0] + 0.2).all()


def test_wide_intervals_have_a_factor_of_their_own() -> None:
    parts = [replace(part, quantiles=part.quantiles.copy()) for part in out_of_fold(1.0, runs=800)]
    for part in parts:  # every fourth run is far off, and its interval is wide, but not wide enough
        part.truth[::4] *= 30
        part.quantiles[::4] *= 10
    found = calibrate(parts)
    for part in parts:
        shares = np.full(len(part.truth), part.share)
        widened = found.widen(part.quantiles, shares, part.leads)
        assert coverage(part.quantiles[::4], part.truth[::4]) < 0.45
        assert coverage(widened[::4], part.truth[::4]) > 0.55
        narrow = np.arange(len(part.truth)) % 4 > 0
        assert coverage(widened[narrow], part.truth[narrow]) == pytest.approx(0.9, abs=0.04)


def test_few_runs_hardly_narrow_the_intervals() -> None:
    few, many = (np.mean(calibrate(out_of_fold(2.0, runs=runs)).factors) for runs in (12, 400))
    assert many < few < 0


def test_what_hangs_together_is_found() -> None:
    for rho, persistence in ((0.8, 0.2), (-0.5, 0.9)):
        found = calibrate(out_of_fold(1.0, rho=rho, persistence=persistence))
        matrices = found.matrices(np.linspace(0, 1, 7), [0, 1])
        assert matrices is not None and matrices.shape == (7, 2, 2)
        np.testing.assert_allclose(matrices[:, 0, 1], rho, atol=0.1)
        np.testing.assert_allclose(np.diagonal(matrices, axis1=1, axis2=2), 1)
        assert np.linalg.eigvalsh(matrices).min() > 0
        assert found.persistence == pytest.approx(persistence, abs=0.1)
        one = found.matrices(np.zeros(1), [1])
        assert one is not None and one.ravel() == pytest.approx([1.0])
    assert Calibration.none().matrices(np.zeros(1), [0, 1]) is None


def test_what_hangs_together_early_need_not_late() -> None:
    parts = [*out_of_fold(1.0, rho=0.8)[:1], *out_of_fold(1.0)[1:]]
    matrices = calibrate(parts).matrices(np.array(SHARES), [0, 1])
    assert matrices is not None and matrices[0, 0, 1] > 0.6 and abs(matrices[1:, 0, 1]).max() < 0.2
    between = calibrate(parts).matrices(np.array([SHARES[1] / 4]), [0, 1])
    assert between is not None and between[0, 0, 1] == pytest.approx(matrices[:2, 0, 1].mean())


def test_a_metric_of_which_nothing_was_left_out_breaks_nothing() -> None:
    parts = out_of_fold(1.0, runs=12)
    for part in parts:
        part.truth[:, 1] = np.nan
    found = calibrate(parts)
    matrices = found.matrices(np.zeros(1), [0, 1])
    assert matrices is not None and np.isfinite(matrices).all() and np.isfinite(found.factors).all()
    assert abs(matrices[0, 0, 1]) < 1e-9


def test_json_round_trip() -> None:
    calibration = calibrate(out_of_fold(0.7, rho=0.4, runs=30))
    assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration


def test_of_several_problems_each_counts_alike_however_many_runs_it_has() -> None:
    """One problem whose intervals are right, one where they are half as wide as they should be."""
    right, narrow = out_of_fold(1.0, runs=2000), out_of_fold(0.5, runs=100)
    together = calibrate_for_all([right, narrow])
    for part, near, far in zip(SHARES, *np.array(together.factors)[:, 0, :, 0].T, strict=True):
        assert part in together.shares and 0.2 < near < np.log(2) and 0.2 < far < np.log(2)
    only_right = np.array(calibrate_for_all([right]).factors)
    np.testing.assert_allclose(only_right, 0, atol=0.05)
    np.testing.assert_allclose(np.array(calibrate_for_all([narrow]).factors), np.log(2), atol=0.25)


def test_without_a_far_query_nothing_is_said_of_the_far_ones() -> None:
    parts = [replace(part, leads=np.zeros_like(part.leads)) for part in out_of_fold(0.5)]
    factors = np.array(calibrate_for_all([parts]).factors)[:, 0, :, 0]
    assert (factors[:, 0] > 0.3).all() and (factors[:, 1] == 0).all()
