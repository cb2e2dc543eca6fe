from __future__ import annotations

from math import comb

import numpy as np
import pytest
import torch

from lcode.errors import UsageError
from mtl_runs.balancers import (
    Equal,
    Fixed,
    TaskStatistics,
    dirichlet_weights,
    log_uniform_weights,
    simplex_grid,
)

STATISTICS = TaskStatistics(torch.tensor([1.0, 2.0, 9.0]), torch.eye(3))


def test_equal_counts_tasks_without_a_loss() -> None:
    losses = torch.tensor([1.0, torch.nan, torch.inf])
    assert Equal().update({}, TaskStatistics(losses, torch.eye(3)))[0].tolist() == [1 / 3, 0, 0]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [1, float("nan")]])
def test_impossible_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(UsageError, match="weights must be finite, not negative and not all zero"):
        Fixed(weights)


def test_wrong_number_of_weights_is_refused() -> None:
    with pytest.raises(UsageError, match="2 fixed weights were given for 3 tasks"):
        Fixed([1, 2]).init(3)


@pytest.mark.parametrize(("n_tasks", "steps"), [(3, 10), (2, 4), (4, 6), (1, 5)])
def test_grid_sizes(n_tasks: int, steps: int) -> None:
    for faces, count in ((False, comb(steps - 1, n_tasks - 1)), (True, comb(steps + n_tasks - 1, n_tasks - 1))):
        grid = simplex_grid(n_tasks, steps, faces=faces)
        assert grid.shape == (count, n_tasks)
        assert len(np.unique(grid.round(12), axis=0)) == count
        np.testing.assert_allclose(grid.sum(1), 1, atol=1e-12)
        assert grid.min() >= (0 if faces else 1 / steps - 1e-12)


def test_random_weights_lie_on_the_simplex() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        spread = log_uniform_weights(4, generator, decades=2)
        assert spread.sum() == pytest.approx(1)
        assert spread.max() / spread.min() <= 100
        assert dirichlet_weights(4, generator).sum() == pytest.approx(1)
