from __future__ import annotations

from math import log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import PIVRG, FairGrad, State, TaskStatistics


def gramian(seed: int, n_tasks: int) -> Tensor:
    rows = torch.randn(n_tasks, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return rows @ rows.T


def after_an_epoch(balancer: PIVRG, *steps: list[float]) -> State:
    state = balancer.init(len(steps[0]))
    for losses in steps:
        _, state = balancer.update(state, TaskStatistics(torch.tensor(losses), torch.eye(len(losses))))
    return balancer.end_epoch(state)


def test_scores_are_percent_behind_the_reference() -> None:
    state = after_an_epoch(PIVRG([1.0, 2.0]), [1.0, 2.0], [2.0, 1.0])
    assert state["score"].tolist() == pytest.approx([50, -25])


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    scores=st.lists(st.floats(-90, 400), min_size=2, max_size=5),
    bound=st.sampled_from([1.5, 2.0, 5.0]),
    floor=st.sampled_from([1.0, 10.0, 100.0]),
)
def test_the_system_holds_and_factors_are_bounded(seed: int, scores: list[float], bound: float, floor: float) -> None:
    n_tasks = len(scores)
    balancer = PIVRG([1.0] * n_tasks, bound=bound, floor=floor)
    state = after_an_epoch(balancer, [1 + score / 100 for score in scores])
    matrix = gramian(seed, n_tasks)
    weights, _ = balancer.update(state, TaskStatistics(torch.ones(n_tasks), matrix))
    # A w = (π / w)^½, so π = w (A w)².
    factor = weights * (matrix @ weights) ** 2
    temperature = max((max(scores) - min(scores)) / log(bound), floor)
    expected = n_tasks * torch.softmax(torch.tensor(scores, dtype=torch.float64) / temperature, 0)
    torch.testing.assert_close(factor, expected, rtol=1e-4, atol=1e-6)
    assert float(factor.max() / factor.min()) <= bound * (1 + 1e-4)


def test_the_first_epoch_is_fairgrad() -> None:
    for seed in range(3):
        statistics = TaskStatistics(torch.rand(3), gramian(seed, 3))
        balancer = PIVRG([1.0, 2.0, 3.0])
        weights, _ = balancer.update(balancer.init(3), statistics)
        torch.testing.assert_close(weights, FairGrad(alpha=2.0).update({}, statistics)[0])


def test_a_task_that_is_out_keeps_its_score_and_does_not_count() -> None:
    balancer = PIVRG([1.0, 1.0, 1.0])
    state = after_an_epoch(balancer, [1.0, 9.0, 1.5])
    state = balancer.end_epoch(state)  # an epoch without a step
    assert state["score"].tolist() == pytest.approx([0, 800, 50])
    matrix = gramian(0, 3)
    losses = torch.tensor([1.0, float("nan"), 1.0])
    weights, _ = balancer.update(state, TaskStatistics(losses, matrix))
    pair = PIVRG([1.0, 1.0])
    left = [0, 2]
    expected, _ = pair.update(after_an_epoch(pair, [1.0, 1.5]), TaskStatistics(losses[left], matrix[left][:, left]))
    torch.testing.assert_close(weights[left], expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reference": [1.0, 0.0]}, "reference must have a loss above 0 for each task"),
        ({"reference": 1.0}, "reference must have a loss above 0 for each task"),
        ({"reference": [1.0], "bound": 1}, "bound must be above 1 and floor above 0; found bound=1"),
    ],
)
def test_impossible_settings(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PIVRG(**arguments)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="2 reference losses were given for 3 tasks"):
        PIVRG([1.0, 1.0]).init(3)
