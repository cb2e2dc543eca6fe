"""Training of the in-context network: what problems are made of, and that it learns to use examples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from lcode.ensemble.problems import LEADS
from lcode.network.in_context import InContextConfig
from lcode.pretraining.in_context import InContextSettings, pretrain_in_context, table_problems
from lcode.pretraining.prior import synthetic_runs
from lcode.table import Metric, RunTable


def rising(count: int, seed: int) -> RunTable:
    """Runs whose ends a few finished ones give away: all gain the same from where they stand."""
    draw = np.random.default_rng(seed)
    start, gain = draw.normal(0, 1, count), draw.normal(0, 3)
    share = np.arange(1, 13) / 12
    values = start[:, None] + gain * share
    points = pd.DataFrame(
        {
            "run": np.repeat([f"r{seed}-{i:03d}" for i in range(count)], 12),
            "epoch": np.tile(np.arange(1, 13), count),
            "metric": "reward",
            "value": values.ravel(),
        }
    )
    return RunTable.from_points(points, [Metric("main", "reward", "max")])


def test_a_table_is_many_problems() -> None:
    found = table_problems(synthetic_runs(30, tasks=2, horizon=20, seed=3))
    cutoffs = {float(problem.runs.shares.max()) for problem in found}
    assert len(found) >= 20 and 0.0 in cutoffs and max(cutoffs) <= 0.75
    for problem in found:
        assert len(problem.runs) == len(problem.came) and problem.came.shape[1] == len(LEADS)
        assert (problem.runs.seen[problem.runs.shares == 0] == 0).all()


def test_too_few_runs_are_no_problem() -> None:
    assert table_problems(rising(6, 0)) == []


def test_it_learns_from_examples_what_runs_of_a_problem_gain() -> None:
    real = {f"some/{seed}": table_problems(rising(40, seed)) for seed in range(30)}
    settings = InContextSettings(steps=120, problems=4, learning_rate=4e-3)
    network = pretrain_in_context(real, [], settings=settings, config=InContextConfig(width=24, layers=2, heads=2))
    errors, naive = [], []
    for seed in range(100, 110):
        problem = next(one for one in table_problems(rising(30, seed)) if one.runs.shares[0] > 0.2)
        known, asked = problem.runs.rows(np.arange(10)), problem.runs.rows(np.arange(10, 30))
        middle = network.learn(known, problem.came[:10], LEADS).quantiles(asked)[:, -1, 10]
        last = np.nanmax(np.where(np.isfinite(asked.points), np.arange(asked.points.shape[1]), -1), axis=1).astype(int)
        errors.append(np.abs(middle - problem.came[10:, -1]).mean())
        naive.append(np.abs(asked.points[np.arange(20), last] - problem.came[10:, -1]).mean())
    assert np.mean(errors) < 0.5 * np.mean(naive)


def test_the_same_seed_trains_the_same_network() -> None:
    real = {"some/0": table_problems(rising(40, 0))}
    small = InContextConfig(width=8, layers=1, heads=1)
    first, second = (
        pretrain_in_context(real, [], seed=5, settings=InContextSettings(steps=3, problems=2), config=small)
        for _ in range(2)
    )
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_training_goes_on_from_a_network() -> None:
    real = {"some/0": table_problems(rising(40, 0))}
    small = InContextConfig(width=8, layers=1, heads=1)
    first = pretrain_in_context(real, [], seed=5, settings=InContextSettings(steps=3, problems=2), config=small)
    still = InContextSettings(steps=2, problems=2, learning_rate=0.0)
    for start, same in ((first, True), (None, False)):
        again = pretrain_in_context(real, [], seed=6, settings=still, config=small, start=start)
        pairs = zip(again.parameters(), first.parameters(), strict=True)
        assert all(torch.equal(one, other) for one, other in pairs) is same
