"""The pool of ExtraTrees and a Gaussian process: a mixture of both, each with half the probability."""

from __future__ import annotations

import numpy as np
import pytest

import lcode
from lcode.ensemble.mixture import mixture_quantiles
from lcode.forecast import Q05, Q50, Q95
from lcode.pretraining.prior import synthetic_runs


@pytest.fixture(scope="module")
def forecasts() -> list[np.ndarray]:
    table = synthetic_runs(16, tasks=2, horizon=12, seed=3)
    finished, running = table.rows(np.arange(12)), table.rows(np.arange(12, 16)).prefix(4)
    return [lcode.forecaster(name).fit(finished).predict(running).quantiles for name in ("trees", "gp", "trees+gp")]


def test_each_counts_half(forecasts: list[np.ndarray]) -> None:
    trees, process, pool = (one.reshape(-1, one.shape[-1]) for one in forecasts)
    np.testing.assert_allclose(pool, mixture_quantiles(np.stack([trees, process]), np.full((2, len(pool)), 0.5)))


def test_it_lies_between_both_and_covers_both_medians(forecasts: list[np.ndarray]) -> None:
    trees, process, pool = forecasts
    low, high = np.minimum(trees, process), np.maximum(trees, process)
    assert ((pool >= low - 1e-9) & (pool <= high + 1e-9)).all()
    for one in (trees, process):
        assert ((pool[..., Q05] <= one[..., Q50]) & (one[..., Q50] <= pool[..., Q95])).all()
