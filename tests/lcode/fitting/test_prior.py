from __future__ import annotations

import numpy as np
import pytest

from lcode.fitting.prior import synthetic_runs
from lcode.tensors.arrays import curve_arrays


def test_the_same_seed_draws_the_same_runs() -> None:
    one, same, other = (curve_arrays(synthetic_runs(4, tasks=2, horizon=9, seed=seed)).values for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(("tasks", "horizon"), [(1, 5), (4, 200)])
def test_curves_are_whole_and_positive(tasks: int, horizon: int) -> None:
    table = synthetic_runs(30, tasks=tasks, horizon=horizon, seed=0)
    curves = curve_arrays(table)
    assert curves.values.shape == (30, tasks, horizon)
    assert np.isfinite(curves.values).all() and (curves.values > 0).all()
    assert all(plan.last == horizon for plan in table.schedules.values()) and len(table.schedules) == 15


def test_problems_differ_in_noise_and_depth_by_more_than_their_runs() -> None:
    noise, depth = [], []
    for seed in range(12):
        logs = np.log(curve_arrays(synthetic_runs(60, tasks=1, horizon=50, seed=seed)).values[:, 0])
        noise.append(np.log(np.median(np.abs(np.diff(logs[:, 25:], n=2)))))
        depth.append(np.quantile(logs[:, 0] - logs.min(axis=1), 0.9))
    assert np.std(noise) > 0.8 and max(depth) > 4 * min(depth)
