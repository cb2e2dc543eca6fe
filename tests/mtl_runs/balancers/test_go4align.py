from __future__ import annotations

from itertools import combinations, pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lcode.errors import UsageError
from mtl_runs.balancers import GO4Align, TaskStatistics
from mtl_runs.balancers.go4align import group_means


def least_squares(values: list[float], groups: int) -> float:
    """Least sum of squares about the groups' means, over all ways to cut the ordered values."""
    ordered, n = sorted(values), len(values)
    found = []
    for cuts in combinations(range(1, n), min(groups, n) - 1):
        edges = [0, *cuts, n]
        parts = [ordered[a:b] for a, b in pairwise(edges)]
        found.append(sum(sum((x - sum(part) / len(part)) ** 2 for x in part) for part in parts))
    return min(found)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(0, 100), min_size=1, max_size=8), groups=st.integers(1, 5))
def test_groups_are_the_best_there_are(values: list[float], groups: int) -> None:
    tensor = torch.tensor(values, dtype=torch.float64)
    means = group_means(tensor, torch.ones(len(values), dtype=torch.bool), groups)
    assert len({round(mean, 9) for mean in means.tolist()}) <= groups
    found = float((tensor - means).square().sum())
    assert found == pytest.approx(least_squares(values, groups), rel=1e-9, abs=1e-7)


def test_who_is_out_belongs_to_no_group() -> None:
    values = torch.tensor([1.0, 50.0, 2.0, 9.0], dtype=torch.float64)
    active = torch.tensor([True, False, True, True])
    assert group_means(values, active, 2)[active].tolist() == pytest.approx([1.5, 1.5, 9])


def test_a_task_of_large_losses_loses_weight() -> None:
    balancer = GO4Align(groups=2, step_size=0.1)
    state = balancer.init(2)
    losses = torch.tensor([1.0, 3.0], dtype=torch.float64)
    for t in range(1, 5):
        weights, state = balancer.update(state, TaskStatistics(losses, torch.eye(2)))
        share = torch.softmax(-0.1 * t * losses, 0)
        torch.testing.assert_close(weights, share * 4 / losses / 2)


def test_a_task_without_a_loss_keeps_its_share() -> None:
    balancer = GO4Align(groups=3, step_size=0.1)
    losses = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    gap = torch.tensor([1.0, float("nan"), 3.0], dtype=torch.float64)
    _, state = balancer.update(balancer.init(3), TaskStatistics(losses, torch.eye(3)))
    _, after = balancer.update(state, TaskStatistics(gap, torch.eye(3)))
    assert after["log_share"][1] == state["log_share"][1]
    # The two others moved about their mean, by -0.1 (1 - 2) and -0.1 (3 - 2).
    assert (after["log_share"] - state["log_share"])[[0, 2]].tolist() == pytest.approx([0.1, -0.1])


def test_impossible_settings() -> None:
    with pytest.raises(UsageError, match="groups must be a whole number of at least 1; found 0"):
        GO4Align(groups=0)
    with pytest.raises(UsageError, match="step_size must not be negative; found -1"):
        GO4Align(step_size=-1)
