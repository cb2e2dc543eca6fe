"""The pool of ExtraTrees and a Gaussian process: a mixture of both, each with half the probability."""

from __future__ import annotations

import numpy as np
import pytest

import lcode
from lcode.forecast import LEVELS, Q50
from lcode.pretraining.prior import synthetic_runs


@pytest.fixture(scope="module")
def forecasts() -> list[np.ndarray]:
    table = synthetic_runs(16, tasks=2, horizon=12, seed=3)
    finished, running = table.rows(np.arange(12)), table.rows(np.arange(12, 16)).prefix(4)
    return [lcode.forecaster(name).fit(finished).predict(running).quantiles for name in ("trees", "gp", "trees+gp")]


def test_it_lies_between_both_and_is_wide_where_they_disagree(forecasts: list[np.ndarray]) -> None:
    trees, process, pool = forecasts
    low, high = np.minimum(trees, process), np.maximum(trees, process)
    assert ((pool >= low - 1e-9) & (pool <= high + 1e-9)).all()
    apart = np.abs(trees - process)[..., Q50]
    wide = [np.ptp(one[..., [1, -2]], axis=-1) for one in (trees, process, pool)]
    far = apart > np.maximum(wide[0], wide[1])
    assert (wide[2] >= np.where(far, apart / 2, 0)).all()


def test_each_counts_half(forecasts: list[np.ndarray]) -> None:
    trees, process, pool = (one.reshape(-1, len(LEVELS)) for one in forecasts)
    for a, b, both in zip(trees, process, pool, strict=True):
        if len(np.unique(np.r_[a, b])) == 2 * len(LEVELS):  # no point mass
            share = [np.interp(both[Q50], one, LEVELS, left=0, right=1) for one in (a, b)]
            assert np.mean(share) == pytest.approx(0.5, abs=0.011)
