from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from sklearn.cluster import AffinityPropagation
from torch import Tensor

from lcode.errors import UsageError
from mtl_runs.balancers import SelUpdate, State, TaskStatistics
from mtl_runs.balancers.sel_update import clusters

ONES = TaskStatistics(torch.ones(4, dtype=torch.float64), torch.eye(4))


def groups(labels: list[int]) -> set[frozenset[int]]:
    return {frozenset(k for k, other in enumerate(labels) if other == label) for label in labels}


def train(balancer: SelUpdate, gains: Tensor, n_steps: int) -> tuple[list[list[int]], State]:
    """Which tasks each step trains, where a step for s lowers the loss of t by `gains[s, t]`, relatively."""
    state, generator, trained = balancer.init(4), torch.Generator().manual_seed(0), []
    for _ in range(n_steps):
        weights, state = balancer.update(state, ONES, generator)
        trained.append(weights.nonzero().flatten().tolist())
        after = ONES.losses - 4 * weights @ gains
        state = balancer.after_step(state, ONES.losses, after)
    return trained, state


def test_at_first_every_task_has_its_turn_once_a_round() -> None:
    trained, _ = train(SelUpdate(warmup=3), 0.01 * torch.eye(4, dtype=torch.float64), 12)
    rounds = [sorted(task for group in trained[i : i + 4] for task in group) for i in (0, 4, 8)]
    assert rounds == [[0, 1, 2, 3]] * 3
    assert trained[:4] != trained[4:8]
    weights, _ = SelUpdate().update(SelUpdate().init(4), ONES, torch.Generator().manual_seed(0))
    assert sorted(weights.tolist()) == [0, 0, 0, 0.25]


def test_tasks_that_help_each_other_are_trained_together() -> None:
    gains = torch.tensor(
        [[10.0, 8.0, -3.0, -3.0], [8.0, 10.0, -3.0, -3.0], [-3.0, -3.0, 10.0, 8.0], [-3.0, -3.0, 8.0, 10.0]]
    )
    trained, state = train(SelUpdate(decay=0.1, warmup=20), gains.double() / 1000, 80 + 12)
    assert all(len(group) == 1 for group in trained[:80])
    assert {tuple(group) for group in trained[80:]} == {(0, 1), (2, 3)}
    assert all({trained[i][0], trained[i + 1][0]} == {0, 2} for i in range(80, 92, 2))
    assert state["rounds"].tolist() == [26] * 4


def test_affinities_by_hand() -> None:
    balancer = SelUpdate(decay=0.5)
    state = {**balancer.init(3), "trained": torch.tensor([1.0, 1.0, 0.0])}
    before, after = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([0.8, 2.2, 3.0])
    found = balancer.after_step(state, before, after)["affinity"]
    # Gains (.2, -.1, .25) over 2. The two of the group move apart: minus the larger gain; no loss by oneself counts.
    expected = 0.5 * torch.tensor([[0.1, -0.1, 0.125], [-0.1, 0.0, 0.125], [0.0, 0.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(found, expected)


def test_affinities_of_the_authors_program() -> None:
    # wooseong97/sel-update-mtl 53a8ba2, which was given the losses before each step as well; eight steps.
    balancer, k = SelUpdate(decay=0.5), torch.arange(3, dtype=torch.float64)
    state = balancer.init(3)
    for t in range(8):
        before = 1 + 0.8 * torch.sin(2 * k + 3 * t + 1)
        trained = torch.tensor([t % 2 == 0, t % 2 == 1, True]).double()
        state = balancer.after_step({**state, "trained": trained}, before, before * (1 + 0.3 * torch.sin(2 * k + t)))
    assert state["affinity"][:2].flatten().tolist() == pytest.approx(
        [0.04933626, -0.0580584, 0.01427747, -0.02384913, 0.07191932, -0.1174235], abs=1e-7
    )


def test_a_task_without_a_loss_has_no_turn_and_shows_nothing() -> None:
    balancer = SelUpdate()
    losses = torch.tensor([1.0, float("nan"), 1.0, 1.0])
    state, generator = balancer.init(4), torch.Generator().manual_seed(1)
    for _ in range(7):
        weights, state = balancer.update(state, TaskStatistics(losses, torch.eye(4)), generator)
        assert float(weights.sum()) == pytest.approx(1 / 3)
        assert weights[1] == 0
        state = balancer.after_step(state, losses, 0.9 * losses)
    assert state["affinity"][1].tolist() == [0] * 4
    assert state["affinity"][:, 1].tolist() == [0] * 4
    assert (state["affinity"][0, [0, 2, 3]] > 0).all()


def value(similarity: np.ndarray, leaders: Sequence[int]) -> float:
    """What affinity propagation maximises: similarities to the leaders, and the median for each of these."""
    preference = float(np.median(similarity))
    return sum(preference if lead == k else similarity[k, lead] for k, lead in enumerate(leaders))


@pytest.mark.parametrize("seed", range(12))
def test_clusters_are_at_least_as_good_as_those_of_affinity_propagation(seed: int) -> None:
    generator = np.random.default_rng(seed)
    n = int(generator.integers(3, 9))
    places = generator.normal(size=(n, 2)) + 3 * generator.integers(0, 2, size=(n, 1))
    similarity = -((places[:, None] - places) ** 2).sum(-1)
    fitted = AffinityPropagation(affinity="precomputed", random_state=0).fit(similarity)
    theirs = fitted.cluster_centers_indices_[fitted.labels_]
    ours = clusters(torch.from_numpy(similarity), torch.ones(n, dtype=torch.bool)).tolist()
    assert value(similarity, ours) >= value(similarity, theirs) - 1e-9


def test_many_tasks_in_clear_clusters() -> None:
    labels = [k % 3 for k in range(15)]
    similarity = torch.tensor([[1.0 if a == b else -1.0 for a in labels] for b in labels], dtype=torch.float64)
    similarity[range(15), range(15)] = 1.5
    assert groups(clusters(similarity, torch.ones(15, dtype=torch.bool)).tolist()) == groups(labels)


def test_equal_tasks_are_one_cluster_or_each_its_own() -> None:
    everyone = torch.ones(4, dtype=torch.bool)
    far = torch.eye(4, dtype=torch.float64) * 1.0
    assert groups(clusters(far, everyone).tolist()) in ({frozenset({k}) for k in range(4)}, {frozenset(range(4))})
    pair = torch.tensor([[1.0, -0.5], [-0.5, 1.0]], dtype=torch.float64)
    assert clusters(pair, torch.ones(2, dtype=torch.bool)).tolist() == [0, 1]
    assert clusters(torch.ones(1, 1, dtype=torch.float64), torch.ones(1, dtype=torch.bool)).tolist() == [0]


def test_impossible_settings() -> None:
    with pytest.raises(UsageError, match="decay must be above 0 and at most 1; found 0"):
        SelUpdate(decay=0)
    with pytest.raises(UsageError, match="warmup must be a whole number of at least 1; found 0"):
        SelUpdate(warmup=0)
